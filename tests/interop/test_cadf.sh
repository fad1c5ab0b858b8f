#!/bin/sh
# test_cadf.sh - CADF exports of all actions, and of hostile text, read by
# pycadf, the implementation that CADF's authors at IBM gave to OpenStack. From
# PyPI, by pip.
set -eu
build=${CU_BUILD:-build}
tmp=$(mktemp -d /tmp/cu-cadf.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" --quiet --disable-pip-version-check install \
    pycadf==4.1.0
mkdir "$tmp/out"
EXPORTS_TO=$tmp/out "$build/tests/kat/test_exports" >"$tmp/log" 2>&1 || {
	cat "$tmp/log"
	exit 1
}
"$tmp/venv/bin/python3" tests/interop/cadf_read.py "$tmp"/out/*/cadf-1.0
# and by our own reading of the standard, which is stricter: hostile events say
# wrong things in right places
for f in "$tmp"/out/*/cadf-1.0; do
	"$build/bin/hsa" validate --profile cadf-1.0 --format json "$f" \
		>"$tmp/found" || [ $? = 1 ]
	if grep -E '"check":"(E01|E02|E04|E40|E41)"' "$tmp/found"; then
		echo "hsa validate does not take what pycadf takes" >&2
		exit 1
	fi
done
