#!/bin/sh
# api.sh HEADER... - the functions that headers declare, sorted: declarations
# outside braces that are neither typedefs nor static.
set -eu
cat "$@" | awk '
/^[ 	]*#/ { cont = /\\$/; next }
cont { cont = /\\$/; next }
{ text = text " " $0 }
END {
	gsub(/[ \t]+/, " ", text)
	n = length(text)
	word = decl = ""
	for (i = 1; i <= n; i++) {
		c = substr(text, i, 1)
		if (substr(text, i, 2) == "/*") {
			i += index(substr(text, i + 2), "*/") + 2
			continue
		}
		if (c == "}" && --brace == 0)
			decl = word = ""
		if (c == "{")
			brace++
		if (brace > 0 || c == "}")
			continue
		if (c == ";") {
			decl = word = ""
			paren = 0
			continue
		}
		if (c == "(" && paren++ == 0 && name == "" &&
		    word ~ /^[a-z]/ && decl !~ /^ *(typedef|static)/)
			name = word
		if (c == ")")
			paren--
		if (name != "") {
			print name
			name = ""
			decl = "static" # the rest of this one: attributes
		}
		if (c ~ /[A-Za-z0-9_]/)
			word = word c
		else if (c != " " || substr(text, i + 1, 1) != "(")
			word = ""
		decl = decl c
	}
}' | sort -u
