#!/bin/sh
# edges.sh - hold the include direction of edges.txt: which room may see which.
set -eu
table=$(dirname "$0")/edges.txt
find proto ep11 tke firmware-sim tools -name '*.[ch]' | sort |
xargs grep -Hn '^[ 	]*#[ 	]*include' |
awk -v table="$table" '
BEGIN {
	while ((getline line < table) > 0) {
		if (line ~ /^#/ || line == "")
			continue
		n = split(line, f, /[ \t]+/)
		for (i = 2; i <= n; i++)
			allow[f[1]] = allow[f[1]] " " f[i]
	}
	cmd = "find proto ep11 tke firmware-sim tools -name \"*.h\" -o -name \"*.def\""
	while ((cmd | getline path) > 0) {
		k = path
		sub(/.*\//, "", k)
		room = path
		sub(/\/[^\/]*$/, "", room)
		if (k in home)
			die("two headers are named " k)
		home[k] = room
		# the embedding header alone of its room may be allowed by name
		if (path == "firmware-sim/cryptounit.h")
			home[k] = path
	}
}
function die(text) { print "edges: " text; bad = 1 }
function under(path, list,   i, n, f) {
	n = split(list, f, " ")
	for (i = 1; i <= n; i++)
		if (path == f[i] || index(path "/", f[i] "/") == 1)
			return 1
	return 0
}
{
	split($0, part, ":")
	file = part[1]
	line = part[2]
	if (!match($0, /["<][^">]*[">]/))
		next
	inc = substr($0, RSTART + 1, RLENGTH - 2)
	local = substr($0, RSTART, 1) == "\""
	room = file
	sub(/\/[^\/]*$/, "", room)
	if (file in allow)
		room = file
	seen++
	base = inc
	sub(/.*\//, "", base)
	if (local && (base in home)) {
		if (!(room in allow))
			die(file ":" line ": room " room " is not in edges.txt")
		else if (!under(home[base], allow[room]))
			die(file ":" line ": " room " may not include " inc \
			    " (" home[base] ")")
		next
	}
	top = inc
	sub(/\/.*/, "", top)
	for (k in allow) {
		if (substr(k, 1, 1) != "@")
			continue
		name = substr(k, 2)
		if ((top == name || inc == name) && !under(file, allow[k]))
			die(file ":" line ": " inc " belongs to" allow[k])
	}
}
END {
	if (seen < 100)
		die("only " seen " includes seen: run from the root")
	if (!bad)
		print "COUNT includes checked: " seen
	exit bad
}'
