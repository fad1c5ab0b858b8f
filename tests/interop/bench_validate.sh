#!/bin/sh
# bench_validate.sh - how fast hsa validate reads EVENTS (1000000), and what it
# needs, on one core; beside it Ajv and python-jsonschema, by the schema that hsa
# schema prints, on the first AJV_EVENTS (100000) and PY_EVENTS (500) of the same
# file. ROUNDS (5) in turn, medians. Only the memory is held to a number: a machine
# with others on it says nothing about time.
set -eu
build=${CU_BUILD:-build}
here=$(cd "$(dirname "$0")" && pwd)
dir=$build/bench-validate
mkdir -p "$dir"
# shellcheck source=tests/interop/node.sh
. "$here/node.sh"
node_packages
venv=$build/interop/jsonschema-4.23.0
[ -f "$venv/.done" ] || {
	python3 -m venv "$venv"
	"$venv/bin/pip" --quiet --disable-pip-version-check install \
		jsonschema==4.23.0
	: >"$venv/.done"
}
rm -rf "$dir/corpus"
"$build/bin/hsa" corpus "$dir/corpus" >/dev/null
"$build/bin/hsa" schema >"$dir/schema.json"
python3 "$here/bench_validate.py" "$build/bin/hsa" "$node_dir" \
	"$venv/bin/python3" "$dir"
