#!/bin/sh
# test_schema.sh - Ajv, from npm, compiles what `hsa schema` prints in its strict
# mode without a complaint, and finds in the golden corpus and in MUTATIONS
# (20000) of its events, made from SEED (1), what `hsa validate` finds, check by
# check.
set -eu
build=${CU_BUILD:-build}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/cu-schema-XXXXXX")
trap 'rm -rf "$dir"' EXIT
hsa=$(cd "$build/bin" && pwd)/hsa
# shellcheck source=tests/interop/node.sh
. "$here/node.sh"

node_packages
"$hsa" corpus "$dir/corpus" >/dev/null
node "$node_dir/agree.mjs" "$hsa" "$dir/corpus"
