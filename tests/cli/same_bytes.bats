#!/usr/bin/env bats
# The same bytes, any way a program runs: every mode and step of tests/cli/modes.bash by any number of
# threads, within any bound of memory, in one file or ten, compressed or not, in any number of parts.
bats_require_minimum_version 1.5.0

load modes

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir ten gz zst one
	cd ten || return 1
	kinds
	cd .. || return 1
	local way f
	for way in gz zst one; do ln -s "$PWD"/ten/* $way; done
	for f in ten/[0-9].jsonl; do
		rm gz/"${f#ten/}" zst/"${f#ten/}"
		gzip -c "$f" >gz/"${f#ten/}"
		# Four frames, one of them empty; they end within records.
		{ head -c 700 "$f" | zstd -q; zstd -q </dev/null; tail -c +701 "$f" | head -c 900 | zstd -q; tail -c +1601 "$f" | zstd -q; } >zst/"${f#ten/}"
	done
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# option PROGRAM LONG WORD...: print the words if the program has the option.
option() { ! takes "$1" "$2" || echo "${*:3}"; }

# run_row WAY ROW OPTIONS: run it in the folder of the way; the accounting line loses what may differ.
run_row() {
	local way=$1 word words more cmd=() status=0
	read -ra words <<<"$2"
	read -ra more <<<"$3"
	for word in "${words[@]}"; do
		case $word in
		IN) if [ "$way" = one ]; then cmd+=(a.jsonl); else cmd+=({0..9}.jsonl); fi ;;
		*) cmd+=("$word") ;;
		esac
	done
	(cd "$way" && fresh && "${cmd[@]}" "${more[@]}" >o/out 2>o/err </dev/null) || status=$?
	[ $status = 0 ] || [ "$status ${cmd[0]}" = "1 lucie-check" ] || echo "exit $status: $(cat "$way/o/err")"
	[ ! -e "$way/o/st" ] || sed -Ei 's/"args":[^]]*\],//; s/,"time".*//' "$way/o/st"
}

# nameless FOLDER: remove what says in which file a document was.
nameless() {
	rm -f "$1/index"
	find "$1" -type f ! -name '*.*' -exec sed -Ei 's/"(kept_)?(file|line)":("[^"]*"|[0-9]+),?//g; s/[0-9a]\.jsonl(:[0-9]*)?//g; s/"checksum":"[^"]*"//' {} +
}

# try ROW: run it in all ways; print what differs.
try() {
	local row=$1 p=${1%% *} way options bound
	options=-q
	[[ $row != *" IN" || $row = *--dry-run* ]] ||
		options+=" $(option "$p" rejects --rejects o/r) $(option "$p" stats --stats o/st)"
	run_row ten "$row" "$options $(option "$p" threads -j 1)"
	rm -rf want && cp -R ten/o want
	[ -n "$(find want -size +0 ! -name err ! -name st ! -name r)" ] || echo "no output"
	bound=$(option "$p" memory -m "${least[$p]-1}")
	local ways=()
	! takes "$p" threads || ways+=('ten -j 5' "ten -j 2 $bound")
	[[ $row != *" IN" ]] || ways+=("gz $bound" zst one)
	for way in "${ways[@]}"; do
		run_row "${way%% *}" "$row" "$options ${way#"${way%% *}"}"
		[ "$way" != one ] || { nameless want && nameless one/o; }
		diff -rq want "${way%% *}/o" | sed "s/^/$way: /"
	done
}

@test "every program that reads documents has a row" {
	local p
	for p in "$LUCIE_BUILD"/bin/*; do
		p=${p##*/}
		! takes "$p" text-field || [[ " lucie-eval lucie-generate " = *" $p "* ]] || printf '%s\n' "${modes[@]}" | grep -q "^$p " || { echo "$p"; return 1; }
	done
}

@test "every mode gives the same bytes by any threads and memory, in one file or ten, compressed" {
	local row said broken=0
	while read -r row; do
		takes "${row%% *}" quiet # remembered by the subshells
		said=$(try "$row" 2>&1)
		[ -z "$said" ] || { broken=1 && printf '%s:\n%s\n' "$row" "$said"; }
	done < <(printf '%s\n' "${modes[@]}" | wanted)
	return $broken
}


# steps FOLDER PARTS FILES OPTION:VALUE...: run all steps on files of the folder, with the options that
# a program has, and make one of what they put out.
steps() {
	local n=$2 files row p words o f
	read -ra files <<<"$3"
	cd "$1" && rm -rf s && mkdir s && cd s && ln -s "${files[@]/#/../}" ../tokenizer.json . || return 1
	shift 3
	while read -r row; do
		p=${row%% *}
		read -ra words <<<"$row"
		for o; do
			! takes "$p" "${o%:*}" || words+=("--${o%:*}" "${o#*:}")
		done
		words=("${words[@]/#least/${least[$p]-1}}")
		"${words[@]}" -q || { echo "${words[*]}"; return 1; }
	done < <(for o in exact near count shard; do "${o}_steps" "$n" "${files[@]}"; done)
	for f in exact exact.log near near.log; do cat ?.jsonl.$f >$f; done
	rm "${files[@]}" tokenizer.json
}

# whole FOLDER FILES: the same by one command each, in the folder `whole`.
whole() {
	rm -rf whole && mkdir whole && cd "$1" || return 1
	lucie-dedup -q --exact --keep newest:date --by lang --removed ../whole/exact.log -o ../whole/exact $2
	lucie-dedup -q --near --cluster-size --removed ../whole/near.log -o ../whole/near $2
	lucie-tok-train -q --vocab-size 420 -o ../whole/tok.json $2
	lucie-shard -q -t tokenizer.json --by-file -o ../whole/all $2
}

# compare: what the files of `whole` do not share with those of the steps.
compare() {
	local f
	[ -s whole/exact.log ] && [ -s whole/near.log ] && [ -s whole/all.json ] || echo "nothing to compare"
	for f in whole/*; do cmp "$f" "$1/s/${f#whole/}"; done
}

@test "steps in 1, 3 and 7 parts give the bytes of one command" {
	takes lucie-dedup quiet && takes lucie-tok-train quiet && takes lucie-shard quiet
	{
		(whole ten "$(echo {0..2}.jsonl)")
		(steps ten 1 "$(echo {0..2}.jsonl)" threads:5)
		compare ten
		(steps ten 7 "$(echo {0..2}.jsonl)" threads:1)
		compare ten
		(whole ten "$(echo {0..9}.jsonl)")
		(steps zst 3 "$(echo {0..9}.jsonl)" threads:2)
		compare zst
	} 2>&1 | tee said
	[ ! -s said ]
}

@test "each step gives the same bytes by any threads and within any memory" {
	takes lucie-dedup quiet && takes lucie-tok-train quiet && takes lucie-shard quiet
	(steps ten 2 "0.jsonl 1.jsonl 2.jsonl" threads:1)
	mv ten/s one-thread
	(steps ten 2 "0.jsonl 1.jsonl 2.jsonl" threads:5)
	diff -r one-thread ten/s
	(steps gz 2 "0.jsonl 1.jsonl 2.jsonl" threads:2 memory:least)
	diff -r one-thread gz/s
}
