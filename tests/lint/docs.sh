#!/usr/bin/env bash
# What the documents for users and developers name exists: paths, make targets, identifiers, manual
# pages. Capitals stand for any name: tools/lucie-X.c, tests/cases/TOOL/CASE. lucie-changes(7) is
# history and may name what is gone.
# shellcheck disable=SC2016,SC2317 # backquotes are Markdown's; each() calls the functions
. tests/lint/tap.bash

tops='(libcommon|tools|kernels|trainer|pipelines|tests|man|build|\.github|\.ci)'
all=$(files)
sources=$(files '*.c' '*.h' '*.cc' '*.inc')
targets=$(make -pq no-such-target 2>/dev/null | awk '
	/^# Not a target:/ { getline; next }
	/^[A-Za-z][A-Za-z0-9_.-]*:([^=]|$)/ { sub(/:.*/, ""); print }' | sort -u)

# commands DOCUMENT: what a reader may type: fenced blocks and `spans` of Markdown, .Ql of mdoc.
commands() {
	case $1 in
	*.md)
		awk '
		/^```/ { fenced = !fenced; next }
		fenced { print; next }
		{ text = text " " $0 }
		END {
			n = split(text, part, "`")
			for (i = 2; i <= n; i += 2) print part[i]
		}' <<<"$text"
		;;
	*) sed -n 's/^\.Ql //p' "$1" ;;
	esac
}

# exists PATH: a path of the tree, a pattern of one, or what make builds from one.
exists() {
	case $1 in
	build/*/bin/*) exists "tools/${1##*/}.c" || exists "trainer/${1##*/}.c" ;;
	build/*/tests/fuzz/found-*) true ;;
	build/*/tests/*) set -- "${1#build/*/}" && exists "${1%.so}.c" ;;
	build/*) true ;;
	*) [ -e "$1" ] || compgen -G "$(sed -E 's/[A-Z]+/*/g' <<<"$1")" >/dev/null ;;
	esac
}
file_exists() { grep -qE "(^|/)$(sed -E 's/[A-Z]+/[^\/]*/g' <<<"$1")\$" <<<"$all"; }
is_target() { grep -qxF -- "$1" <<<"$targets"; }
is_identifier() { xargs grep -qwF -- "$1" <<<"$sources"; }
is_page() { compgen -G "man/man[157]/$1" >/dev/null; }
is_link() { [ -e "$(dirname "$doc")/$1" ]; }

# each WHAT PREDICATE: reads names; one test, which fails with those that do not hold.
each() {
	local name missing=
	while read -r name; do
		$2 "$name" || missing+="$name "
	done < <(sort -u)
	ok "$doc: $1" "$missing"
}

for doc in README.md .github/CONTRIBUTING.md man/man7/lucie-style.7; do
	text=$(sed '/^```c$/,/^```$/d' "$doc")
	each paths exists < <(grep -oP "(?<![\w./-])$tops/[\w./*-]*" <<<"$text" | sed 's/[./]*$//')
	each "files without their folder" file_exists < <(
		grep -oP '(?<![\w./*-])\w+\.(h|c|cc|inc|mk|sh|bash|bats)\b' <<<"$text")
	each targets is_target < <(commands "$doc" | sed -nE '/make -C /d; s/ #.*//; s/(^|.* )make( |$)/ /p' |
		sed -E 's/[A-Z_]+=("[^"]*"|[^ ]*)//g; s/-C [^ ]*//' | tr ' ' '\n' | grep -vE '^$|^-|/')
	each identifiers is_identifier < <(grep -oP '\b(lu|lk|lt|LU|LK|LT)_\w*[A-Za-z0-9]\b' "$doc")
	each pages is_page < <(
		grep -oP 'man( -M man)? [157] lucie[a-z-]*' "$doc" | sed -E 's/.*([157]) (.*)/\2.\1/')
	each links is_link < <(grep -oP '\]\(\K[^)#]+' "$doc" | grep -v '^https\?:')
done
for doc in README.md man/man7/lucie.7; do
	missing=
	for p in "$LUCIE_BUILD"/bin/*; do
		grep -qE "\b${p##*/}\b([^-]|\$)" "$doc" || missing+="${p##*/} "
	done
	ok "$doc: names every program" "$missing"
done

doc="make help"
help=$(make --no-print-directory help)
in_help() { grep -qE "^  $1 " <<<"$help"; }
each targets is_target < <(sed '/^Variables/,$d' <<<"$help" | awk '/^  [^ ]/ { print $1 }')
each "all phony targets" in_help < <(
	sed -n 's/^\.PHONY: //p' Makefile ./*/module.mk | tr ' ' '\n' | grep -v -e '-now$')
done_testing
