#!/bin/sh
# run.sh BUILD "COMPILE COMMAND" "HEADERS" - what a compiler does not say by itself.
set -u
build=$1
cc=$2
headers=$3
pass=0
fail=0
step() {
	name=$1
	shift
	if out=$("$@" 2>&1); then
		pass=$((pass + 1))
		[ -z "$out" ] || printf '%s\n' "$out"
	else
		fail=$((fail + 1))
		printf 'lint %s FAILED\n%s\n' "$name" "$out"
	fi
}

# each header compiles alone: it includes what it uses
headers_alone() {
	bad=0
	n=0
	for h in $(find proto ep11 tke firmware-sim tools -name '*.h' | sort); do
		n=$((n + 1))
		printf '#include "%s"\nextern int lint_alone;\n' "$h" |
			$cc -I. -fsyntax-only -x c - || { echo "$h"; bad=1; }
	done
	echo "COUNT headers compiled alone: $n"
	return $bad
}

# a fuzz target names what it covers, and those functions exist
fuzz_covers() {
	bad=0
	n=0
	for f in tests/fuzz/fuzz_*.c; do
		first=$(head -1 "$f")
		case $first in
		'/* Covers: '*' */') ;;
		*) echo "$f: line 1 is not /* Covers: function... */"; bad=1
			continue ;;
		esac
		for fn in $(echo "$first" | sed 's,/\* Covers: ,,; s, \*/,,'); do
			n=$((n + 1))
			grep -rqw "$fn" --include='*.h' proto ep11 tke \
				firmware-sim tools ||
				{ echo "$f: no function $fn"; bad=1; }
		done
		c=tests/fuzz/corpus/$(basename "$f" .c | sed 's/^fuzz_//')
		[ -n "$(ls -A "$c" 2>/dev/null)" ] ||
			{ echo "$f: no corpus in $c"; bad=1; }
	done
	echo "COUNT functions under a fuzz target: $n"
	return $bad
}

# no parser without a fuzz target (E_: *_parse, *_decode declared in a header)
parsers_fuzzed() {
	bad=0
	all=$(cat tests/fuzz/fuzz_*.c)
	for fn in $(grep -rhoE '\b[a-z0-9_]+_(parse|decode)\(' --include='*.h' \
		proto ep11 tke firmware-sim tools | tr -d '(' | sort -u); do
		echo "$all" | grep -qw "$fn" ||
			{ echo "no fuzz target calls $fn"; bad=1; }
	done
	return $bad
}

man_pages() {
	for m in tools/man/*.[1-8]; do
		mandoc -Tlint -Wwarning "$m" || return 1
	done
}

scripts() {
	find tests tools .ci -name '*.sh' -o -path .ci/run | sort |
		xargs shellcheck -x
}

# goto only to out, and no unbounded or unchecked calls
c_rules() {
	bad=0
	src=$(find proto ep11 tke firmware-sim tools -name '*.[ch]')
	# shellcheck disable=SC2086
	grep -nE '\b(strcpy|strcat|sprintf|gets|atoi|strtok|alloca)\(' $src &&
		bad=1
	# shellcheck disable=SC2086
	grep -nE 'goto +[a-z_]+;' $src | grep -vE 'goto out;' && bad=1
	return $bad
}

# libhsa exports what the headers that it installs declare, and no more
exports() {
	sed -n 's/^\t\t\([a-z0-9_]*\);$/\1/p' proto/libhsa.map | sort >"$tmp"
	# shellcheck disable=SC2086
	tests/lint/api.sh $headers | diff - "$tmp" && return
	echo "< declared in an installed header, not in proto/libhsa.map: add it"
	echo "> in proto/libhsa.map, not declared: take it out"
	return 1
}

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
step edges tests/lint/edges.sh
step headers-alone headers_alone
step fuzz-covers fuzz_covers
step parsers-fuzzed parsers_fuzzed
step man-pages man_pages
step scripts scripts
step exports exports
step c-rules c_rules
echo "lint: $pass passed, $fail failed (build $build)"
[ "$fail" = 0 ]
