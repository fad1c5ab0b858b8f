#!/bin/sh
# test_libhsa_symbols.sh - what libhsa.so.0 exports: the functions that its
# installed headers declare, each with the version of the map, and no other
# symbol; the emitter's are in its manual.
set -eu
build=${CU_BUILD:-build}
lib=$build/lib/libhsa.so.0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

make -s install BUILD="$build" PREFIX=/usr DESTDIR="$tmp/root" >/dev/null
include=$tmp/root/usr/include/hsa
tests/lint/api.sh "$include"/hsa_*.h >"$tmp/want"
nm -D --defined-only "$lib" | awk '$2 == "T" {print $3}' | sort >"$tmp/names"
sed 's/@@HSA_0$//' "$tmp/names" >"$tmp/got"
if ! diff "$tmp/want" "$tmp/got"; then
	echo "exported symbols differ: < is missing or without a version," \
	    "> is too much" >&2
	exit 1
fi
# nothing but functions and the version itself
nm -D --defined-only "$lib" |
	awk '$2 != "T" && $3 != "HSA_0@@HSA_0" && $3 != "HSA_0" {
		print; bad = 1
	} END {exit bad}'
readelf -d "$lib" | grep -q 'SONAME.*\[libhsa\.so\.0\]'
test "$(readlink "$tmp/root/usr/lib/libhsa.so")" = libhsa.so.0

# the verifier is linked with the format alone: no sealer, no channel
for f in "$build/bin/hsa" "$build/obj/libproto.a"; do
	if nm "$f" | grep -E ' [Tt] (slog|chan|hsa_emitter)_'; then
		echo "$f holds the writer's code" >&2
		exit 1
	fi
done
echo "COUNT symbols exported, all of installed headers: $(wc -l <"$tmp/got")"
