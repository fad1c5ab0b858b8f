#!/bin/sh
# test_rsyslog.sh - hsa collect into rsyslog, over TCP and over TLS with both
# sides' certificates: each event arrives once, in order for its unit, framed
# as rsyslog expects it, its structured data and its JSON whole. RSYSLOG_EVENTS
# chooses how many.
set -eu
build=$(cd "${CU_BUILD:-build}" && pwd)
events=${RSYSLOG_EVENTS:-20000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/cu-rsyslog-XXXXXX")
PATH=$PATH:/usr/sbin
port=${RSYSLOG_PORT:-19514}
pids=
cleanup() {
	for p in $pids; do
		kill "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
fail() {
	echo "FAILED: $*" >&2
	tail -20 "$dir"/*.log >&2 2>/dev/null || true
	exit 1
}
# await FILE LINES SECONDS
await() {
	i=0
	until [ "$(wc -l <"$1")" -ge "$2" ]; do
		i=$((i + 1))
		[ "$i" -lt $(($3 * 5)) ] ||
			fail "$(wc -l <"$1") lines in $1 after $3 s, not $2"
		sleep 0.2
	done
}

# ---- certificates: an authority, the receiver's, the collector's -----------------

umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=logs -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
# issue NAME
issue() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
		-keyout "$dir/$1.key" -out "$dir/$1.csr" 2>/dev/null
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.pem" \
		-CAkey "$dir/ca.key" -CAcreateserial -days 2 \
		-copy_extensions copy -out "$dir/$1.pem" 2>/dev/null
}
issue logs.example.com
issue collector.example.com

# ---- rsyslog, as nobody in particular -----------------------------------------------

cat >"$dir/rsyslog.conf" <<EOF
global(workDirectory="$dir" maxMessageSize="64k"
	defaultNetstreamDriver="ossl"
	defaultNetstreamDriverCAFile="$dir/ca.pem"
	defaultNetstreamDriverCertFile="$dir/logs.example.com.pem"
	defaultNetstreamDriverKeyFile="$dir/logs.example.com.key")
module(load="imtcp")
template(name="line" type="list") {
	property(name="inputname")
	constant(value="\t")
	property(name="pri")
	constant(value="\t")
	property(name="app-name")
	constant(value="\t")
	property(name="procid")
	constant(value="\t")
	property(name="msgid")
	constant(value="\t")
	property(name="structured-data")
	constant(value="\t")
	property(name="msg")
	constant(value="\n")
}
ruleset(name="keep") {
	action(type="omfile" file="$dir/lines" template="line")
}
input(type="imtcp" port="$port" address="127.0.0.1" name="tcp" ruleset="keep")
input(type="imtcp" port="$((port + 1))" address="127.0.0.1" name="tls"
	ruleset="keep" streamDriver.name="ossl" streamDriver.mode="1"
	streamDriver.authMode="x509/name"
	permittedPeer="collector.example.com")
EOF
: >"$dir/lines"
rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/pid" >"$dir/rsyslog.log" 2>&1 &
pids=$!
sleep 1
kill -0 "$pids" || fail "rsyslogd does not start"

# ---- two units through one collector into both ------------------------------------------

"$build/tests/interop/feed" "$dir/sock" 2 $((events / 2)) 500 0 "$dir/keys" \
	>"$dir/feed.log" 2>&1 &
pids="$pids $!"
until grep -qs ready "$dir/feed.log"; do sleep 0.05; done
"$build/bin/hsa" collect --listen "unix:$dir/sock" --out "$dir/out" \
	--key "$dir/keys" --sink "syslog+tcp://127.0.0.1:$port" \
	--sink "syslog+tls://127.0.0.1:$((port + 1))?name=logs.example.com&ca=$dir/ca.pem&cert=$dir/collector.example.com.pem&key=$dir/collector.example.com.key" \
	>"$dir/collect.log" 2>&1 &
collector=$!
pids="$pids $collector"

# all but the two records that begin each 20,000 of a unit are events
each=$((events / 2))
want=$((2 * (each - 2 * ((each + 19999) / 20000))))
await "$dir/lines" $((2 * want)) 60
sleep 1
kill -TERM "$collector"
wait "$collector" || fail "the collector's end"

for how in tcp tls; do
	awk -F '\t' -v how="$how" '
	$1 == how {
		n++
		if (NF != 7 || $2 != 110 || $3 != "cryptounit" ||
		    $5 != "ep11.use" || $7 !~ /^ ?\{"action":.*\}$/ ||
		    !match($6, /sequence="[0-9]+"/))
			odd++
		s = substr($6, RSTART + 10, RLENGTH - 11) + 0
		if ($4 in last && s <= last[$4])
			order++
		last[$4] = s
		units[$4]
	}
	END {
		for (u in units)
			k++
		printf "COUNT rsyslog over %s: %d events of %d units, ", \
			how, n, k
		printf "%d out of order or twice, %d not as sent\n", order, odd
		exit order || odd || k != 2
	}' "$dir/lines" || {
		head -2 "$dir/lines" >&2
		fail "over $how: not as sent"
	}
	n=$(awk -F '\t' -v how="$how" '$1 == how { sub(/^ /, "", $7)
		print $7 }' "$dir/lines" | jq -r .id | sort -u | wc -l)
	[ "$n" = "$want" ] || fail "over $how: $n different ids, not $want"
done
echo "rsyslog: OK"
