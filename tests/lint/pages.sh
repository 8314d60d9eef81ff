#!/usr/bin/env bash
# Manual pages: clean for mandoc, sections in order, one for each program, references that lead
# somewhere.
. tests/lint/tap.bash

order="NAME SYNOPSIS DESCRIPTION OPTIONS ENVIRONMENT FILES EXIT_STATUS EXAMPLES SEE_ALSO"
order+=" STANDARDS CAVEATS SECURITY_CONSIDERATIONS"
for page in $(files 'man/*.[1-9]'); do
	name=${page##*/}
	ok "$name: mandoc has nothing to say" "$(mandoc -T lint -W warning "$page" 2>&1)"
	ok "$name: quotes one thing a line" "$(grep -nE '^\.(.* )?Ql ([^ ]+ , [^ ]|.* Ql )' "$page")"
	got=$(sed -n 's/^\.Sh //p' "$page" | tr ' ' _)
	if [ "${name##*.}" = 1 ]; then
		wanted=$(tr ' ' '\n' <<<"$order" | grep -Fxf <(printf '%s\n' "$got"))
		ok "$name: sections" "$(diff <(echo "$wanted") <(echo "$got"))"
		missing=
		for need in NAME SYNOPSIS DESCRIPTION EXIT_STATUS EXAMPLES SEE_ALSO; do
			grep -qx $need <<<"$got" || missing+="no section $need "
		done
		ok "$name: has what every program's page has" "$missing"
	fi
	broken=
	while read -r to section; do
		[ -e "man/man$section/$to.$section" ] || broken+="$to($section) "
	done < <(sed -n 's/^\.\(It \)\{0,1\}Xr \(lucie[^ ]*\) \([1-9]\).*/\2 \3/p' "$page")
	ok "$name: references" "$broken"
	ok "$name: title" "$(grep -qi "^\.Dt ${name%.*} ${name##*.}\$" "$page" || echo "wrong .Dt")"
done
without=
for p in "$LUCIE_BUILD"/bin/*; do
	[ -e "man/man1/${p##*/}.1" ] || without+="${p##*/} "
done
ok "every program has its page" "$without"
without=
for page in man/man1/*.1; do
	name=$(basename "$page" .1)
	[ -x "$LUCIE_BUILD/bin/$name" ] || without+="$name "
done
ok "every page has its program" "$without"
done_testing
