#!/usr/bin/env bats
# Completion in bash and zsh, by what a person sees who presses TAB.
bats_require_minimum_version 1.5.0

setup_file() {
	share=$BATS_FILE_TMPDIR/share
	export share
	mkdir -p "$share/bash-completion/completions" "$share/zsh/site-functions"
	local p name
	for p in "$LUCIE_BUILD"/bin/*; do
		name=${p##*/}
		"$p" --print-completion bash >"$share/bash-completion/completions/$name"
		"$p" --print-completion zsh >"$share/zsh/site-functions/_$name"
	done
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir folder
	touch file.jsonl 'file two'
}

# press SHELL LINE BECOMES LISTED: the line with its tabs becomes BECOMES, and the words LISTED are
# offered, and none of those with a ! in front.
press() {
	local got line listed word
	got=$(python3 "$LUCIE_SRC/tests/cli/complete.py" "$1" "$share" "$2") || {
		echo "$got"
		return 1
	}
	{
		read -r line
		read -r listed
	} <<<"$got"$'\n'
	[ "$line" = "${3% }" ] || { echo "$1: '$2' became '$line', not '$3'" && return 1; }
	for word in $4; do
		if [ "${word#!}" = "$word" ]; then
			[[ " $listed" == *" $word"* ]] || { echo "$1: '$3' offers no $word: $listed" && return 1; }
		else
			[[ " $listed" != *" ${word#!}"* ]] || { echo "$1: '$2' offers ${word#!}: $listed" && return 1; }
		fi
	done
}

has() {
	command -v "$1" >/dev/null && return
	[ -z "${CI-}" ] || { echo "$1 is missing" && return 1; }
	skip "$1 is missing"
}

@test "bash completes options, values, folders and files" {
	press bash $'lucie-filter --pre\t' 'lucie-filter --preset' ''
	press bash $'lucie-filter --preset fine\t\t\t' 'lucie-filter --preset fineweb' 'fineweb2-fr !gopher'
	press bash $'lucie-filter --progress=a\t\t' 'lucie-filter --progress=a' 'always auto !never'
	press bash $'lucie-filter --set \t\t' 'lucie-filter --set' '!file !folder'
	press bash $'lucie-filter -z x\t' 'lucie-filter -z xz' ''
	press bash $'lucie-lang --keep-lang en,f\t\t' 'lucie-lang --keep-lang en,f' 'en,fr en,fi !fr'
	press bash $'lucie-export -o f\t' 'lucie-export -o folder/' ''
	press bash $'lucie-filter -o fi\t\t\t' 'lucie-filter -o file' 'file.jsonl !folder'
	press bash $'lucie-filter f\t\t' 'lucie-filter f' 'file.jsonl folder/'
	press bash $'lucie-filter -- --pre\t' 'lucie-filter -- --pre' ''
	press bash $'lucie nor\t' 'lucie normalize' ''
	press bash $'lucie tok-train --preset b\t' 'lucie tok-train --preset bytelevel' ''
	press bash $'lucie help gen\t' 'lucie help generate' ''
}

@test "zsh completes options, values, folders and files" {
	has zsh
	press zsh $'lucie-filter --pre\t' 'lucie-filter --preset=' ''
	press zsh $'lucie-filter --preset fine\t\t' 'lucie-filter --preset fineweb' 'fineweb2-fr !gopher'
	press zsh $'lucie-filter --progress=a\t\t' 'lucie-filter --progress=a' 'always auto !never'
	press zsh $'lucie-filter --set \t\t' 'lucie-filter --set' '!file !folder'
	press zsh $'lucie-filter -z x\t' 'lucie-filter -z xz' ''
	press zsh $'lucie-lang --keep-lang en,f\t\t' 'lucie-lang --keep-lang en,f' 'fr fi !el'
	press zsh $'lucie-export -o f\t' 'lucie-export -o folder/' ''
	press zsh $'lucie-filter -o fi\t\t\t' 'lucie-filter -o file' 'file.jsonl !folder'
	press zsh $'lucie-filter f\t\t' 'lucie-filter f' 'file.jsonl folder/'
	press zsh $'lucie nor\t' 'lucie normalize' ''
	press zsh $'lucie tok-train --preset b\t' 'lucie tok-train --preset bytelevel' ''
	press zsh $'lucie help gen\t' 'lucie help generate' ''
}

# each SHELL: every program lists all its options.
each_lists() {
	local p name args=() names=() i=0 became listed option
	for p in "$LUCIE_BUILD"/bin/lucie-*; do
		names+=("${p##*/}")
		args+=("${p##*/} --"$'\t\t')
	done
	python3 "$LUCIE_SRC/tests/cli/complete.py" "$1" "$share" "${args[@]}" $'lucie nor\t' $'lucie fil\t' >got
	while read -r became && read -r listed; do
		name=${names[i++]-}
		[ -n "$name" ] || break
		while read -r option; do
			[[ " $listed" =~ (^| |--)"${option#--}"( |$) ]] || { echo "$1: $name offers no $option: $listed" && return 1; }
		done < <("$name" --print-options | sed $'s/[^\t]*\t/--/;s/\t.*//')
	done <got
	[ "$i" = $((${#names[@]} + 1)) ]
	[ "$(tail -n 4 got | sed -n '1p;3p')" = $'lucie normalize \nlucie filter ' ]
}

@test "bash lists the options of every program" {
	each_lists bash
}

@test "zsh lists the options of every program" {
	has zsh
	each_lists zsh
}
