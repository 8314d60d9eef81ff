#!/usr/bin/env bats
# What a command line with a mistake, or with a name of the version before, is told.
bats_require_minimum_version 1.5.0

# told SENTENCE COMMAND...: the command exits 2, writes nothing, and its error is the sentence.
told() {
	run -2 --separate-stderr "${@:2}" </dev/null
	[ -z "$output" ]
	[ "${stderr_lines[0]}" = "$2: $1" ] || { echo "${stderr_lines[0]}"; false; }
	[ "${#stderr_lines[@]}" = 2 ] # and the hint to --help
}

@test "a misspelt option, value, preset or rule is told what is near" {
	told "unknown option '--presett', did you mean '--preset'" lucie-filter --presett gopher
	told "unknown option '--keep_lang', did you mean '--keep-lang'" lucie-lang --keep_lang fr
	told "unknown option '--outptu', did you mean '--output'" lucie-train --outptu run
	told "unknown option '--nothing'" lucie-filter --nothing
	told "unknown option '-J', did you mean '-j'" lucie-filter -J 2
	told "unknown option '-preset', did you mean '--preset'" lucie-filter -preset gopher
	told "option '--s' is ambiguous: --set, --stop-words, --stats" lucie-filter --s x
	told "option '-o' needs an argument: FILE" lucie-filter -o
	told "option '--output' needs an argument: PREFIX" lucie-shard --output
	told "option '--from' needs an argument: jsonl|ids|u16|u32" lucie-tok-decode --from
	told "option '--annotate' takes no argument: 'yes'" lucie-filter --annotate=yes
	told "--progress: 'nevr' is not one of auto|always|never, did you mean 'never'" \
		lucie-filter --progress nevr
	told "--preset: 'bytlevel' is not one of lucie|lucie-2024|bytelevel|metaspace, did you mean 'bytelevel'" \
		lucie-tok-train --preset bytlevel
	told "--preset: unknown preset 'fineweb-fr', did you mean 'fineweb2-fr'" \
		lucie-filter --preset fineweb-fr
	told "--preset: unknown preset 'best'; --list prints them" lucie-filter --preset best
	told "--set: unknown rule 'min_word', did you mean 'min_words'" lucie-filter --set min_word=3
	told "--set: unknown rule 'foo'; --list prints them" lucie-filter --set foo=3
	told "--remove: unknown kind of characters 'soft_hyphen', did you mean 'soft-hyphen'" \
		lucie-normalize --remove bom,soft_hyphen
}

@test "an unknown language is told the code that was meant" {
	told "--keep-lang: unknown language 'french', did you mean 'fr'" lucie-lang --keep-lang french
	told "--keep-lang: unknown language 'FR', did you mean 'fr'" lucie-lang --keep-lang en,FR
	told "--keep-lang: unknown language 'fra', did you mean 'fr'" lucie-lang --keep-lang fra
	told "--keep-lang: unknown language 'qq': CLD2 does not tell it; codes are those of ISO 639 such as fr" \
		lucie-lang --keep-lang qq
	told "--stop-words: unknown language 'French', did you mean 'fr'" lucie-filter --stop-words French
	told "--stop-words: stop words exist for en and fr, not for 'de'" lucie-filter --stop-words de
	told "--lang: unknown language 'german', did you mean 'de'" lucie-import --lang german
	echo '{"text":"x"}' | lucie-lang -q --keep-lang und,fr,ceb >out
	rm out
}

# old NOTE COMMAND...: the option of the version before works, and says so.
old() {
	run -0 --separate-stderr "${@:2}" </dev/null
	[ "${stderr_lines[0]}" = "$2: $1" ] || { echo "$stderr"; false; }
	run -0 --separate-stderr "${@:2}" -q </dev/null
	[ -z "$stderr" ]
}

@test "names of the version before work with a note, and are shown nowhere" {
	cd "$BATS_TEST_TMPDIR"
	old "--min-lang-score is now --min-score" \
		lucie-filter --allow-empty --min-lang-score 0.5
	old "--lang is now --stop-words" lucie-filter --allow-empty --annotate --lang fr
	old "--keep is now --keep-lang" lucie-lang --allow-empty --keep fr
	old "--vocab is now --vocab-size" lucie-shard --ids --allow-empty -o s --vocab 5
	old "--vocab is now --vocab-size" lucie-check --json --vocab=5 s
	printf '{"text":"%s"}\n' aa ab >d
	old "-n is now --vocab-size" lucie-tok-train --preset bytelevel -n300 -o t d
	old "--special is now --special-token" \
		lucie-tok-train --preset bytelevel --vocab-size 300 --special '<x>' -o t d
	old "--normalization is now --form" \
		lucie-tok-train --preset bytelevel --vocab-size 300 --normalization nfc -o t d
	local p
	for p in lucie-filter lucie-lang lucie-shard lucie-check lucie-tok-train; do
		for print in --help --print-options '--print-completion=bash' '--print-completion=zsh'; do
			run ! grep -wE -e '(--|\t)(min-lang-score|vocab|special|normalization|keep|lang)([[ \t]|$)' <("$p" $print)
		done
	done
}

@test "a cut option means the one of today, whatever old names begin with it" {
	run -0 --separate-stderr lucie-lang --allow-empty --ke fr </dev/null
	[ -z "$stderr" ]
	run -0 --separate-stderr lucie-filter --allow-empty --min 0.5 </dev/null
	[ -z "$stderr" ]
	run -0 --separate-stderr lucie-filter --li
	[ -n "$output" ] && [ -z "$stderr" ]
}

@test "--stats counts the documents that lucie-check, lucie-eval and lucie-stats read" {
	cd "$BATS_TEST_TMPDIR"
	printf '{"text":"one"}\n{"text":3}\n{"text":"two"}\n' >d
	run -1 lucie-check --json --stats s d
	grep -q '"in":{"docs":3,"bytes":41},"out":{"docs":2,"bytes":30},"dropped":{"bad record":1},"repeated":0' s
	lucie-stats --documents --max-bad 1 --stats s d >out
	sed -n 2p s | grep -q '"tool":"lucie-stats".*"in":{"docs":3,"bytes":41},"out":{"docs":2'
	told "--rejects, --max-bad and --stats need --documents" lucie-stats --stats t s
}
