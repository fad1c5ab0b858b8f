#!/bin/bash
# test_ep11_cli.sh - the ep11 command against a running unit that holds a
# master key. What it makes is checked by the openssl command, both ways; every
# expectation is written down here.
set -eu
build=${CU_BUILD:-build}
bin=$(cd "$build" && pwd)/bin
top=$(pwd)
dir=$(mktemp -d /tmp/cu-ep11-XXXXXX)
daemon=
cleanup() {
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
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
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	checks=$((checks + 1))
	[ "$got" = "$expect" ] || {
		cat "$dir/out" "$dir/err" >&2
		fail "exit $got instead of $expect: $*"
	}
}
# says TEXT - the last command's message has it
says() {
	checks=$((checks + 1))
	grep -qF -- "$1" "$dir/out" "$dir/err" || {
		cat "$dir/out" "$dir/err" >&2
		fail "not said: $1"
	}
}
json() { # json EXPECTED FILTER - of the last command's output
	checks=$((checks + 1))
	got=$(jq -r "$2" "$dir/out")
	[ "$got" = "$1" ] || fail "$2 is '$got', not '$1'"
}
same() { # same FILE FILE
	checks=$((checks + 1))
	cmp "$1" "$2" || fail "$1 and $2 differ"
}
ep() {
	"$bin/ep11" "$@"
}

CU_ASAN=${ASAN_OPTIONS:-}
export ASAN_OPTIONS=$CU_ASAN:${TOKEN_ASAN_OPTIONS:-}
"$top/tools/demo/first-key.sh" "$build" "$dir/t" >"$dir/first" 2>&1 ||
	{ cat "$dir/first" >&2; fail "no installation"; }
"$bin/cryptounitd" run "$dir/t/state" >"$dir/run" 2>&1 &
daemon=$!
for _ in $(seq 1 300); do
	! grep -q ready "$dir/run" || break
	sleep 0.1
done
ASAN_OPTIONS=$CU_ASAN
unset EP11_UNIT
unit=unix:$dir/t/state/units/operational-1/unit.sock

# ---- wrong use, and no unit -------------------------------------------------
want 2 ep
says "which verb"
want 0 ep --help
says "Exit status"
want 0 ep --version
want 2 ep frob
says 'no verb "frob"'
want 0 ep help encrypt
says "usage: ep11 encrypt"
want 2 ep random
says "BYTES is missing"
want 2 ep --unit unix:/nonexistent random 5
says "fix:"
want 2 ep --unit unix:/nonexistent stores
says "fix: cryptounitd run"
want 2 ep --unit somewhere stores
says "unix:PATH"
want 2 ep --unit "unix:$dir/t/state" stores
says "units, and each has its own keystores"
export EP11_UNIT=$unit

# ---- looking, random, digests -----------------------------------------------
cd "$dir"
want 0 ep info --json
json "administrators current master key left imprint mode" '.state | join(" ")'
json 64 '.masterKey | length'
want 0 ep mechanisms --json
json "encrypt decrypt" \
	'.mechanisms[] | select(.name == "CKM_AES_GCM") | .uses | join(" ")'
json 16 '.mechanisms[] | select(.name == "CKM_AES_GCM") | .min'
want 0 ep list
says CKM_SHA512
want 0 ep random 16 --hex
[ "$(tr -d '0-9a-f\n' <out | wc -c)$(wc -c <out)" = 033 ] || fail "no hex"
head -c 700000 /dev/urandom >large
printf 'The quick brown fox jumps over the lazy dog' >small
: >empty
for h in SHA_1:sha1 SHA224:sha224 SHA256:sha256 SHA384:sha384 SHA512:sha512; do
	for f in small large empty; do
		want 0 ep digest --mechanism "${h%:*}" --in $f --hex
		cp out ours
		openssl dgst "-${h#*:}" -r $f | cut -d' ' -f1 >theirs
		same ours theirs
	done
done
want 1 ep digest --mechanism 0x210 --in small
says CKR_MECHANISM_INVALID
want 2 ep digest --mechanism MD5 --in small
says "see ep11 mechanisms"
want 2 ep digest --mechanism SHA256 --in nothing
says "No such file"

