#!/bin/sh
# test_tlog.sh - Go's transparency log code (golang.org/x/mod/sumdb) reads what
# this project writes, and the other way round: checkpoints, every record in
# every checkpoint, every pair of checkpoints, tiles, cosignatures. RECORDS of
# each log that all pairs are made of (300), TILES in the one that is exported.
set -eu
build=${CU_BUILD:-build}
hsa=$(cd "$build" && pwd)/bin/hsa
peer=$(cd "$build" && pwd)/tests/interop/tlog_peer
go=${GO:-go}
records=${RECORDS:-300}
tiles=${TILES:-70000}
dir=$(mktemp -d /tmp/cu-tlog-XXXXXX)
trap 'rm -rf "$dir"' EXIT
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
gotest() {
	(cd tests/interop/tlog && TLOG_DIR=$dir "$go" test -count=1 -v \
		-run "$1" .) >"$dir/go.out" 2>&1 ||
		{ cat "$dir/go.out" >&2; fail "go test -run $1"; }
	grep '^COUNT' "$dir/go.out" || true
}
"$go" version

# logs: by the real sealer, and with compact records, a checkpoint each record
mkdir "$dir/sealed" "$dir/calls" "$dir/large"
"$peer" seal "$dir/sealed" "$records" 1
"$peer" calls "$dir/calls" "$records"
"$peer" seal "$dir/large" "$tiles" 1000
"$peer" cosign "$dir"
for log in sealed calls; do
	"$peer" prove "$dir/$log"
	mkdir "$dir/$log/prove"
	n=0
	all=$(wc -l <"$dir/$log/log/head") # only to fail where there is none
	[ "$all" -gt 0 ] || fail "no head"
	all=$("$hsa" verify --json --key "$dir/$log/pub" "$dir/$log/log" |
		jq .records)
	set --
	while [ "$n" -lt "$all" ]; do
		want 0 "$hsa" prove --sequence "$n" --key "$dir/$log/pub" \
			--out "$dir/$log/prove/$n.tlog-proof" "$dir/$log/log"
		set -- "$@" --proof "$dir/$log/prove/$n.tlog-proof"
		n=$((n + 1))
	done
	want 0 "$hsa" verify --key "$dir/$log/pub" "$@"
	says "verify: $all proofs, OK"
	# the other log's key proves nothing of this one
	for other in sealed calls; do
		[ "$other" = "$log" ] || want 1 "$hsa" verify --quiet \
			--key "$dir/$other/pub" "$@"
	done
done
want 0 "$hsa" export --tlog-tiles "$dir/large/tiles" --key "$dir/large/pub" \
	"$dir/large/log"
want 0 "$hsa" export --tlog-tiles "$dir/calls/tiles" --key "$dir/calls/pub" \
	"$dir/calls/log"

# theirs reads ours
gotest 'TestOur|TestTiles|TestCosign'
# ours reads theirs
gotest TestTheirProofs
for log in sealed calls; do
	d=$dir/$log
	"$peer" check "$d/theirs.pub" "$d/records" "$d/theirs"
	# theirs as an anchor: the same tree, and a signature of Go's
	want 2 "$hsa" verify --key "$d/pub" --anchor "$d/theirs.checkpoint" \
		"$d/log"
	says "not signed by the key"
	want 0 "$hsa" verify --key "$d/pub" --anchor "$d/cosigned" \
		--witness "$d/go.witness" "$d/log"
	says "by 2 of the witnesses"
	want 0 "$hsa" prove --sequence 5 --to "$d/cosigned" --key "$d/pub" \
		--out "$dir/five" "$d/log"
	want 0 "$hsa" verify --proof "$dir/five" --key "$d/pub" \
		--witness "$d/go.witness" --witnesses 2
	# a witness' line of the one log is none for the other
	for other in sealed calls; do
		[ "$other" != "$log" ] || continue
		{ cat "$dir/$other/cosigned" && grep go1 "$d/cosigned"; } \
			>"$dir/mixed"
		want 1 "$hsa" verify --key "$dir/$other/pub" \
			--anchor "$dir/mixed" --witness "$d/go.witness" \
			"$dir/$other/log"
		says "is not good"
	done
done
echo "1 passed, 0 failed"
