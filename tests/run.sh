#!/bin/sh
# run.sh BUILD PROGRAM... - run each test program from the repository's root,
# show a line for each, the output of those that fail, and one closing line.
# Exit status 77 of a program counts as a failure too: nothing is skipped here.
set -u
build=$1
shift
mkdir -p "$build/log"
pass=0
fail=0
failed=
cases=0
for t; do
	name=$(basename "$t")
	log=$build/log/$name.log
	start=$(date +%s)
	case $t in
	*/fuzz_*) set -- "$t" "tests/fuzz/corpus/${name#fuzz_}" ;;
	*) set -- "$t" ;;
	esac
	asan=${ASAN_OPTIONS:-}
	case $name in
	test_bk_* | test_ep_* | test_ep11_* | test_libep11* | test_daemon | \
		test_selftest | test_ring_lost | test_slog_speed | crash_*)
		asan=$asan:${TOKEN_ASAN_OPTIONS:-} ;;
	test_faults) # a library without ASan is preloaded
		asan=$asan:${TOKEN_ASAN_OPTIONS:-}:verify_asan_link_order=0 ;;
	esac
	if ASAN_OPTIONS=$asan "$@" >"$log" 2>&1; then
		pass=$((pass + 1))
		verdict=ok
	else
		verdict="FAILED ($?)"
		fail=$((fail + 1))
		failed="$failed $name"
	fi
	n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -1)
	cases=$((cases + ${n:-0}))
	printf '%-44s %-12s %4ss%s\n' "$name" "$verdict" \
		$(($(date +%s) - start)) "${n:+  $n cases}"
	# what a test counts, it says on lines that begin with "COUNT"
	sed -n 's/^COUNT/    COUNT/p' "$log"
	[ "$verdict" = ok ] || tail -60 "$log"
done
echo "cmocka cases: $cases"
[ -z "$failed" ] || echo "failed:$failed (logs in $build/log)"
echo "$pass passed, $fail failed"
[ "$fail" = 0 ]