# ---- keys of the unit -------------------------------------------------------
want 0 ep generate aes --out aes
says "bits: 256"
[ "$(stat -c %a aes)" = 600 ] || fail "a key that others can read"
want 0 ep generate aes --bits 128 --out aes128 --json
json 128 .bits
json 6 '.checkValue | length'
want 2 ep generate aes --bits 100 --out x
want 2 ep generate rsa --out x
says "--public FILE"
want 2 ep generate idea
says "no type of key"
want 0 ep generate generic --bits 512 --out hmac
want 0 ep generate rsa --bits 2048 --out rsa.prv --public rsa.pub
want 0 ep generate ec --curve P-384 --out ec.prv --public ec.pub
want 0 ep export-public --key rsa.pub --out rsa.pem
openssl rsa -pubin -in rsa.pem -noout -text >text
grep -q "(2048 bit)" text || fail "another size than asked for"
grep -q "Exponent: 65537" text || fail "another exponent than asked for"
want 0 ep export-public --key ec.pub --der --out ec.der
openssl ec -pubin -inform DER -in ec.der -noout -text >text 2>&1
grep -q secp384r1 text || fail "another curve than asked for"

iv=000102030405060708090a0b
iv16=${iv}0c0d0e0f
for m in AES_CBC_PAD:iv=$iv16 AES_CTR:iv=$iv16 AES_GCM:iv=$iv,aad=text:head \
	AES_GCM:iv=$iv,tag=96; do
	for f in small large; do
		[ "${m%%:*}$f" != AES_GCMlarge ] || continue
		want 0 ep encrypt --key aes --mechanism "${m%%:*}" \
			--param "${m#*:}" --in $f --out sealed
		! cmp -s $f sealed || fail "nothing encrypted"
		want 0 ep decrypt --key aes --mechanism "${m%%:*}" \
			--param "${m#*:}" --in sealed --out opened
		same $f opened
	done
done
want 1 ep encrypt --key aes --mechanism AES_GCM --param iv=$iv --in large
says "has no pieces"
# what was changed anywhere does not open, and leaves nothing behind
rm -f opened
printf x | dd of=sealed bs=1 seek=30 conv=notrunc 2>/dev/null
want 1 ep decrypt --key aes --mechanism AES_GCM --param iv=$iv,tag=96 \
	--in sealed --out opened
says CKR_ENCRYPTED_DATA
[ ! -e opened ] || fail "forged data was opened"
want 1 ep encrypt --key aes --mechanism AES_CBC --param iv=$iv16 --in small
says CKR_DATA_LEN_RANGE
want 1 ep encrypt --key ec.prv --mechanism AES_ECB --in small
says CKR_KEY
cp aes bad
printf x | dd of=bad bs=1 seek=60 conv=notrunc 2>/dev/null
want 1 ep encrypt --key bad --mechanism AES_CTR --param iv=$iv16 --in small
says CKR_IBM_BLOB_ERROR

# OpenSSL encrypts to the unit's key
openssl pkeyutl -encrypt -pubin -inkey rsa.pem -in small -out sealed \
	-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \
	-pkeyopt rsa_oaep_label:6c6162656c
want 0 ep decrypt --key rsa.prv --mechanism RSA_PKCS_OAEP \
	--param hash=SHA256,source=text:label --in sealed --out opened
same small opened
want 1 ep decrypt --key rsa.prv --mechanism RSA_PKCS_OAEP \
	--param hash=SHA256 --in sealed

# a key of a session goes with it
printf 'sesame-open\n' >pin
want 0 ep login --pin-file pin --nonce 0102 --out session
want 0 ep generate aes --pin-blob session --out bound
want 0 ep encrypt --key bound --mechanism AES_GCM --param iv=$iv --in small \
	--out sealed
want 0 ep logout --pin-blob session
want 1 ep encrypt --key bound --mechanism AES_GCM --param iv=$iv --in small
says CKR_SESSION_CLOSED
want 0 ep login --pin-file pin --nonce 0102 --out session
want 0 ep decrypt --key bound --mechanism AES_GCM --param iv=$iv --in sealed \
	--out opened
