#!/usr/bin/env bats
# The program lucie: it runs the others, completes their names, and begins datasets.
bats_require_minimum_version 1.5.0

load fixtures

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "lucie lists the programs in the order of the pipeline" {
	run -0 lucie
	[ "${lines[1]}" = '  import     converts archives, pages, tables, office files, mail to documents' ]
	[[ $output == *$'\n  train '*$'\n  export '*$'\n  new '* ]]
	[ "$(lucie help)" = "$output" ]
}

@test "lucie NAME runs lucie-NAME with its arguments, input and exit status" {
	echo '{"text":"a\r\n"}' >in
	[ "$(lucie normalize --trim in)" = '{"text":"a"}' ]
	[ "$(lucie normalize <in)" = '{"text":"a\n"}' ]
	[ "$(lucie normalize --help)" = "$(lucie-normalize --help)" ]
	run -2 lucie normalize missing
	[ "$output" = "lucie-normalize: missing: No such file or directory" ]
	run -2 lucie normalize -Y
	[ "${lines[1]}" = "Try 'lucie-normalize --help'." ]
}

@test "a program is looked for beside lucie, then on PATH" {
	mkdir bin && cp "$LUCIE_BUILD/bin/lucie" bin
	printf '#!/bin/sh\necho "here $*"\n' >bin/lucie-normalize
	printf '#!/bin/sh\necho "mine $*"\n' >lucie-mine
	chmod +x bin/lucie-normalize lucie-mine
	[ "$(bin/lucie normalize a)" = 'here a' ]
	[ "$(PATH=$PWD:$PATH bin/lucie mine 'b c')" = 'mine b c' ]
}

@test "an unknown command is an error that names the nearest one" {
	run -2 lucie normalise
	[ "${lines[0]}" = "lucie: unknown command 'normalise', did you mean 'normalize'" ]
	run -2 lucie dedupe a
	[[ ${lines[0]} == *"did you mean 'dedup'" ]]
	run -2 lucie frobnicate
	[ "${lines[0]}" = "lucie: unknown command 'frobnicate'" ]
	run -2 lucie ../lucie-normalize
	run -2 lucie ''
}

@test "a program under its own name is told, and new takes a folder with a dash" {
	run -2 lucie lucie-lang
	[ "${lines[0]}" = "lucie: unknown command 'lucie-lang', did you mean 'lang'" ]
	run -2 lucie new -dash
	[[ "${lines[0]}" == *"the folder would be ./-dash" ]]
	[ ! -e ./-dash ]
	lucie new -- -dash
	[ -e ./-dash/Makefile ] && [ -d ./-dash/raw ]
	run -2 lucie new --
}

@test "lucie help shows a manual page" {
	command -v man >/dev/null || skip "no man"
	[[ $(lucie help mix | cat) == *'lucie-mix'*'proportions of a recipe'* ]]
	[[ $(lucie help lucie-mix | cat) == *'proportions of a recipe'* ]]
	[[ $(lucie help new | cat) == *'begins datasets'* ]]
	run -2 lucie help mixx
	[[ ${lines[0]} == *"did you mean 'mix'" ]]
}

@test "bash completes commands, options and choices" {
	bash -c '
	eval "$(lucie --print-completion bash)"
	complete_words() {
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_lucie
		echo "${COMPREPLY[*]}"
	}
	complete_words lucie norm
	complete_words lucie help tok-e
	complete_words lucie normalize --tr
	complete_words lucie normalize --form nf
	' >said
	diff - said <<-'END'
	normalize
	tok-encode tok-eval
	--trim
	nfc nfkc
	END
}

@test "zsh completes commands" {
	command -v zsh >/dev/null || skip "no zsh"
	lucie --print-completion zsh >_lucie
	zsh -n _lucie
}

@test "new refuses a folder that has one of its files, and changes nothing" {
	lucie -q new a
	[ "$(find a | sort | tr '\n' ' ')" = 'a a/Makefile a/README.md a/raw a/recipe.ini a/train.ini ' ]
	find a -type f -exec md5sum {} + >before
	run -2 lucie new a
	[[ $output == "lucie: a/"*": exists already; nothing was changed" ]]
	md5sum --quiet -c before
	mkdir b && echo 'all:' >b/Makefile
	run -2 lucie new b
	[ "$output" = "lucie: b/Makefile: exists already; nothing was changed" ]
	[ "$(find b | wc -l)" = 2 ]
	run -2 lucie new
	run -2 lucie new a b
}
