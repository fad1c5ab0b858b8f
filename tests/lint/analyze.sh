#!/bin/sh
# analyze.sh "CPPFLAGS" - clang-format, clang-tidy and cppcheck over all of ours.
set -u
flags=$1
src=$(find proto ep11 tke firmware-sim tools -name '*.c' | sort)
bad=0
find proto ep11 tke firmware-sim tools tests -name '*.[ch]' -print0 |
	xargs -0 clang-format --dry-run -Werror || bad=1
# shellcheck disable=SC2016
echo "$src" | xargs -P 2 -I FILE sh -c '
	clang-tidy --quiet --warnings-as-errors="*" "$2" -- -std=c11 $1 -DHSA_VERSION=\"x\" 2>&1
' sh "$flags" FILE | grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header' |
	grep . && bad=1
includes=$(echo "$flags" | tr ' ' '\n' | grep '^-I')
# shellcheck disable=SC2086
cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,performance,portability \
	--suppress=missingIncludeSystem --suppress=missingInclude \
	--suppress=unknownMacro --suppress=selfAssignment \
	--suppress=ctunullpointer --suppress=ctuuninitvar $includes \
	-DHSA_VERSION='"x"' $src || bad=1
[ "$bad" = 0 ] && echo "analyze: $(echo "$src" | wc -l) files, clean"
exit "$bad"