same small opened
want 2 ep login --pin-file nothing

# ---- attributes, derivation -------------------------------------------------
want 0 ep attributes get --key aes --json
json "secret aes 32 true" \
	'"\(.CKA_CLASS) \(.CKA_KEY_TYPE) \(.CKA_VALUE_LEN) \(.CKA_ENCRYPT)"'
want 0 ep attributes get --key ec.prv --attr CKA_EC_PARAMS --attr CKA_CLASS
says CKA_EC_PARAMS=P-384
says CKA_CLASS=private
cp aes once
want 0 ep attributes set --key once --attr CKA_DECRYPT=false
want 0 ep attributes get --key once --attr decrypt
says CKA_DECRYPT=false
want 0 ep encrypt --key once --mechanism AES_CTR --param iv=$iv16 --in small \
	--out sealed
want 1 ep decrypt --key once --mechanism AES_CTR --param iv=$iv16 --in sealed
says CKR_KEY_FUNCTION_NOT_PERMITTED
want 0 ep decrypt --key aes --mechanism AES_CTR --param iv=$iv16 --in sealed \
	--out opened
same small opened
want 1 ep attributes set --key aes --attr CKA_LOCAL=true
says CKR_ATTRIBUTE_READ_ONLY
want 2 ep attributes show --key aes
says "get or set"

want 0 ep generate ec --curve P-256 --out dh.prv --public dh.pub
want 0 ep export-public --key dh.prv --out dh.pem
openssl ecparam -name prime256v1 -genkey -noout -out peer.pem
openssl ec -in peer.pem -pubout -outform DER 2>/dev/null | tail -c 65 >point
openssl pkeyutl -derive -inkey peer.pem -peerkey dh.pem -out z
want 0 ep derive --key dh.prv --mechanism ECDH1_DERIVE \
	--param public=@point --attr CKA_CLASS=secret --attr CKA_KEY_TYPE=aes \
	--attr CKA_VALUE_LEN=32 --out shared
want 0 ep encrypt --key shared --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in large --out sealed
openssl enc -d -aes-256-cbc -K "$(od -An -v -tx1 z | tr -d ' \n')" -iv $iv16 \
	-in sealed -out opened
same large opened
openssl enc -aes-256-ctr -K "$(od -An -v -tx1 z | tr -d ' \n')" -iv $iv16 \
	-in large -out sealed
want 0 ep decrypt --key shared --mechanism AES_CTR --param iv=$iv16 \
	--in sealed --out opened
same large opened
printf x | dd of=point bs=1 seek=10 conv=notrunc 2>/dev/null
want 1 ep derive --key dh.prv --mechanism ECDH1_DERIVE \
	--param public=@point --attr CKA_CLASS=secret --attr CKA_KEY_TYPE=aes \
	--attr CKA_VALUE_LEN=32 --out shared
says CKR_

# ---- signatures -------------------------------------------------------------
hex() {
	od -An -v -tx1 "$1" | tr -d ' \n'
}
# r and s side by side (PKCS #11) to DER (OpenSSL) and back
cat >rs.py <<'P'
import sys
def num(b):
    b = b.lstrip(b"\0") or b"\0"
    b = (b"\0" if b[0] & 0x80 else b"") + b
    return bytes([2, len(b)]) + b
mode, size, src, dst = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
d = open(src, "rb").read()
if mode == "der":
    body = num(d[:size]) + num(d[size:])
    out = (bytes([0x30, len(body)]) if len(body) < 128 else
           bytes([0x30, 0x81, len(body)])) + body
else:
    at = 3 if d[1] & 0x80 else 2
    out = b""
    for _ in range(2):
        n = d[at + 1]
        out += d[at + 2:at + 2 + n].lstrip(b"\0").rjust(size, b"\0")
        at += 2 + n
