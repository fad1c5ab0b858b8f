#!/bin/sh
# left.sh - the watcher of helper_left.h. Its standard input, a path a line,
# ends with the test's process, however that ends.
trap '' INT TERM HUP
paths=$(cat)
printf '%s\n' "$paths" | while read -r p; do
	[ -e "$p" ] || continue
	# the script before what it started; units notice that theirs is gone
	for what in first-key.sh cryptounitd hsa; do
		pkill -9 -f -- "/$what .*$p(/|\$)"
	done
	sleep 0.5
	# rings of units that were killed lie elsewhere
	grep -ohsE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' \
		"$p/state/config.yaml" | while read -r id; do
		rm -f "/dev/shm/cryptounit-$(id -u)-$id.ring"
	done
	# and test_faults puts small disks into its folder
	awk -v p="$p/" 'index($2, p) == 1 { print $2 }' /proc/mounts |
		xargs -r umount -l
	# a unit that is still stopping may put a file there meanwhile
	for _ in 1 2 3 4 5 6 7 8 9; do
		! rm -rf -- "$p" 2>/dev/null || break
		sleep 1
	done
done
