#!/usr/bin/env bash
# No circle of includes between files, and none of calls between compiled files.
. tests/lint/tap.bash

# loops: the files of each circle among the pairs "A B" on standard input. tsort names them in
# lines of their own behind one that says that there is a loop.
loops() {
	tsort 2>&1 >/dev/null | sed 's/^tsort: //'
}

ok "no circle of includes" "$(files 'libcommon/*' 'kernels/*' 'trainer/*' 'tools/*' |
	grep -E '\.(c|h|cc|inc|cu|cuh)$' | xargs grep -H '^[[:space:]]*#[[:space:]]*include "' |
	sed 's/^\([^:]*\):[^"]*"\([^"]*\)".*/\1 \2/' | loops)"

# An object calls another when it needs a symbol that the other defines. Only objects of sources
# that are still there count: a build folder keeps those of files that were renamed.
ok "no circle of calls" "$(files 'libcommon/*' 'kernels/*' 'trainer/*' 'tools/*' |
	sed -nE 's/\.(c|cc)$/.o/p' | while read -r object; do
		[ ! -e "$LUCIE_BUILD/$object" ] || nm -P "$LUCIE_BUILD/$object" | sed "s,^,$object ,"
	done | awk '
	$3 ~ /^[TBDRVWuiC]$/ { defined[$2] = $1; next }
	$3 ~ /^[Uvw]$/ { needs[$1, $2] }
	END {
		for (pair in needs) {
			split(pair, part, SUBSEP)
			if (part[2] in defined && defined[part[2]] != part[1])
				print part[1], defined[part[2]]
		}
	}' | sort | loops)"
done_testing
