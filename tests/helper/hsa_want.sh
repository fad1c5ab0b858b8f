# hsa_want.sh - what the script tests of hsa begin with; sourced from the
# repository's root. Leaves $top, the root, and $hsa, and goes into a folder of
# its own, which goes away. $wants counts the runs of want.
# shellcheck shell=sh disable=SC2034
build=${CU_BUILD:-build}
hsa=$(cd "$build/bin" && pwd)/hsa
top=$(pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
cd "$dir" || exit
wants=0
fail() {
	echo "FAILED: $*" >&2
	exit 1
}
# want STATUS COMMAND... - output in out, messages in err
want() {
	wants=$((wants + 1))
	expect=$1
	shift
	got=0
	"$@" >out 2>err </dev/null || got=$?
	[ "$got" = "$expect" ] || {
		cat out err >&2
		fail "exit $got instead of $expect: $*"
	}
}