open(dst, "wb").write(out)
P
openssl genrsa -out peer.rsa 2048 2>/dev/null
openssl rsa -in peer.rsa -pubout -out peer.rsa.pem 2>/dev/null
want 0 ep import-public --in peer.rsa.pem --out peer.rsa.pub
openssl ecparam -name secp384r1 -genkey -noout -out peer.ec
openssl ec -in peer.ec -pubout -out peer.ec.pem 2>/dev/null
want 0 ep import-public --in peer.ec.pem --out peer.ec.pub
openssl ec -pubin -inform DER -in ec.der -out ec.pem 2>/dev/null

pss="-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"
for f in small large empty; do
	# RSA, PKCS #1 v1.5 and PSS: here by OpenSSL, there by the unit
	want 0 ep sign --key rsa.prv --mechanism SHA256_RSA_PKCS --in $f --out sig
	want 0 openssl dgst -sha256 -verify rsa.pem -signature sig $f
	want 0 ep verify --key rsa.pub --mechanism SHA256_RSA_PKCS --in $f \
		--signature sig
	says "signature: good"
	openssl dgst -sha512 -sign peer.rsa -out sig $f
	want 0 ep verify --key peer.rsa.pub --mechanism SHA512_RSA_PKCS --in $f \
		--signature sig
	want 0 ep sign --key rsa.prv --mechanism SHA384_RSA_PKCS_PSS --in $f \
		--out sig
	# shellcheck disable=SC2086
	want 0 openssl dgst -sha384 $pss -verify rsa.pem -signature sig $f
	# shellcheck disable=SC2086
	openssl dgst -sha1 $pss -sign peer.rsa -out sig $f
	want 0 ep verify --key peer.rsa.pub --mechanism SHA1_RSA_PKCS_PSS \
		--in $f --signature sig
	# ECDSA
	want 0 ep sign --key ec.prv --mechanism ECDSA_SHA384 --in $f --out sig
	python3 rs.py der 48 sig sig.der
	want 0 openssl dgst -sha384 -verify ec.pem -signature sig.der $f
	openssl dgst -sha256 -sign peer.ec -out sig.der $f
	python3 rs.py raw 48 sig.der sig
	want 0 ep verify --key peer.ec.pub --mechanism ECDSA_SHA256 --in $f \
		--signature sig
done
printf 'The quick brown fox jumps over the lazy cog' >cog
want 1 ep verify --key peer.ec.pub --mechanism ECDSA_SHA256 --in cog \
	--signature sig
says CKR_SIGNATURE_INVALID
want 1 ep verify --key peer.ec.pub --mechanism ECDSA_SHA256 --in empty \
	--signature small
says CKR_SIGNATURE_LEN_RANGE
want 2 ep verify --key peer.ec.pub --mechanism ECDSA_SHA256 --in small
says "--signature FILE"
want 1 ep sign --key aes --mechanism SHA256_RSA_PKCS --in small
says CKR_KEY_TYPE_INCONSISTENT
want 0 ep generate ec --curve Ed25519 --out ed.prv --public ed.pub
want 0 ep export-public --key ed.pub --out ed.pem
want 0 ep sign --key ed.prv --mechanism EDDSA --in small --out sig
want 0 openssl pkeyutl -verify -pubin -inkey ed.pem -rawin -in small \
	-sigfile sig
want 2 ep import-public --in small
says "no public key"

# ---- wrapped keys: known to OpenSSL, used by the unit -----------------------
clear=603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4
printf '%s' $clear | xxd -r -p >clear
want 0 ep encrypt --key aes --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in clear --out wrapped
want 0 ep unwrap --kek aes --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in wrapped --attr CKA_CLASS=secret --attr CKA_KEY_TYPE=aes --out known
says "bits: 256"
# FIPS 197's key: the check value is the first of its encryption of zeros
check=$(head -c 16 /dev/zero | openssl enc -aes-256-ecb -nopad -K $clear |
	head -c 3 | xxd -p)
says "checkValue: $check"
want 0 ep encrypt --key known --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in large --out sealed
openssl enc -aes-256-cbc -K $clear -iv $iv16 -in large -out theirs
same sealed theirs
want 0 ep sign --key known --mechanism AES_CMAC --in large --hex
cp out ours
openssl mac -cipher AES-256-CBC -macopt hexkey:$clear -in large CMAC |
	tr A-F a-f >theirs
