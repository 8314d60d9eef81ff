#!/usr/bin/env bash
# The option table of each program (--print-options), its page and its --help say the same.
. tests/lint/tap.bash

# page_options PAGE: "-o" and "--output", one a line, of the .It Fl rows outside EXAMPLES.
page_options() {
	awk '/^\.It Fl / {
		for (i = 2; i < NF; i++)
			if ($i == "Fl") print "-" $(i + 1)
	}' "$1" | sort -u
}

for p in "$LUCIE_BUILD"/bin/*; do
	name=${p##*/} page=man/man1/${p##*/}.1
	[ -e "$page" ] || continue # tests/lint/pages.sh says so
	table=$("$p" --print-options | awk -F'\t' '{ if ($1) print "-" $1; print "--" $2 }' | sort -u)
	ok "$name: the page lists the options that there are" "$(diff \
		<(echo "$table" | grep -vxe -h -e --help -e --version) \
		<(page_options "$page" | grep -vxe -h -e --help -e --version) | grep '^[<>]')"
	help=$("$p" --help)
	missing=
	while read -r long letter; do
		grep -qe "--$long\b" -e "[ ,]-${letter:-$long}\b" <<<"$help" || missing+="--$long "
	done < <("$p" --print-options | awk -F'\t' '{ print $2, $1 }')
	ok "$name: --help lists them" "$missing"
	ok "$name: --help fits a screen" \
		"$(awk 'length > 80 { print "too wide: " $0 } END { if (NR > 24) print NR " lines" }' <<<"$help")"
	does=$(sed -n 's/^\.Nd //p' "$page")
	ok "$name: one sentence in both" "$(diff <(echo "${does^}.") <(sed -n 2p <<<"$help"))"
	ok "$name: the synopsis names it" \
		"$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$page" | grep -q "^\.Nm\( $name\)\?\b" || echo no)"
	ok "$name: completions load" "$("$p" --print-completion bash | bash -n 2>&1)"
done
done_testing
