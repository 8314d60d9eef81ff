#!/usr/bin/env bash
# Who may include whom: base <- sys <- io <- par, text, hash <- the domain folders <- tools;
# kernels <- trainer. Domain folders may use one another, but not in a circle.
. tests/lint/tap.bash

# "FROM TO FILE" for each include of ours; FROM and TO are libcommon's folders, or the top folder.
edges() {
	files '*.c' '*.h' '*.cc' '*.cu' '*.cuh' | grep -v '^tests/' |
		xargs grep -Hn '^[[:space:]]*#[[:space:]]*include "' |
		sed 's/^\([^:]*\):[0-9]*:[^"]*"\([^"]*\)".*/\1 \2/' |
		awk '
		function folder(path,   part) {
			split(path, part, "/")
			return part[1] == "libcommon" ? part[2] : part[1]
		}
		{ print folder($1), folder($2), $1, $2 }'
}

all=$(edges)
bad=$(awk '
BEGIN {
	rank["base"] = 1; rank["sys"] = 2; rank["io"] = 3
	rank["par"] = rank["text"] = rank["hash"] = 4
}
$2 !~ /^[a-z]+$/ || $4 !~ /\// { print $3 ": " $4 ": not a path from the root"; next }
$1 == $2 {
	if ($1 == "tools") print $3 ": a program includes a program: " $4
	next
}
$1 == "kernels" { print $3 ": " $4 ": kernels stand alone"; next }
$2 == "tools" || $2 == "trainer" || $2 == "tests" { print $3 ": " $4 ": nobody may include that"; next }
$1 == "trainer" { next }
$2 == "kernels" { print $3 ": " $4 ": only the trainer uses kernels"; next }
$1 == "tools" { next }
{
	from = $1 in rank ? rank[$1] : 5
	to = $2 in rank ? rank[$2] : 5
	if (from < 5 && to >= from) print $3 ": " $4 ": upwards"
}' <<<"$all")
ok "includes go down" "$bad"
ok "no circle among folders" "$(awk '$1 != $2 { print $1, $2 }' <<<"$all" | sort -u | tsort 2>&1 >/dev/null)"
ok "the library neither prints nor exits" "$(files 'libcommon/*.c' 'libcommon/*.cc' |
	grep -v -e sys/tool.c -e sys/version.c -e base/err.c |
	xargs grep -nE '\b(printf|puts|putchar|perror|exit|_exit|abort|setlocale)\(|\b(stderr|stdout)\b' |
	grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)' | grep -vE '"[^"]*(stderr|stdout)[^"]*"')"
done_testing
