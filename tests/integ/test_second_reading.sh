#!/bin/sh
# test_second_reading.sh - damaged events, which `hsa validate` and a reading of
# the same rules by somebody else (tests/kat/read_events.py) must judge alike.
# MUTATIONS=10000 in each of two profiles, SEED=1.
set -eu
build=${CU_BUILD:-build}
hsa=$(cd "$build/bin" && pwd)/hsa
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 tests/kat/compare_events.py "$hsa" "${MUTATIONS:-10000}" "${SEED:-1}"

# one that finds less is told from it
cat >"$dir/hsa" <<END
#!/bin/sh
[ "\$1" != validate ] || { shift; set -- validate --disable E12 "\$@"; }
exec "$hsa" "\$@"
END
chmod +x "$dir/hsa"
if python3 tests/kat/compare_events.py "$dir/hsa" 500 >"$dir/out"; then
	echo "FAILED: nobody missed E12" >&2
	exit 1
fi
grep -q 'read: .*E12/error' "$dir/out"
