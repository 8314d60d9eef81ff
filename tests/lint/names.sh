#!/usr/bin/env bash
# Names, words and sizes: the top of the tree, unique file names, functions nobody may call,
# leftovers, files and folders that have grown too large. The lengths of functions and of programs
# are remarks: a sign to split, not a law.
. tests/lint/tap.bash

sources() { files '*.c' '*.h' '*.cc' '*.inc' '*.cu' '*.cuh'; }

ok "top of the tree" "$(files | sed 's,/.*,,' | sort -u | grep -v '^\.' |
	grep -vxE 'tools|libcommon|pipelines|kernels|trainer|Makefile|man|tests|README\.md|LICENSE')"
ok "file names are unique" "$(files | grep -vE '^tests/(cases|data|fuzz/corpus)/|^pipelines/' |
	grep -v -e '/module\.mk$' -e '/README\.md$' -e '^\.ci/run$' | sed 's,.*/,,' | sort | uniq -d)"
ok "no function that is banned" "$(sources | xargs grep -nE \
	'(^|[^_[:alnum:].>])(strcpy|strcat|sprintf|strtok|atoi|atol|atof|gets|mktemp|tmpnam|rand|srand|localtime|gmtime|ctime|alloca|setlocale)[[:space:]]*\(' |
	grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)')"
ok "nothing left to do" "$(files | grep -v -e '^tests/lint/names.sh' -e '^tests/cases/' |
	xargs grep -nIE '\b(TODO|FIXME|XXX|HACK)\b')"
ok "no blank at the end of a line" "$(files '*.c' '*.h' '*.cc' '*.mk' '*.sh' '*.bash' '*.bats' '*.[157]' |
	xargs grep -nE '[[:blank:]]+$')"
ok "no file above 700 lines" "$(sources | xargs wc -l | awk '$1 > 700 && $2 != "total" { print $2 ": " $1 " lines" }')"
ok "no folder of libcommon above 7,000 lines" "$(files 'libcommon/*/*' | xargs wc -l | awk '
$2 != "total" { sub("/[^/]*$", "", $2); lines[$2] += $1 }
END { for (f in lines) if (lines[f] > 7000) print f ": " lines[f] " lines" }')"
sources | xargs awk '
FNR == 1 { if (last ~ /^tools\// && lines > 400) print "# remark: " last ": " lines " lines"; start = 0 }
{ last = FILENAME; lines = FNR }
/^{/ { start = FNR }
/^}/ { if (start && FNR - start - 1 > 80) print "# remark: " FILENAME ":" start ": function of " FNR - start - 1 " lines"; start = 0 }
END { if (last ~ /^tools\// && lines > 400) print "# remark: " last ": " lines " lines" }'
done_testing
