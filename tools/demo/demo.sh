#!/bin/bash
# demo.sh BUILD - a whole ceremony, from three fresh crypto units to verified
# evidence, and EP11 operations with the master key that it leaves, in
# BUILD/demo (removed first):
#   state/  collected/  transcript.md  events.jsonl  ep11/
set -euo pipefail
umask 077

if [ $# -ne 1 ]; then
	echo "usage: demo.sh BUILD" >&2
	exit 2
fi
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
dir=$build/demo
bin=$build/bin
work=$dir/ceremony
daemon=
collector=

say() {
	printf '\n== %s\n' "$*"
}

die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

stop() {
	local pid=$1

	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

cleanup() {
	stop "$daemon"
	stop "$collector"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ready FILE PID WHAT - wait for the line that says so
ready() {
	local i

	for i in $(seq 1 300); do
		if grep -q ready "$1"; then
			return 0
		fi
		kill -0 "$2" 2>/dev/null || break
		sleep 0.1
	done
	cat "$1" "${1%.out}.err" >&2
	die "$3 did not get ready (after $i tries)"
}

# key_part NAME HOLDER - clear value in hex, by openssl and not by our code
key_part() {
	local file pw salt iterations sealed key

	file=$(grep -l "\"description\": \"$1\"" "$work"/files/*.mkpart)
	pw=$(cat "$work/passwords/$2")
	salt=$(jq -r .seaSalt "$file")
	iterations=$(jq -r .iterations "$file")
	sealed=$(jq -r .enckey "$file")
	key=$(openssl kdf -keylen 32 -kdfopt digest:SHA256 \
		-kdfopt "pass:$pw" -kdfopt "hexsalt:$salt" \
		-kdfopt "iter:$iterations" PBKDF2 | tr -d ':\n')
	# the body of AES-256-GCM is counter mode from block 2 on
	hex_to_bytes "${sealed:24:64}" |
		openssl enc -d -aes-256-ctr -K "$key" \
			-iv "${sealed:0:24}00000002" |
		bytes_to_hex
}

hex_to_bytes() {
	printf '%b' "$(printf '%s' "$1" | sed 's/../\\x&/g')"
}

bytes_to_hex() {
	od -An -v -tx1 | tr -d ' \n'
}

# pattern HEX - SHA-256(01 || key), the last four bytes zero
pattern() {
	local digest

	digest=$(hex_to_bytes "01$1" | openssl dgst -sha256 -r | cut -c1-56)
	printf '%s00000000' "$digest"
}

xor() {
	local i out=

	for ((i = 0; i < 64; i += 2)); do
		out+=$(printf '%02x' $((16#${1:i:2} ^ 16#${2:i:2})))
	done
	printf '%s' "$out"
}

# same WHAT EXPECTED GOT
same() {
	[ "$2" = "$3" ] || die "$1: openssl says $2, found $3"
	printf '%-34s %s\n' "$1" "$2"
}

say "three crypto units, a collector, the daemon"
rm -rf "$dir"
mkdir -p "$work/passwords" "$dir/collected"
"$bin/cryptounitd" init "$dir/state" --units operational=2,recovery=1
"$bin/hsa" collect --listen "unix:$dir/state/collect.sock" \
	--out "$dir/collected" --key "$dir/state/checkpoint.pub" \
	>"$dir/collect.out" 2>"$dir/collect.err" &
collector=$!
ready "$dir/collect.out" "$collector" "hsa collect"
"$bin/cryptounitd" run "$dir/state" >"$dir/daemon.out" 2>"$dir/daemon.err" &
daemon=$!
ready "$dir/daemon.out" "$daemon" "cryptounitd"
cat "$dir/daemon.out"

say "ceremony"
for who in 1 2 3 4 5 6 7 8 9; do
	openssl rand -hex 16 >"$work/passwords/admin$who"
done
for who in 1 2; do
	openssl rand -hex 16 >"$work/passwords/custodian$who"
done
cp "$here/demo.yaml" "$work/ceremony.yaml"
"$bin/tke" ceremony run "$work/ceremony.yaml" --state "$dir/state" \
	--collected "$dir/collected" \
	--checkpoint-keys "$dir/state/checkpoint.pub" \
	--transcript "$dir/transcript.md"

say "what the units say now"
"$bin/tke" cryptounit-add all --state "$dir/state" --files "$work/files"
"$bin/tke" cryptounit-mk --state "$dir/state" --files "$work/files" \
	--json >"$dir/registers.json"
"$bin/tke" cryptounit-compare --state "$dir/state" --files "$work/files"

say "EP11 operations: keys under the new master key"
mkdir -p "$dir/ep11"
cd "$dir/ep11"
op1=unix:$dir/state/units/operational-1/unit.sock
op2=unix:$dir/state/units/operational-2/unit.sock
export EP11_UNIT=$op1 EP11_INITIATOR=IBMid-550000DEMO
printf 'to be signed\n' >text
# run COMMAND... - shown, then done
run() {
	printf '$ %s\n' "$*"
	"$@"
}
PATH=$bin:$PATH
run ep11 generate ec --curve P-256 --out sign.key --public sign.pub
run ep11 sign --key sign.key --mechanism ECDSA_SHA256 --in text --out text.sig
run ep11 verify --key sign.pub --mechanism ECDSA_SHA256 --in text \
	--signature text.sig
run ep11 export-public --key sign.pub --out sign.pem
# openssl wants the signature as DER
raw=$(bytes_to_hex <text.sig)
printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' \
	"${raw:0:64}" "${raw:64:64}" >sig.cnf
openssl asn1parse -genconf sig.cnf -out text.der -noout
printf 'openssl says: '
openssl dgst -sha256 -verify sign.pem -signature text.der text
run ep11 generate aes --bits 256 --out data.key
iv=000102030405060708090a0b
run ep11 encrypt --key data.key --mechanism AES_GCM --param iv=$iv \
	--in text --out text.enc
printf 'the second unit has the same master key, so the same blob works there\n'
run ep11 --unit "$op2" decrypt --key data.key --mechanism AES_GCM \
	--param iv=$iv --in text.enc --out text.dec
cmp text text.dec
printf 'a changed key blob is refused, and the refusal is an event\n'
cp data.key bad.key
printf x | dd of=bad.key bs=1 seek=90 conv=notrunc status=none
! run ep11 encrypt --key bad.key --mechanism AES_GCM --param iv=$iv \
	--in text --out bad.enc || die "a changed key blob was accepted"

say "a keystore"
store=$(ep11 create demo --json | jq -r .id)
key=$(ep11 store "$store" --key data.key --label data --json | jq -r .id)
run ep11 keys "$store"
run ep11 update "$store" "$key" --label data-2026
run ep11 stores
run ep11 remove "$store" "$key"
run ep11 delete "$store"
cd - >/dev/null
unset EP11_UNIT

say "stop, verify, export"
stop "$daemon"
daemon=
stop "$collector"
collector=
"$bin/hsa" verify --key "$dir/state/checkpoint.pub" "$dir/state" \
	"$dir/collected"
"$bin/hsa" export --format ibm-at "$dir/collected" >"$dir/events.jsonl"
printf '%s events in %s\n' "$(wc -l <"$dir/events.jsonl")" "$dir/events.jsonl"
"$bin/hsa" validate --strict --units 3 "$dir/events.jsonl"
"$bin/hsa" validate --strict --units 3 "$dir/state"
"$bin/hsa" validate --profile unit --key "$dir/state/checkpoint.pub" \
	"$dir/collected"

say "verification patterns, computed again with openssl"
first_a=$(key_part first-a custodian1)
first_b=$(key_part first-b custodian2)
second_a=$(key_part second-a custodian1)
second_b=$(key_part second-b custodian2)
declare -A whole
whole[first]=$(pattern "$(xor "$first_a" "$first_b")")
whole[second]=$(pattern "$(xor "$second_a" "$second_b")")
register=hs-crypto.tke-cryptounit-master-key-register
count=$(jq -s "[.[] | select(.action == \"$register.activate\" and
	.outcome == \"success\")] | length" "$dir/events.jsonl")
[ "$count" -eq 6 ] || die "6 activations expected, $count found"
for unit in 0 1 2; do
	same "unit $((unit + 1)), current register" "${whole[second]}" \
		"$(jq -r ".[$unit].current.verificationPattern" \
			"$dir/registers.json")"
done
for key in first second; do
	a=${key}_a
	b=${key}_b
	want=${whole[$key]}
	ids="$(pattern "${!a}") $(pattern "${!b}")"
	got=$(jq -r "select(.action == \"$register.add\" and
		.outcome == \"success\" and
		.responseData.verificationPattern == \"$want\") |
		.requestData.masterKeyIds | join(\" \")" "$dir/events.jsonl" |
		sort -u)
	same "key parts of the $key key" "$ids" "$got"
	got=$(jq -r "select(.action == \"$register.activate\" and
		.outcome == \"success\" and
		.requestData.verificationPattern == \"$want\") |
		.responseData.verificationPattern" "$dir/events.jsonl" |
		sort -u)
	same "activated, $key key" "$want" "$got"
done

say "every TKE action succeeded, and six refusals are on record"
jq -r 'select(.outcome == "success" and (.action | startswith("hs-crypto.tke")))
	| .action' "$dir/events.jsonl" | sort | uniq -c | tee "$dir/actions.txt"
[ "$(wc -l <"$dir/actions.txt")" -eq 9 ] || die "not all nine actions succeeded"
jq -r 'select(.outcome == "failure" and (.action | startswith("hs-crypto.tke")))
	| .reason.reasonForFailure' "$dir/events.jsonl" |
	sort | uniq -c | tee "$dir/refusals.txt"
[ "$(wc -l <"$dir/refusals.txt")" -eq 6 ] || die "not all six refusals happened"

say "what the EP11 operations and the keystore left"
jq -r 'select(.action | startswith("hs-crypto.tke") | not) |
	[.action, .outcome, (.reason.reasonCode | tostring)] | join(" ")' \
	"$dir/events.jsonl" | sort | uniq -c
"$bin/hsa" tail "$dir/collected" | grep ' hs-crypto.ep11.use ' | tail -3
printf 'one of them, as a consumer gets it:\n'
jq 'select(.action == "hs-crypto.ep11.use" and .outcome == "failure")' \
	"$dir/events.jsonl"

say "done: $dir/transcript.md, $dir/events.jsonl"