same ours theirs
want 0 ep unwrap --kek aes --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in wrapped --attr CKA_CLASS=secret --attr CKA_KEY_TYPE=generic \
	--out known.hmac
for h in SHA256 SHA512; do
	want 0 ep sign --key known.hmac --mechanism ${h}_HMAC --in small --hex
	cp out ours
	openssl dgst -$h -mac HMAC -macopt hexkey:$clear -r small |
		cut -d' ' -f1 >theirs
	same ours theirs
done
# the unit wraps for OpenSSL
want 0 ep wrap --key known --kek peer.rsa.pub --mechanism RSA_PKCS_OAEP \
	--param hash=SHA1 --out wrapped
openssl pkeyutl -decrypt -inkey peer.rsa -in wrapped -out opened \
	-pkeyopt rsa_padding_mode:oaep
same clear opened
want 0 ep wrap --key ec.prv --kek known --mechanism AES_CBC_PAD \
	--param iv=$iv16 --out wrapped
openssl enc -d -aes-256-cbc -K $clear -iv $iv16 -in wrapped -out pkcs8
openssl pkey -inform DER -in pkcs8 -pubout -out theirs
same ec.pem theirs
# and takes a private key of OpenSSL's, with its public half
openssl pkcs8 -topk8 -nocrypt -in peer.ec -outform DER -out pkcs8
openssl enc -aes-256-cbc -K $clear -iv $iv16 -in pkcs8 -out wrapped
want 0 ep unwrap --kek known --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in wrapped --attr CKA_CLASS=private --attr CKA_KEY_TYPE=ec \
	--out taken --public taken.pub
want 0 ep export-public --key taken.pub --out theirs
same peer.ec.pem theirs
want 0 ep sign --key taken --mechanism ECDSA_SHA256 --in small --out sig
python3 rs.py der 48 sig sig.der
want 0 openssl dgst -sha256 -verify peer.ec.pem -signature sig.der small
# not what is not to be wrapped, nor what is wrapped otherwise
want 0 ep generate aes --attr CKA_EXTRACTABLE=false --out fixed
want 1 ep wrap --key fixed --kek aes --mechanism AES_CBC_PAD --param iv=$iv16
says CKR_KEY
want 1 ep unwrap --kek known --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in small --attr CKA_CLASS=secret --attr CKA_KEY_TYPE=aes
says CKR_
want 1 ep unwrap --kek known --mechanism AES_CBC_PAD --param iv=$iv16 \
	--in wrapped
says CKR_TEMPLATE_INCOMPLETE

# ---- keystores --------------------------------------------------------------
cp aes blob
want 0 ep create "my keys" --attr CKA_ID=01
want 0 ep stores --json
json "my keys" '.keystores[0].name'
json 0 '.keystores[0].keys'
store=$(jq -r '.keystores[0].id' "$dir/out")
want 1 ep create "my keys"
says CKR_IBM_GREP11_CONFLICT
want 0 ep stores --attr CKA_ID=02
[ ! -s "$dir/out" ] || fail "a keystore of another id"
want 0 ep store "my keys" --key blob --label one --attr CKA_ID=abcd
want 0 ep store "$store" --key blob --label two --attr CKA_ID=ef
want 1 ep store "$store" --key blob --attr CKA_KEY_TYPE=des3
says CKR_TEMPLATE_INCONSISTENT
want 1 ep store "$store" --key blob --attr 0x11=00
says CKR_ATTRIBUTE_TYPE_INVALID
head -c 100 blob >short
want 1 ep store "$store" --key short
says CKR_IBM_BLOB_ERROR
want 0 ep keys "my keys" --json
json 2 '.keys | length'
json "one two" '[.keys[].label] | join(" ")'
want 0 ep list "my keys" --attr CKA_ID=abcd --attr CKA_KEY_TYPE=aes --json
json one '.keys[0].label'
json 1 '.keys | length'
json true '.keys[0].attributes.CKA_EXTRACTABLE'
want 0 ep fetch "my keys" one --out back
same back blob
[ "$(stat -c %a back)" = 600 ] || fail "a key that others can read"
want 0 ep update "my keys" one --label uno
want 0 ep keys "my keys" uno --json
json 2 '.keys[0].version'
json abcd '.keys[0].attributes.CKA_ID'
want 1 ep update "my keys" uno --label eins --expect 1
says "at version 2, the request expects 1"
want 1 ep remove "my keys" one
says 'no key "one"'
want 1 ep delete "my keys"
says "holds 2 keys"
want 0 ep remove "my keys" uno
want 0 ep delete "my keys" --force
want 1 ep keys "my keys"
says 'no keystore "my keys"'

