#!/bin/sh
# test_cadf.sh - CADF exports of all actions, and of hostile text, read by
# pycadf, the implementation that CADF's authors at IBM gave to OpenStack. From
# PyPI, by pip.
set -eu
build=${CU_BUILD:-build}
tmp=$(mktemp -d /tmp/cu-cadf.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" --quiet --disable-pip-version-check install \
    pycadf==4.1.0
mkdir "$tmp/out"
EXPORTS_TO=$tmp/out "$build/tests/kat/test_exports" >"$tmp/log" 2>&1 || {
	cat "$tmp/log"
	exit 1
}
"$tmp/venv/bin/python3" tests/interop/cadf_read.py "$tmp"/out/*/cadf-1.0
