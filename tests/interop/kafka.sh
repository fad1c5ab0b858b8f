# kafka.sh - Apache Kafka on loopback for the tests here: sourced, not run.
# Wants: build, here, dir (a temporary folder); secure: a file of properties for
# one more listener, SASL_SSL at localhost, base + 20 + NODE. Gives: kafka_jars, kafka_start NODES,
# kafka_kill NODE, kafka_stop, kafka_java ARGS..., bootstrap.
# shellcheck shell=sh disable=SC2154
kafka_nodes=0
kafka_base=${KAFKA_PORT:-19092}
bootstrap=

# once per build folder; Maven keeps its own copy beside that
kafka_jars() {
	jars=$build/interop/kafka
	[ -f "$jars/.done" ] || {
		mkdir -p "$jars"
		mvn -q -f "$here/kafka-pom.xml" dependency:copy-dependencies \
			-DoutputDirectory="$(cd "$jars" && pwd)" >"$dir/mvn" 2>&1 || {
			cat "$dir/mvn" >&2
			echo "kafka.sh: Maven could not fetch the broker" >&2
			exit 1
		}
		: >"$jars/.done"
	}
	jars=$(cd "$jars" && pwd)
}

kafka_java() {
	${kafka_exec:-} java -Xmx"${heap:-512m}" -XX:+UseSerialGC \
		-Dlog4j.configuration="file:$here/kafka-log4j.properties" \
		-cp "$jars/*" "$@"
}

# kafka_start NODES - all of them brokers and controllers
kafka_start() {
	kafka_nodes=$1
	voters=
	bootstrap=
	n=1
	while [ "$n" -le "$kafka_nodes" ]; do
		c=$((kafka_base + 10 + n))
		voters=$voters${voters:+,}$n@127.0.0.1:$c
		bootstrap=$bootstrap${bootstrap:+,}127.0.0.1:$((kafka_base + n))
		n=$((n + 1))
	done
	isr=1
	[ "$kafka_nodes" -lt 3 ] || isr=2
	n=1
	while [ "$n" -le "$kafka_nodes" ]; do
		cat >"$dir/kafka$n.properties" <<EOF
process.roles=broker,controller
node.id=$n
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$((kafka_base + n)),CONTROLLER://127.0.0.1:$((kafka_base + 10 + n))${secure:+,SASL_SSL://127.0.0.1:$((kafka_base + 20 + n))}
advertised.listeners=PLAINTEXT://127.0.0.1:$((kafka_base + n))${secure:+,SASL_SSL://localhost:$((kafka_base + 20 + n))}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs=$dir/kafka$n
num.partitions=3
default.replication.factor=$kafka_nodes
min.insync.replicas=$isr
offsets.topic.replication.factor=$kafka_nodes
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=$kafka_nodes
transaction.state.log.min.isr=$isr
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
log.cleaner.enable=false
EOF
		[ -z "${secure:-}" ] || cat "$secure" >>"$dir/kafka$n.properties"
		kafka_java kafka.tools.StorageTool format -t 5L6g3nShT-eMCtK--X86sw \
			-c "$dir/kafka$n.properties" >"$dir/format$n" 2>&1 || {
			cat "$dir/format$n" >&2
			exit 1
		}
		kafka_run "$n"
		n=$((n + 1))
	done
	n=1
	while [ "$n" -le "$kafka_nodes" ]; do
		kafka_wait "$n"
		n=$((n + 1))
	done
}

kafka_run() {
	# java itself, not a shell around it: it is to be killed
	(
		kafka_exec="exec"
		kafka_java kafka.Kafka "$dir/kafka$1.properties"
	) >>"$dir/kafka$1.log" 2>&1 &
	eval "kafka_pid$1=$!"
}

kafka_wait() {
	i=0
	until kafka_java org.apache.kafka.tools.TopicCommand --list \
		--bootstrap-server "127.0.0.1:$((kafka_base + $1))" \
		>"$dir/list" 2>&1; do
		i=$((i + 1))
		[ "$i" -lt 20 ] || {
			tail -20 "$dir/kafka$1.log" "$dir/list" >&2
			echo "kafka.sh: broker $1 does not come up" >&2
			exit 1
		}
		sleep 1
	done
}

# kafka_kill NODE [SIGNAL]
kafka_kill() {
	eval "pid=\${kafka_pid$1:-}"
	[ -n "$pid" ] || return 0
	kill "-${2:-9}" "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	eval "kafka_pid$1="
}

kafka_stop() {
	while [ "$kafka_nodes" -gt 0 ]; do
		kafka_kill "$kafka_nodes"
		kafka_nodes=$((kafka_nodes - 1))
	done
}