# every request above is an event of this unit, whatever came of it
want 0 "$bin/hsa" export "$dir/t/state"
grep -F hs-crypto.keystore "$dir/out" >events
n=$(wc -l <events)
[ "$n" = 34 ] || fail "$n keystore events"
[ "$(jq -r 'select(.outcome == "failure") | .reason.reasonCode' \
	events | sort | uniq -c | tr -s ' \n' ' ')" = " 3 400 3 409 " ] ||
	fail "other refusals than those above"

# ---- a new master key -------------------------------------------------------
want 1 ep rewrap --key aes --out aes.new
says CKR_IBM_WK_NOT_INITIALIZED
t() {
	"$bin/tke" --state "$dir/t/state" --files "$dir/t/ceremony/files" \
		--password-file "Ada=$dir/t/ceremony/passwords/admin" \
		--password-file "$dir/pw" "$@"
}
echo "correct horse battery" >pw
want 0 t cryptounit-add 1 2 3
want 0 t sigkey-sel Ada
want 0 t mk-add --random --description third
want 0 t mk-add --random --description fourth
want 0 t cryptounit-mk-load third fourth
want 0 t cryptounit-mk-commit
want 0 ep rewrap --key aes --out aes.new
want 0 ep rewrap --key rsa.pub --out pub.new
want 0 ep encrypt --key aes --mechanism AES_CTR --param iv=$iv16 --in small \
	--out sealed
want 0 t cryptounit-mk-setimm --yes
want 1 ep decrypt --key aes --mechanism AES_CTR --param iv=$iv16 --in sealed
says CKR_IBM_WKID_MISMATCH
want 0 ep decrypt --key aes.new --mechanism AES_CTR --param iv=$iv16 \
	--in sealed --out opened
same small opened
want 0 ep encrypt --key pub.new --mechanism RSA_PKCS_OAEP --in small
want 1 ep encrypt --key rsa.pub --mechanism RSA_PKCS_OAEP --in small
says CKR_IBM_WKID_MISMATCH

kill "$daemon"
wait "$daemon" || fail "cryptounitd did not stop in order"
daemon=
want 0 "$bin/hsa" verify "$dir/t/state"
says OK
want 0 "$bin/hsa" validate --strict "$dir/t/state"
want 0 "$bin/hsa" validate --profile unit "$dir/t/state"

# ---- what an auditor takes away ---------------------------------------------
pub=$dir/t/state/checkpoint.pub
want 0 "$bin/hsa" export "$dir/t/state"
cp out all
proven=0
for id in $(jq -r .id all | awk 'NR % 9 == 1'); do
	want 0 "$bin/hsa" prove --event "$id" --out "$id.tlog-proof" \
		"$dir/t/state"
	want 0 "$bin/hsa" verify --json --key "$pub" --proof "$id.tlog-proof"
	jq -ce '.proofs[0].record.event' out >one || fail "no event in a proof"
	grep -qxFf one all || fail "a proof shows another event than the log"
	proven=$((proven + 1))
done
[ "$proven" -gt 40 ] || fail "$proven events"
echo "COUNT events of a real log proven: $proven"
for unit in operational-1 recovery-1; do
	want 0 "$bin/hsa" prove --from 0 --unit $unit --request "$dir/t/state"
	want 0 "$bin/hsa" export --tlog-tiles tiles-$unit --unit $unit \
		"$dir/t/state"
	want 0 "$bin/hsa" verify --anchor tiles-$unit/checkpoint "$dir/t/state"
done
echo "COUNT checks: $checks"
