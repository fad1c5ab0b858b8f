#!/bin/sh
# reach.sh - can the tests here get the programs of others? Each tool that one
# of them uses is asked for a little of what the test will ask it for, from
# wherever the tool's own settings say. Exit 1, and aloud, if one cannot.
set -u
here=$(cd "$(dirname "$0")" && pwd)
seconds=${REACH_SECONDS:-120}
dir=$(mktemp -d "${TMPDIR:-/tmp}/cu-reach-XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
missing=

# ask NAME SCRIPT - SCRIPT in a shell of its own, in $dir
ask() {
	if (cd "$dir" && HERE=$here timeout "$seconds" sh -euc "$2") \
		>"$dir/log" 2>&1 </dev/null; then
		return
	fi
	missing="$missing $1"
	echo "$1 does not get what the tests ask it for:" >&2
	tail -5 "$dir/log" >&2
}
uses() {
	cat "$here"/test_*.sh "$here"/kafka.sh "$here"/node.sh |
		grep -v '^#' | grep -qw "$1"
}

"$here/../lint/deps.sh" build test interop || missing=" packages"
if [ -z "$missing" ]; then
	# shellcheck disable=SC2016
	ask pip 'python3 -m venv venv
		venv/bin/pip --disable-pip-version-check download --no-deps \
			--no-cache-dir --quiet $(sed -n \
			"s/^ *\(pycadf==[0-9.]*\)$/\1/p" "$HERE/test_cadf.sh")'
	# shellcheck disable=SC2016
	ask go 'cd "$HERE/tlog" && "${GO:-go}" mod download'
	# shellcheck disable=SC2016
	ask mvn 'v=$(sed -n "s/.*<version>\(.*\..*\)<.*/\1/p" \
			"$HERE/kafka-pom.xml" | head -1)
		mvn -q -B dependency:get -Dtransitive=false \
			-Dartifact="org.apache.kafka:kafka-tools:$v"'
	! uses npm || ask npm 'npm pack --silent ajv-draft-04@1.0.0'
fi
[ -z "$missing" ] && exit 0
echo "make check-interop was NOT run: no answer by way of:$missing" >&2
exit 1
