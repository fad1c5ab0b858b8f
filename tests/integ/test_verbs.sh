#!/bin/sh
# test_verbs.sh - a ceremony by hand, verb after verb, as the README shows it:
# over the unix socket, then over loopback TCP with a token; then what the
# units recorded. Every expectation is written down here, none is derived.
set -eu
build=${CU_BUILD:-build}
PATH=$(cd "$build/bin" && pwd):$PATH
dir=$(mktemp -d /tmp/cu-verbs-XXXXXX)
daemon=
collector=
cleanup() {
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
	[ -z "$collector" ] || { kill "$collector" && wait "$collector"; } ||
		true
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
umask 077
checks=0
fail() {
	echo "FAILED: $*" >&2
	exit 1
}
# want STATUS COMMAND... - run it, expect that exit status; output in $dir/out
want() {
	expect=$1
	shift
	got=0
	"$@" >"$dir/out" 2>&1 </dev/null || got=$?
	checks=$((checks + 1))
	[ "$got" = "$expect" ] || {
		cat "$dir/out" >&2
		fail "exit $got instead of $expect: $*"
	}
}
# says TEXT - the last command's output has it
says() {
	checks=$((checks + 1))
	grep -qF -- "$1" "$dir/out" || {
		cat "$dir/out" >&2
		fail "not said: $1"
	}
}
wait_ready() {
	for _ in $(seq 1 200); do
		! grep -q ready "$1" || return 0
		sleep 0.1
	done
	cat "$1" >&2
	fail "not ready"
}
json() { # json EXPECTED FILTER - of the last command's output
	checks=$((checks + 1))
	got=$(jq -r "$2" "$dir/out")
	[ "$got" = "$1" ] || fail "$2 is '$got', not '$1'"
}

# cryptounitd holds the tokens: see TOKEN_ASAN_OPTIONS in the Makefile
daemon_run() {
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:${TOKEN_ASAN_OPTIONS:-} \
		cryptounitd "$@"
}

port=$((20000 + $$ % 20000))
st=$dir/state
want 0 daemon_run init "$st" --units operational=1,recovery=1 \
	--admin-listen 127.0.0.1:$port
want 1 daemon_run init "$st"
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
sum=$(printf %s "$token" | sha256sum | cut -d' ' -f1)
printf '%s\n' "$token" >"$dir/token"
python3 - "$st/config.yaml" "$sum" <<'P'
import sys
p, s = sys.argv[1:]
t = open(p).read().replace("identities:\n", "identities:\n"
    '  - id: "IBMid-0000000002"\n    name: "remote@example.com"\n'
    '    token_sha256: "%s"\n' % s, 1)
open(p, "w").write(t)
P

hsa collect --listen "unix:$st/collect.sock" --out "$dir/events" \
	--key "$st/checkpoint.pub" >"$dir/collect.out" 2>&1 &
collector=$!
wait_ready "$dir/collect.out"
ASAN_OPTIONS=${ASAN_OPTIONS:-}:${TOKEN_ASAN_OPTIONS:-} \
	cryptounitd run "$st" >"$dir/run.out" 2>"$dir/run.err" &
daemon=$!
wait_ready "$dir/run.out"

export CLOUDTKEFILES="$dir/files"
echo "correct horse battery" >"$dir/pw"
local_tke="tke --state $st --password-file $dir/pw"
# the units' and the files' options may stand before any verb
# shellcheck disable=SC2086
t() { tke_status=$1; shift; want "$tke_status" $local_tke "$@"; }

t 0 cryptounits --json
json 2 '.cryptounits | length'
t 0 cryptounit-add 1 2
t 0 sigkey-add --name alice
t 0 sigkey-add --name bob --type rsa2048
t 2 sigkey-add --name alice
t 0 sigkeys --json
json "alice bob" '[.[].name] | sort | join(" ")'
t 0 sigkey-sel alice bob
want 2 tke --state "$st" sigkey-add --name carol
says "--password-file"

t 0 cryptounit-admin-add alice
t 0 cryptounit-admin-add bob
t 1 cryptounit-admin-add bob
says "256"
t 0 cryptounit-thrhld-set --signature 2 --revocation 2
t 0 cryptounit-thrhlds --json
json "2 2" '[.[].signatureThreshold | tostring] | join(" ")'
t 1 cryptounit-thrhld-set --signature 3 --revocation 2
says "209"

printf '%064d\n' 1 >"$dir/value"
t 0 mk-add --value "$dir/value" --description first
t 0 mk-add --random --description second
t 0 mks --json
json 2 length
pattern=$(printf '01%064d' 1 | python3 -c 'import sys,hashlib
print(hashlib.sha256(bytes.fromhex(sys.stdin.read())).hexdigest()[:56]+8*"0")')
json "$pattern" '.[] | select(.description=="first") | .id'

t 1 cryptounit-mk-commit
says "101"
t 0 cryptounit-mk-load first second
t 1 cryptounit-mk-setimm --yes
t 1 cryptounit-mk-commit --sign alice
says "208"
t 0 cryptounit-mk-commit
t 2 cryptounit-mk-setimm
says "--yes"
t 0 cryptounit-mk-setimm --yes
t 0 cryptounit-mk --json
json "Valid Valid" '[.[].current.status] | join(" ")'
t 0 cryptounit-compare
t 0 cryptounit-cp-delete 16 21
t 0 cryptounit-cps --json
json "fffd7bffffffffff0ff07fffffffffff" '[.[].controlPoints] | unique | join(" ")'
t 0 cryptounit-cps
says "14 16 21 64"
t 1 cryptounit-cp-add 65
says "reason code 45"
t 1 cryptounit-cp-add 16 --sign alice
says "208"
t 2 cryptounit-cp-add 81
t 2 cryptounit-cp-add 16x
t 0 cryptounit-cp-add 16 21
t 0 cryptounit-mk-clrcur --yes
t 0 cryptounit-admins --json
json "2 2" '[.[].administrators | length | tostring] | join(" ")'

# the same units over TCP: the token decides who it was
tcp="--server http://127.0.0.1:$port --oa-root $st/oa-root.pem"
# shellcheck disable=SC2086
want 0 tke $tcp --token-file "$dir/token" --password-file "$dir/pw" \
	cryptounit-zeroize --yes
# shellcheck disable=SC2086
want 1 tke $tcp cryptounits
says "401"
echo wrong >"$dir/wrong"
# shellcheck disable=SC2086
want 1 tke $tcp --token-file "$dir/wrong" cryptounits
says "401"

# what the collector has not got yet when all stops it gets the next time, and
# nothing here would start them again
for _ in $(seq 1 300); do
	want 0 cryptounitd status "$st" --json
	! jq -e '[.units[] | .collectors[].acknowledged == .logSize] | all' \
		"$dir/out" >/dev/null || break
	sleep 0.1
done
json true '[.units[] | .collectors[].acknowledged == .logSize] | all'
kill "$daemon"
wait "$daemon" || fail "cryptounitd did not stop in order"
daemon=
kill "$collector"
wait "$collector" || fail "hsa collect did not stop in order"
collector=

want 0 hsa verify "$st" "$dir/events"
says "OK"
want 0 hsa export --format ibm-at "$dir/events"
json '' 'select(.severity != "critical" or has("correlationId"))'
cp "$dir/out" "$dir/events.jsonl"
want 0 hsa validate --strict "$dir/events.jsonl"
# the logs as they are: what records say of their events, too
want 0 hsa validate --profile unit "$st"
want 0 hsa validate --profile unit --key "$st/checkpoint.pub" "$dir/events"
count() { # count N FILTER - events for which it holds
	checks=$((checks + 1))
	n=$(jq -s "[.[] | select($2)] | length" "$dir/events.jsonl")
	[ "$n" = "$1" ] || fail "$n events instead of $1: $2"
}
a=hs-crypto.tke-cryptounit
count 4 ".action==\"$a-admin.add\" and .outcome==\"success\""
count 2 ".action==\"$a-admin.add\" and .outcome==\"failure\""
count 2 ".action==\"$a-threshold.set\" and .outcome==\"success\""
count 2 ".action==\"$a-threshold.set\" and .outcome==\"failure\""
count 2 ".action==\"$a-master-key-register.add\" and .outcome==\"success\""
count 2 ".action==\"$a-master-key-register.commit\" and .outcome==\"success\""
count 4 ".action==\"$a-master-key-register.commit\" and .outcome==\"failure\""
count 2 ".action==\"$a-master-key-register.activate\" and .outcome==\"success\""
count 2 ".action==\"$a-master-key-register.activate\" and .outcome==\"failure\""
count 2 ".action==\"$a-current-master-key-register.clear\""
count 2 ".action==\"$a.reset\""
count 2 '.initiator.id=="IBMid-0000000002" and .initiator.credential.type=="token"'
count 26 'true'
echo "COUNT checks of verbs and events: $checks"
