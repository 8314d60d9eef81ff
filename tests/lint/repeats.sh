#!/usr/bin/env bash
# No run of more than ten identical lines stands twice in the tree. Blank lines and indentation do
# not count. Golden cases and test data are what they are.
. tests/lint/tap.bash

mapfile -t sources < <(files '*.c' '*.h' '*.cc' '*.inc' '*.cu' '*.cuh' '*.sh' '*.bash' '*.bats' '*.py' \
	'*.mk' '*Makefile' | grep -vE '^tests/(cases|data)/')
ok "no run of more than ten lines stands twice" "$(awk '
BEGIN { RUN = 11 }
function flush(   i, k, key) {
	for (i = 1; i + RUN - 1 <= n; i++) {
		key = ""
		for (k = i; k < i + RUN; k++) key = key line[k] "\n"
		if (key in first) {
			# One row for each pair of places, not one for each line of a longer run.
			if (first[key] != before + 1 || file[key] != peer)
				print name ":" at[i] ": as in " file[key] ":" where[key]
			before = first[key]
			peer = file[key]
		} else {
			first[key] = i
			file[key] = name
			where[key] = at[i]
			before = -1
		}
	}
}
FNR == 1 { flush(); n = 0; name = FILENAME; before = -1; peer = "" }
{
	gsub(/^[ \t]+|[ \t]+$/, "")
	if ($0 != "") { line[++n] = $0; at[n] = FNR }
}
END { flush() }' "${sources[@]}")"
done_testing
