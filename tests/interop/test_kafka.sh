#!/bin/sh
# test_kafka.sh - hsa collect into a real Apache Kafka: the collector is killed
# again and again, a broker of three is killed, the only broker goes away and
# comes back; then Kafka's own consumer, which sees committed transactions
# only, has each sequence of each unit exactly once and in order.
# KAFKA_EVENTS, KAFKA_KILLS, KAFKA_EVENTS3, KAFKA_SEED choose the run.
set -eu
build=$(cd "${CU_BUILD:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
events=${KAFKA_EVENTS:-50000}
kills=${KAFKA_KILLS:-5}
events3=${KAFKA_EVENTS3:-20000}
seed=${KAFKA_SEED:-1}
dir=$(mktemp -d "${TMPDIR:-/tmp}/cu-kafka-XXXXXX")
collector=
zombie=
feeder=
# shellcheck source=tests/interop/kafka.sh
. "$here/kafka.sh"
cleanup() {
	[ -z "$collector" ] || kill -9 "$collector" 2>/dev/null || true
	[ -z "$zombie" ] || kill -9 "$zombie" 2>/dev/null || true
	[ -z "$feeder" ] || kill -9 "$feeder" 2>/dev/null || true
	kafka_stop
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
fail() {
	echo "FAILED: $*" >&2
	tail -20 "$dir"/collect.log "$dir"/kafka*.log >&2 2>/dev/null || true
	exit 1
}

# ---- pieces ------------------------------------------------------------------

# feed UNITS RECORDS-EACH RATE - into a fresh collector's folder
feed() {
	units=$1
	each=$2
	rm -rf "$dir/out" "$dir/sock" "$dir/collect.log" "$dir/feed.log"
	: >"$dir/collect.log"
	"$build/tests/interop/feed" "$dir/sock" "$units" "$each" 500 "$3" \
		"$dir/keys" >"$dir/feed.log" 2>&1 &
	feeder=$!
	until grep -qs ready "$dir/feed.log"; do sleep 0.05; done
}
# collect TOPIC - as protobuf, and as JSON into TOPIC-json
collect() {
	"$build/bin/hsa" collect --quiet --listen "unix:$dir/sock" \
		--out "$dir/out" --key "$dir/keys" \
		--sink "kafka://$bootstrap/$1" \
		--sink "kafka://$bootstrap/$1-json?format=ibm-at" \
		--kafka-option linger.ms=1 \
		--kafka-option compression.codec=lz4 \
		>"$dir/ready" 2>>"$dir/collect.log" &
	collector=$!
}
is_ready() {
	until grep -qs ready "$dir/ready"; do sleep 0.05; done
}
kill_collector() {
	kill -0 "$collector" 2>/dev/null || fail "the collector ended by itself"
	kill -9 "$collector"
	wait "$collector" 2>/dev/null || true
	collector=
}
# what the sink has, of all units, by its own cursor
passed() {
	cat "$dir"/out/sinks/* 2>/dev/null | awk '
		$1 == "sink" { s++ }
		$1 == "unit" { n[s] += $3 }
		END { print (n[1] < n[2] ? n[1] : n[2]) + 0 }'
}
stored() {
	cat "$dir"/out/*-*/head 2>/dev/null |
		awk '/^cryptounit/ { getline; n += $1 } END { print n + 0 }'
}
# until FUNCTION VALUE SECONDS
until_is() {
	i=0
	until [ "$($1)" -ge "$2" ]; do
		i=$((i + 1))
		[ "$i" -lt $(($3 * 5)) ] ||
			fail "$1: $($1) after $3 s instead of $2"
		kill -0 "$collector" 2>/dev/null || {
			code=0
			wait "$collector" || code=$?
			fail "the collector ended by itself, $code"
		}
		sleep 0.2
	done
}
finish_feed() {
	wait "$feeder" || { cat "$dir/feed.log" >&2; fail "the feeder"; }
	feeder=
}
# numbers FROM TO COUNT SEED - in milliseconds, as seconds
numbers() {
	awk -v a="$1" -v b="$2" -v n="$3" -v s="$4" 'BEGIN {
		srand(s)
		while (n-- > 0)
			printf "%.3f\n", (a + int(rand() * (b - a))) / 1000 }'
}
# consume TOPIC ISOLATION [VALUE] - partition, headers, key of each record
consume() {
	kafka_java org.apache.kafka.tools.consumer.ConsoleConsumer \
		--bootstrap-server "$bootstrap" --topic "$1" --from-beginning \
		--isolation-level "$2" --timeout-ms 10000 \
		--property print.partition=true --property print.headers=true \
		--property print.key=true \
		--property print.value="${3:-false}" \
		2>"$dir/consumer.err" || true
}
# check TOPIC NAME - each sequence of each unit once, in order, by the headers
check() {
	consume "$1" read_committed | awk -F '\t' -v units="$units" \
		-v each="$each" -v name="$2" '
	{
		if (NF != 3 || !match($2, /sequence:[0-9]+/)) {
			print "no sequence: " $0
			exit bad = 1
		}
		s = substr($2, RSTART + 9, RLENGTH - 9) + 0
		n++
		if (s < next_of[$3] + 0)
			double++
		else if (s > next_of[$3] + 0)
			gaps++
		next_of[$3] = s + 1
		if ($3 in part && part[$3] != $1)
			moved++
		part[$3] = $1
		if ($2 !~ /^type:audit,/)
			odd++
	}
	END {
		for (u in next_of) {
			seen++
			if (next_of[u] != each)
				short++
		}
		printf "COUNT %s: %d events of %d units in Kafka, %d twice, ", \
			name, n, seen, double
		printf "%d missing or out of order, %d units not complete\n", \
			gaps, short
		exit bad || n != units * each || seen != units || double || \
			gaps || short || moved || odd
	}' || fail "$2: not exactly once and in order"
	n=$(consume "$1" read_uncommitted | wc -l)
	echo "COUNT $2: $((n - units * each)) more of aborted transactions," \
		"which no reader of committed ones sees"
}
# events TOPIC NAME - each call a complete event of its own: all but the two
# records that begin each 20,000 of a unit
events() {
	want=$((units * (each - 2 * ((each + 19999) / 20000))))
	consume "$1-json" read_committed true | cut -f 4 |
		jq -r '[.action, .outcome, .id, .correlationId,
			.initiator.name, .eventTime] | @tsv' >"$dir/events"
	n=$(sort -u "$dir/events" | awk -F '\t' 'NF == 6 &&
		$1 == "hs-crypto.ep11.use" && $5 == "a@example.com"' | wc -l)
	echo "COUNT $2: $n different complete events as JSON"
	[ "$n" = "$want" ] || fail "$2: $want events expected"
	n=$(wc -l <"$dir/events")
	[ "$n" = "$want" ] || fail "$2: $n lines instead of $want"
}
memory() {
	awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$collector/status"
}

# ---- one broker, the collector killed ------------------------------------------

kafka_jars
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$dir/broker.key" -out "$dir/broker.pem" 2>/dev/null
cat "$dir/broker.key" "$dir/broker.pem" >"$dir/broker.both"
secure=$dir/secure.properties
cat >"$secure" <<EOF
ssl.keystore.type=PEM
ssl.keystore.location=$dir/broker.both
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_hsa="right";
EOF
kafka_start 1
# so fast that the kills fall into the work
feed 4 $((events / 4)) $((events * 8 / (kills * 13 + 1)))
busy=0
for life in $(numbers 700 1900 "$kills" "$seed"); do
	collect audit
	sleep "$life"
	[ "$(passed)" -ge "$events" ] || busy=$((busy + 1))
	kill_collector
done
collect audit
until_is passed $((units * each)) 300
finish_feed
is_ready
kill -TERM "$collector"
wait "$collector" || fail "the collector's end"
collector=
echo "COUNT collector killed $kills times, $busy of them with events to pass" \
	"on; $(sed -n 's/.*, \([0-9]*\) connections/\1/p' "$dir/feed.log")" \
	"connections of units"
[ "$busy" -ge $((kills * 3 / 4)) ] || fail "the kills came too late"
check audit killed
events audit killed

# ---- the only broker goes away -------------------------------------------------

feed 2 10000 8000
collect away
until_is passed 2000 60
kafka_kill 1
echo "COUNT broker away: killed at $(passed) of $((2 * each)) events"
until_is stored $((units * each)) 60
finish_feed
[ "$(passed)" -lt $((units * each)) ] || fail "the broker was not away"
echo "COUNT broker away: all $(stored) acknowledged to the units without it," \
	"collector's memory $(memory) MiB at most"
i=0
until grep -q "trying again" "$dir/collect.log"; do
	i=$((i + 1))
	[ "$i" -lt 45 ] || fail "nothing was said"
	sleep 1
done
kafka_run 1
kafka_wait 1
until_is passed $((units * each)) 180
kill_collector
check away "broker away"
events away "broker away"

# ---- a collector that was thought dead comes back -------------------------------

feed 2 60000 0
collect zombie
until_is passed 2000 60
kill -STOP "$collector"
zombie=$collector
echo "COUNT two collectors: one stopped at $(passed) of $((units * each))"
kill -9 "$feeder" 2>/dev/null || true
wait "$feeder" 2>/dev/null || true
mv "$dir/out" "$dir/out.zombie"
mv "$dir/collect.log" "$dir/collect.zombie"
# another one, which knows nothing but what the brokers tell it
feed 2 60000 0
collect zombie
is_ready
until_is passed $((units * each)) 120
kill -CONT "$zombie"
i=0
until grep -q "another collector\|enced" "$dir/collect.zombie"; do
	i=$((i + 1))
	[ "$i" -lt 60 ] || fail "nothing was said of another collector"
	sleep 1
done
finish_feed
kill -9 "$zombie"
wait "$zombie" 2>/dev/null || true
zombie=
kill_collector
check zombie "two collectors"

# ---- TLS and a password ------------------------------------------------------------

# secured PASSWORD
secured() {
	(
		umask 077
		printf '# secrets\nsasl.username=hsa\nsasl.password=%s\n' \
			"$1" >"$dir/secrets"
	)
	"$build/bin/hsa" collect --listen "unix:$dir/sock" --out "$dir/out" \
		--key "$dir/keys" \
		--sink "kafka://localhost:$((kafka_base + 21))/secure" \
		--kafka-option security.protocol=SASL_SSL \
		--kafka-option sasl.mechanism=PLAIN \
		--kafka-option broker.address.family=v4 \
		--kafka-option ssl.ca.location="$dir/broker.pem" \
		--kafka-options "$dir/secrets" \
		>"$dir/ready" 2>>"$dir/collect.log" &
	collector=$!
}
feed 2 2000 0
secured wrong
i=0
until grep -qi "authentication failed" "$dir/collect.log"; do
	i=$((i + 1))
	[ "$i" -lt 40 ] || fail "the wrong password was not noticed"
	sleep 1
done
grep -q wrong "$dir/collect.log" && fail "the password is in the log"
finish_feed
kill_collector
secured right
i=0
until [ "$(awk '$1 == "unit" { n += $3 } END { print n + 0 }' \
	"$dir"/out/sinks/* 2>/dev/null)" = $((units * each)) ]; do
	i=$((i + 1))
	[ "$i" -lt 60 ] || fail "not everything over SASL_SSL"
	sleep 1
done
kill_collector
check secure "SASL_SSL"
kafka_stop
secure=

# ---- three brokers, one killed ---------------------------------------------------

rm -rf "$dir"/kafka*
heap=384m
kafka_start 3
heap=512m
feed 2 $((events3 / 2)) $((events3 / 20))
collect audit3
until_is passed $((events3 / 5)) 120
# the one that leads the partition of the first unit
node=$(kafka_java org.apache.kafka.tools.TopicCommand --describe \
	--topic audit3 --bootstrap-server "$bootstrap" 2>/dev/null |
	awk '/Partition: 1/ { for (i = 1; i < NF; i++)
		if ($i == "Leader:") print $(i + 1) }')
kafka_kill "$node"
echo "COUNT three brokers: number $node killed at $(passed) of $events3 events"
sleep 1
kill_collector
collect audit3
until_is passed $((units * each)) 300
finish_feed
kill_collector
check audit3 "three brokers"
events audit3 "three brokers"
kafka_stop
echo "kafka: OK"
