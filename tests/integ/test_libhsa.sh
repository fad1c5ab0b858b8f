#!/bin/sh
# test_libhsa.sh - libhsa as those who install it meet it: with nothing but
# `make install` and pkg-config, the example of the README and that of the
# manual build as they stand, shared and static, run, and leave logs that
# `hsa verify` takes; every action of the catalogue comes through; a program in
# another language does the same through the ABI.
set -eu
build=${CU_BUILD:-build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
root=$tmp/root
san=${SAN:+-fsanitize=$SAN}
cc=${CC:-cc}

make -s install BUILD="$build" PREFIX=/usr DESTDIR="$root" >/dev/null
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root"
export LD_LIBRARY_PATH="$root/usr/lib"
hsa=$root/usr/bin/hsa
flags="-std=c11 -Wall -Wextra -Wpedantic -Werror $san"

verified() { # DIR EVENTS
	"$hsa" verify --key "$1/checkpoint.pub" "$1/log" >"$tmp/verify" ||
		{ cat "$tmp/verify"; exit 1; }
	"$hsa" export "$1/log" >"$tmp/export"
	test "$(wc -l <"$tmp/export")" = "$2"
}

# the README's program, under 60 lines
awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' README.md >"$tmp/emit.c"
lines=$(wc -l <"$tmp/emit.c")
test "$lines" -gt 20 && test "$lines" -lt 60
# shellcheck disable=SC2086,SC2046
$cc $flags "$tmp/emit.c" $(pkg-config --cflags --libs libhsa) -o "$tmp/emit"
"$tmp/emit" "$tmp/a" >"$tmp/said"
verified "$tmp/a" 1
id=$(sed -n 's/^event \([0-9a-f-]*\), record [0-9]*$/\1/p' "$tmp/said")
grep -q "\"id\":\"$id\"" "$tmp/export"
grep -q '"action":"hs-crypto.secrets.create".*"target":{[^}]*"name":"payments"' \
	"$tmp/export"
# the id that the service got back is what a proof is asked for by
"$hsa" prove --key "$tmp/a/checkpoint.pub" --event "$id" --out "$tmp/proof" \
	"$tmp/a/log" 2>/dev/null
"$hsa" verify --key "$tmp/a/checkpoint.pub" --proof "$tmp/proof" >/dev/null
"$hsa" tail "$tmp/a/log" | grep -q 'UNIT_START: emitter key-service opened'
# again: a new epoch of the same log
"$tmp/emit" "$tmp/a" >/dev/null
verified "$tmp/a" 2
"$tmp/emit" /proc/nowhere/audit 2>"$tmp/said" && exit 1
grep -q '^E_IO: .*fix:' "$tmp/said"

# the same without a shared object of ours or anybody's
if [ -z "$san" ]; then
	# shellcheck disable=SC2086,SC2046
	$cc $flags -static "$tmp/emit.c" \
		$(pkg-config --static --cflags --libs libhsa) \
		-o "$tmp/emit-static" 2>"$tmp/said" || { cat "$tmp/said"; exit 1; }
	env -u LD_LIBRARY_PATH "$tmp/emit-static" "$tmp/s" >/dev/null
	verified "$tmp/s" 1
fi

# the manual's function, and a manual page for each function
sed -n '/^\.Bd -literal$/,/^\.Ed$/p' tools/man/libhsa.3 |
	sed '/^\.[BE]d/d' >"$tmp/body.c"
{
	echo '#include <hsa_emitter.h>'
	cat "$tmp/body.c"
	echo 'hsa_rc (*const used)(struct hsa_emitter_context *, const char *,'
	echo '    const char *, struct hsa_diag *) = rotation_refused;'
} >"$tmp/man.c"
# shellcheck disable=SC2086,SC2046
$cc $flags -c "$tmp/man.c" $(pkg-config --cflags libhsa) -o "$tmp/man.o"
for f in $(tests/lint/api.sh "$root/usr/include/hsa/hsa_emitter.h"); do
	grep -q "^\.F[no] $f\>" "$root/usr/share/man/man3/libhsa.3"
	test "$(cat "$root/usr/share/man/man3/$f.3")" = ".so man3/libhsa.3"
done

# every action, success and failure
# shellcheck disable=SC2086,SC2046
$cc $flags tests/integ/libhsa_all.c $(pkg-config --cflags --libs libhsa) \
	-o "$tmp/all"
every_action() { # MODE
	"$tmp/all" "$tmp/$1" "$1" >"$tmp/receipts"
	verified "$tmp/$1" "$(wc -l <"$tmp/receipts")"
	echo "mode $1:"
	python3 tests/integ/libhsa_check.py tests/kat/catalogue.tsv \
		"$tmp/receipts" "$tmp/export"
}
every_action sealed
every_action ring

# another language
preload=
[ -z "$san" ] || preload=$($cc -print-file-name=libasan.so)
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 LD_PRELOAD=$preload \
	python3 tests/integ/libhsa_abi.py "$root/usr/lib/libhsa.so.0" \
	"$tmp/py" >"$tmp/receipts"
verified "$tmp/py" "$(wc -l <"$tmp/receipts")"
while read -r id; do
	grep -q "\"id\":\"$id\"" "$tmp/export"
done <"$tmp/receipts"
echo "COUNT events through the ABI from Python: $(wc -l <"$tmp/receipts")"
