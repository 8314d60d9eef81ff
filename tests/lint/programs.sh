#!/usr/bin/env bash
# `lucie` lists every program with the sentence of its help, and it, README.md and lucie(7) name the
# programs in one order.
. tests/lint/tap.bash

listed=$(lucie | sed -nE 's/^  ([a-z-]+) +(.*)/lucie-\1\t\2/p' |
	grep -vE '^lucie-(new|rules|text-field|help)	')
said=$(while IFS=$'\t' read -r name _; do
	printf '%s\t%s\n' "$name" "$("$name" --help | sed -n '2{s/\.$//;s/./\l&/;p}')"
done <<<"$listed")
ok "lucie: the sentences of the programs" "$(diff <(echo "$said") <(echo "$listed"))"
ok "lucie: lists every program" "$(diff <(cut -f1 <<<"$listed" | sort) \
	<(cd "$LUCIE_BUILD/bin" && printf '%s\n' lucie-* | sort))"
ok "lucie: fits a screen" "$(lucie | awk 'length > 80 { print "too wide: " $0 }')"
order() { grep -oE 'lucie-[a-z-]+' | awk '!seen[$0]++'; }
ok "README.md: the order of the programs" "$(diff <(cut -f1 <<<"$listed") \
	<(sed -n '/^## Programs/,/^## /p' README.md | awk -F'|' '{ print $2 }' | order))"
ok "lucie(7): the order of the programs" "$(diff <(cut -f1 <<<"$listed") \
	<(sed -n '/^\.Ss Programs/,/^\.Ss File/s/^\.It Xr \(lucie-[a-z-]*\).*/\1/p' man/man7/lucie.7))"
done_testing
