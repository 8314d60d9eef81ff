#!/usr/bin/env bash
# Nothing that nobody uses, nothing that is not there: functions of headers without a caller,
# operations without a call, functions that a comment names and the code does not have, macros that
# are asked and never set.
. tests/lint/tap.bash

sources() { files '*.c' '*.h' '*.cc' '*.inc' '*.cu' '*.cuh'; }

# What training on a device calls as soon as there is one.
soon='
lt_table_find lt_broadcast lt_group_rank lt_group_size lt_comm_single
attn_merge record_begin record_end replay graph_free
'

# A name that stands once in all code is a definition without a call. Tests are no users, except of
# the reference implementations, of the random integers that they draw and of feeds over bytes.
once=$( (sources | grep -vE '^tests/|\.h$' | xargs cat
	sources | grep '\.h$' | grep -v '^tests/' | xargs sed -nE '/^static |^template/,/^}/p; /^#define/,/[^\\]$/p') |
	grep -oE '\bl[ukt]_[a-z0-9_]+' | sort | uniq -c | awk '$1 == 1 { print $2 }')
ok "each function of a header has a caller" "$(sources | grep '\.h$' | grep -v '^tests/' |
	xargs sed -nE '/^typedef/!s/^[a-z][^(]*[ *](l[ukt]_[a-z0-9_]+)\(.*/\1/p' | sort -u | grep -xF "$once" |
	grep -vE '^lk_ref_|^lu_rand_below$|^lu_feed_open_str$' | grep -vE "^($(tr ' \n' '|' <<<"$soon" | sed 's/^|*//; s/|*$//'))")"

# The members of struct lk_ops are called through the table.
members=$(sed -n '/^struct lk_ops {/,/^};/s/.*(\*\([a-z_0-9]*\))(.*/\1/p' kernels/lk.h)
calls=$(files 'trainer/*.c' | xargs grep -ohE '(->|\.)[a-z_0-9]+\(' | tr -d '.>(-' | sort -u)
ok "each operation has a call" "$(grep -vxF "$calls" <<<"$members" |
	grep -vxF "$(tr ' ' '\n' <<<"$soon" | grep .)")"

# Words like lu_buf_check() in comments and pages.
code=$(sources | xargs cat | perl -0pe 's{/\*.*?\*/}{}gs; s{//[^\n]*}{}g' | grep -oE '\bl[ukt]_[a-z0-9_]+' | sort -u)
# shellcheck disable=SC2016 # perl's variables
ok "functions that comments name are there" "$(sources | xargs perl -0ne '
	while (m{/\*.*?\*/}gs) {
		my $comment = $&;
		print "$ARGV: $1\n" while $comment =~ /\b(l[ukt]_[a-z0-9_]+)\(\)/g;
	}' | sort -u | while IFS=': ' read -r file name; do
		grep -qxF "$name" <<<"$code" || echo "$file: $name()"
	done)"

# A macro that #if or #ifdef asks for is defined in our code or by the build.
set_macros=$( (sources | xargs sed -nE 's/^[[:space:]]*#[[:space:]]*define[[:space:]]+(L[UKT]_[A-Z0-9_]+).*/\1/p'
	files 'Makefile' '*.mk' | xargs grep -ohE '[-]DL[UKT]_[A-Z0-9_]+' | sed 's/^-D//') | sort -u)
ok "macros that are asked are set" "$(sources |
	xargs grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|elif)\b.*\bL[UKT]_[A-Z0-9_]+' |
	while IFS= read -r row; do
		grep -oE '\bL[UKT]_[A-Z0-9_]+' <<<"${row#*#}" | grep -vxF "$set_macros" | sed "s,^,${row%%:*}: ,"
	done | sort -u)"

version=$(sed -nE 's/^#define LU_VERSION "(.*)"/\1/p' libcommon/sys/tool.h)
ok "the version stands once" "$(files 'Makefile' '*.mk' '*.c' '*.h' '*.sh' '*.bats' '*.1' '*/out' |
	xargs grep -nF "$version" | grep -v -e '^libcommon/sys/tool.h:' -e "==$version")"
ok "no decision by the text of an error" "$(sources | xargs grep -nE '\bstrstr\([^;]*\bmsg\b' |
	grep -v '^tests/')"
done_testing
