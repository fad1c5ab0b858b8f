#!/bin/sh
# run.sh BUILD SECONDS TARGET... - libFuzzer on each target, two at a time.
# New inputs go to BUILD/corpus; findings to BUILD/findings and exit status 1.
set -u
build=$1
secs=$2
shift 2
mkdir -p "$build/findings" "$build/bin" "$build/log" "$build/gen"
# all of them first: two makes at once would build the same archives
for t; do
	set -- "$@" "$build/bin/$t"
	shift
done
make -s BUILD="$build" CC=clang SAN=address,undefined \
	FUZZ_CFLAGS=-fsanitize=fuzzer-no-link "$@" || exit 1
for t; do
	set -- "$@" "$(basename "$t")"
	shift
done
one() {
	t=$1
	# after each input that keeps memory, as each of a token does, libFuzzer
	# would look for leaks for long; there they are found at the end alone
	leaks=1
	[ "$t" = fuzz_engine ] && leaks=0
	mkdir -p "$build/corpus/$t"
	ASAN_OPTIONS=detect_leaks=1 \
	LSAN_OPTIONS=suppressions=tests/lint/lsan.supp:print_suppressions=0 \
	"$build/bin/$t" -max_total_time="$secs" -timeout=20 -rss_limit_mb=2048 \
		-detect_leaks=$leaks -artifact_prefix="$build/findings/$t-" -print_final_stats=1 \
		"$build/corpus/$t" "tests/fuzz/corpus/${t#fuzz_}" \
		>"$build/log/$t.log" 2>&1
}
fail=0
passed=0
while [ $# -gt 0 ]; do
	a=$1
	b=${2:-}
	one "$a" &
	pa=$!
	if [ -n "$b" ]; then
		one "$b" &
		pb=$!
	fi
	for pair in "$a:$pa" ${b:+"$b:$pb"}; do
		t=${pair%%:*}
		if wait "${pair#*:}"; then
			passed=$((passed + 1))
			runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
				"$build/log/$t.log")
			echo "$t: ${secs}s, $runs runs, no finding"
		else
			fail=$((fail + 1))
			echo "$t: FINDING, see $build/log/$t.log"
			tail -40 "$build/log/$t.log"
		fi
	done
	shift
	[ $# -eq 0 ] || shift
done
echo "$passed passed, $fail failed"
[ "$fail" = 0 ]
