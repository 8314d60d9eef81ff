#!/usr/bin/env bash
# Names and words: the top of the tree, unique file names, functions nobody may call, leftovers.
# The lengths of functions and files are remarks: a sign to split, not a law.
. tests/lint/tap.bash

sources() { files '*.c' '*.h' '*.cc' '*.cu' '*.cuh'; }

ok "top of the tree" "$(files | sed 's,/.*,,' | sort -u | grep -v '^\.' |
	grep -vxE 'tools|libcommon|pipelines|kernels|trainer|Makefile|man|tests|README\.md|LICENSE')"
ok "file names are unique" "$(files | grep -vE '^tests/(cases|data|fuzz/corpus)/|^pipelines/' |
	grep -v -e '/module\.mk$' | sed 's,.*/,,' | sort | uniq -d)"
ok "no function that is banned" "$(sources | xargs grep -nE \
	'(^|[^_[:alnum:].>])(strcpy|strcat|sprintf|strtok|atoi|atol|atof|gets|mktemp|tmpnam|rand|srand|localtime|gmtime|ctime|alloca|setlocale)[[:space:]]*\(' |
	grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)')"
ok "nothing left to do" "$(files | grep -v -e '^tests/lint/names.sh' -e '^tests/cases/' |
	xargs grep -nIE '\b(TODO|FIXME|XXX|HACK)\b')"
ok "no blank at the end of a line" "$(files '*.c' '*.h' '*.cc' '*.mk' '*.sh' '*.bash' '*.bats' '*.[157]' |
	xargs grep -nE '[[:blank:]]+$')"
sources | xargs awk '
function limit(file) { return file ~ /^tools\// ? 400 : 800 }
FNR == 1 && last { if (lines > limit(last)) print "# remark: " last ": " lines " lines"; start = 0 }
{ last = FILENAME; lines = FNR }
/^{/ { start = FNR }
/^}/ { if (start && FNR - start - 1 > 80) print "# remark: " FILENAME ":" start ": function of " FNR - start - 1 " lines"; start = 0 }
END { if (lines > limit(last)) print "# remark: " last ": " lines " lines" }'
done_testing
