#!/usr/bin/env bats
# A file that a run reads is never one of its outputs, and no two outputs share a name.

bats_require_minimum_version 1.5.0
load fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	fixtures a.jsonl b.jsonl tokenizer.json shards recipe.ini
	cp -R "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR.kept"
}

# refuses SENTENCE PROGRAM ARGUMENT...: it exits 2 with the sentence and no file has changed.
refuses() {
	local sentence=$1 status=0 kept=$BATS_TEST_TMPDIR.kept
	shift
	"$@" >/dev/null 2>"$kept.err" || status=$?
	[ $status = 2 ] || { echo "$*: exit $status"; return 1; }
	[ "$(cat "$kept.err")" = "$1: $sentence" ] || { echo "$*: $(cat "$kept.err")"; return 1; }
	diff -r . "$kept" || { echo "$*: changed a file"; return 1; }
}

same() { refuses "$1: input file is output file" "${@:2}"; }
twice() { refuses "$1: two outputs have this name" "${@:2}"; }

@test "a tokenizer is no output" {
	same tokenizer.json lucie-shard -t tokenizer.json -o tokenizer a.jsonl
	same "$PWD/tokenizer.json" lucie-shard -t ./tokenizer.json -o "$PWD/tokenizer" a.jsonl
	same tokenizer.json lucie-tok-encode -t tokenizer.json -o tokenizer.json a.jsonl
	same tokenizer.json lucie-tok-eval -t tokenizer.json --rejects tokenizer.json a.jsonl
	same tokenizer.json lucie-shard -t tokenizer.json --stats tokenizer.json -o x a.jsonl
}

@test "a document file is no output, whatever writes it" {
	same a.jsonl lucie-normalize --stats a.jsonl -o x a.jsonl
	same ./a.jsonl lucie-check --stats a.jsonl ./a.jsonl
	same a.jsonl lucie-mix -c recipe.ini --report a.jsonl -o x a.jsonl
}

@test "what the files of a shard are called is known before the work" {
	for name in s.json s.bin s-00000.idx; do
		cp a.jsonl "$name"
		cp a.jsonl "$BATS_TEST_TMPDIR.kept/$name"
	done
	same s.json lucie-shard -t tokenizer.json -o s s.json
	same s.bin lucie-shard -t tokenizer.json -o s s.bin
	same s-00000.idx lucie-shard -t tokenizer.json --max-tokens 100 -o s s-00000.idx
}

@test "a recipe and the files of a shard are no outputs" {
	same recipe.ini lucie-mix -c recipe.ini -o recipe.ini a.jsonl
	same shards/demo.bin lucie-trace shards/demo --token 0 -o shards/demo.bin
	same shards/demo.json lucie-trace shards/demo --token 0 -o shards/demo.json
	same shards/demo.json lucie-check --stats shards/demo.json shards/demo
	same shards/demo.idx lucie-check --stats shards/demo.idx shards/demo
}

@test "two outputs have two names" {
	twice x lucie-normalize -o x --stats "$PWD/x" a.jsonl
	twice x.json lucie-shard -t tokenizer.json -o x --stats x.json a.jsonl
	twice x lucie-dedup --exact --removed x -o x a.jsonl
}

@test "lucie-import leaves out its own output, and reads no text that it would replace" {
	mkdir texts
	echo "a text" >texts/a.txt
	for i in 1 2; do
		lucie-import texts -o texts/docs.jsonl
		[ "$(wc -l <texts/docs.jsonl)" = 1 ]
	done
	run -2 lucie-import texts --max-bad 9 -o texts/a.txt
	[ "$output" = "lucie-import: texts/a.txt: input file is output file" ]
	[ "$(cat texts/a.txt)" = "a text" ]
}

@test "lucie-import reads nothing twice that lies within another operand" {
	mkdir -p da/sub da2
	echo "a text" | tee da/a.txt da/sub/b.txt >da2/c.txt
	ln -s da/sub link
	for inner in da/sub da/./sub/b.txt link "$PWD/da/a.txt"; do
		run -2 lucie-import -o out "$inner" da
		[ "$output" = "lucie-import: $inner: lies within da, which is read too" ]
		[ ! -e out ]
	done
	[ "$(lucie-import da da2 | wc -l)" = 3 ]
}
