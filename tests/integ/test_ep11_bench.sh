#!/bin/sh
# test_ep11_bench.sh - the benchmark on a real unit: it measures, its numbers
# fit each other, and the unit's log tells of every call - by an event, or by
# the count of those that left none.
set -eu
build=${CU_BUILD:-build}
bin=$(cd "$build" && pwd)/bin
dir=$(mktemp -d /tmp/cu-bench-XXXXXX)
daemon=
cleanup() {
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
fail() {
	echo "FAILED: $*" >&2
	exit 1
}
# want STATUS COMMAND...
want() {
	expect=$1
	shift
	got=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	[ "$got" = "$expect" ] || {
		cat "$dir/out" "$dir/err" >&2
		fail "exit $got instead of $expect: $*"
	}
}
says() {
	grep -qF -- "$1" "$dir/out" "$dir/err" || {
		cat "$dir/out" "$dir/err" >&2
		fail "not said: $1"
	}
}
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:${TOKEN_ASAN_OPTIONS:-}"

want 2 "$bin/ep11-bench"
says "which installation"
want 2 "$bin/ep11-bench" --state "$dir" --case none
want 2 "$bin/ep11-bench" --state "$dir" --rounds 2
want 2 "$bin/ep11-bench" --state "$dir/none"
says "cryptounitd init"
want 0 "$bin/ep11-bench" --list
says aes-gcm-1k
want 0 "$bin/ep11-bench" --help

# a unit without a master key says what is missing
"$bin/cryptounitd" init "$dir/bare" --units operational=1 >/dev/null
want 1 "$bin/ep11-bench" --state "$dir/bare" --rounds 3
says "run a ceremony"

tools/demo/first-key.sh "$build" "$dir/t" >"$dir/first" 2>&1 ||
	{ cat "$dir/first" >&2; fail "no installation"; }
state=$dir/t/state
want 0 "$bin/ep11-bench" --state "$state" --unit operational-2 --rounds 3 \
	--slice-us 300 --case aes-gcm-1k --case random-32 --json
cp "$dir/out" "$dir/json"
jq -e '.results | length == 2 and all(.[];
	.off_ns > 0 and .direct_ns > 0 and .socket_ns > 0 and .sealed_ns > 0 and
	.off_to_direct > 0 and .calls > 0 and .ring_ns > 0)' \
	"$dir/json" >/dev/null || fail "results are missing"
# five calls make the keys
made=$(jq '[.results[].calls] | add + 5' "$dir/json")
"$bin/hsa" export --format envelope --unit operational-2 "$state" >"$dir/log"
events=$(jq -s '[.[] | select(.event.action == "hs-crypto.ep11.use")] |
	length' "$dir/log")
silent=$(jq -s '[.[] | select(.special.name == "EMISSION_ON") |
	.special.details.calls] | add' "$dir/log")
[ "$events" -gt 0 ] || fail "nothing was sealed"
[ "$silent" -gt 0 ] || fail "nothing was silent"
[ $((events + silent)) = "$made" ] ||
	fail "$made calls, $events events, $silent that left none"
[ "$(jq -s 'map(select(.special.name == "EMISSION_OFF")) | length' \
	"$dir/log")" = "$(jq -s 'map(select(.special.name == "EMISSION_ON")) |
	length' "$dir/log")" ] || fail "emission was left off"
want 0 "$bin/hsa" verify --key "$state/checkpoint.pub" "$state"
want 0 "$bin/hsa" validate --profile unit "$state"
want 0 "$bin/ep11-bench" --state "$state" --rounds 3 --slice-us 200 \
	--threads 4 --case sha256-1k
says "4 callers"
# with another unit at work beside it, whose log tells of it as well
want 0 "$bin/ep11-bench" --state "$state" --unit operational-2 \
	--unit operational-1 --rounds 3 --slice-us 2000 --case random-32 \
	--no-direct --json
jq -e '.results | length == 1 and all(.[]; has("ring_lost_percent"))' \
	"$dir/out" >/dev/null || fail "no other unit"
"$bin/hsa" export --format envelope --unit operational-1 "$state" >"$dir/log1"
[ "$(jq -s 'map(select(.special.name == "EMISSION_OFF")) | length' \
	"$dir/log1")" -gt 3 ] || fail "the other unit did nothing"
[ "$(jq -s 'map(select(.special.name == "EMISSION_OFF")) | length' \
	"$dir/log1")" = "$(jq -s 'map(select(.special.name == "EMISSION_ON")) |
	length' "$dir/log1")" ] || fail "emission of the other was left off"
want 2 "$bin/ep11-bench" --state "$state" --unit operational-2 --unit none
says none
want 1 "$bin/ep11-bench" --state "$state" --unit operational-2 \
	--unit operational-2
says "process"
# with callers: what sealing is of a bare write and sync
want 0 "$bin/ep11-bench" --state "$state" --rounds 3 --slice-us 2000 \
	--callers 8 --case random-32 --json
jq -e '.results | length == 1 and all(.[]; .bare_ns > 0 and
	.sealed_to_bare > 0 and .bytes_per_call > 100 and
	.bytes_per_call < 2000 and has("ring_lost_percent"))' \
	"$dir/out" >/dev/null || fail "no bare way"
# LTTng, where it is; its absence is told
want 1 "$bin/ep11-bench" --state "$state" --rounds 3 --slice-us 300 \
	--case random-32 --no-direct --lttng
says "LTTng-UST is not measured"
lttng=absent
if [ -e "$bin/../lib/libep11-bench-lttng.so" ] && command -v lttng >/dev/null
then
	want 0 tools/ep11-bench/with-lttng.sh "$bin/ep11-bench" \
		--state "$state" --rounds 3 --slice-us 1000 --case random-32 \
		--no-direct --lttng --json
	jq -e '.results[0].lttng_ns > 0' "$dir/out" >/dev/null ||
		fail "LTTng was not measured"
	lttng=measured
fi
echo "LTTng-UST: $lttng"

# not beside the daemon
"$bin/cryptounitd" run "$state" >"$dir/run" 2>&1 &
daemon=$!
for _ in $(seq 1 300); do
	! grep -q ready "$dir/run" || break
	sleep 0.1
done
want 1 "$bin/ep11-bench" --state "$state" --rounds 3
says "process"
echo "COUNT benchmark calls $made: events $events, counted as silent $silent"
