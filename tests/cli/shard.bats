#!/usr/bin/env bats
# lucie-shard: kills, a full disk, concurrent runs, and its options.

bats_require_minimum_version 1.5.0
load fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

documents() { sed -n 's/^"documents":\([0-9]*\),$/\1/p' "$1.json"; }

@test "after SIGKILL nothing opens, after SIGTERM nothing is left" {
	mkfifo docs
	for signal in KILL TERM; do
		rm -rf x && mkdir x
		lucie-shard --ids --vocab-size 1000 --max-tokens 250 -o x/s docs 3>&- &
		pid=$!
		exec 9>docs
		# Enough input for many parts, so that some are complete before the signal.
		records 200000 1 >&9
		kill -$signal $pid
		wait $pid || true
		exec 9>&-
		run opens x/s
		[ "$status" != 0 ]
		[ -z "$(find x -name '*.idx' ! -name '.*')" ]
		[ "$signal" = TERM ] || [ -n "$(ls -A x)" ]
		[ "$signal" = KILL ] || [ -z "$(ls -A x)" ]
	done
}

@test "a full disk exits 2 whichever file is written, and leaves no shard" {
	records 300 1 >docs.jsonl
	for ext in bin idx docs.jsonl.zst json; do
		rm -rf x && mkdir x && ln -s /dev/full x/s.$ext
		run -2 lucie-shard --ids --vocab-size 1000 -o x/s docs.jsonl
		[[ "$output" == "lucie-shard: x/s.$ext: No space left on device" ]]
		[ "$(ls -A x)" = s.$ext ]
	done
}

@test "of two concurrent attempts each gives a whole shard, a killed one nothing" {
	mkfifo docs
	lucie-shard --ids --vocab-size 1000 -o s docs 3>&- &
	pid=$!
	exec 9>docs
	records 1000 1 >&9
	while [ -z "$(find . -name '.s.json.*.lu-tmp')" ]; do sleep 0.05; done
	records 10 1 | lucie-shard --ids --vocab-size 1000 -o s 9>&-
	lucie-check s
	[ "$(documents s)" = 10 ]
	exec 9>&-
	wait $pid
	lucie-check s
	[ "$(documents s)" = 1000 ]
	[ -z "$(find . -name '*.lu-tmp')" ]
}

@test "surplus parts of a larger old shard are removed, other files stay" {
	records 300 1 | lucie-shard --ids --vocab-size 1000 --max-tokens 90 -o s
	[ -e s-00009.bin ]
	echo mine >s-notes.txt
	records 300 1 | lucie-shard --ids --vocab-size 1000 --max-tokens 500 -o s
	[ "$(ls)" = "$(printf '%s\n' s-0000{0,1}.{bin,docs.jsonl.zst,idx} s-notes.txt s.json)" ]
	records 300 1 | lucie-shard --ids --vocab-size 1000 -o s
	[ "$(ls)" = "$(printf '%s\n' s-notes.txt s.{bin,docs.jsonl.zst,idx,json})" ]
	lucie-check s
}

@test "held-out sets are disjoint, complete, near their share and independent of the order" {
	awk 'BEGIN { for (i = 0; i < 4000; i++)
		printf "{\"id\":%d,\"text\":\"number %d\",\"lang\":\"%s\",\"ids\":[1,2]}\n", i, i % 2000,
			i % 4 ? "fr" : "en" }' >docs.jsonl
	hold=(--ids --vocab-size 10 --holdout 'valid-{lang}=0.1' --holdout test=0.05)
	lucie-shard "${hold[@]}" -o a docs.jsonl
	tac docs.jsonl | lucie-shard "${hold[@]}" -o b
	lucie-shard "${hold[@]}" --seed 1 -o c docs.jsonl
	for p in a b c; do
		for s in "" -valid-fr -valid-en -test; do
			lucie-check "$p$s"
			zstd -dcq "$p$s.docs.jsonl.zst" | sed 's/.*"id":\([0-9]*\),.*/\1/' | sort -n >"$p$s.ids"
		done
		sort -n "$p".ids "$p"-*.ids | cmp - <(seq 0 3999)
	done
	for s in "" -valid-fr -valid-en -test; do
		cmp "a$s.ids" "b$s.ids"
		run cmp -s "a$s.ids" "c$s.ids"
		[ "$status" = 1 ]
	done
	n=$(cat a-valid-*.ids | wc -l)
	[ "$n" -gt 320 ]
	[ "$n" -lt 480 ]
	n=$(wc -l <a-test.ids)
	[ "$n" -gt 130 ]
	[ "$n" -lt 270 ]
	# Equal texts go to the same set.
	for s in "" -test; do
		[ -z "$(awk '{ print $1 % 2000 }' "a$s.ids" | sort | uniq -c | awk '$1 != 2')" ]
	done
}

@test "a share of 1 or 0 works; bad names and shares above 1 are refused" {
	records 50 1 >docs.jsonl
	lucie-shard --ids --vocab-size 1000 --holdout all=1 -o s docs.jsonl
	[ "$(documents s) $(documents s-all)" = "0 50" ]
	lucie-check s s-all
	lucie-shard --ids --vocab-size 1000 --holdout none=0 -o t docs.jsonl
	[ "$(documents t)" = 50 ]
	[ ! -e t-none.json ]
	for bad in a b= =0.1 a=x a=1.5 a=-1 a/b=0.1 00001=0.1; do
		run -2 lucie-shard --ids --vocab-size 1000 --holdout "$bad" -o u docs.jsonl
		[[ "${lines[0]}" == "lucie-shard: --holdout: '$bad'"* ]]
	done
	run -2 lucie-shard --ids --vocab-size 1000 --holdout a=0.6 --holdout b=0.6 -o u docs.jsonl
	[[ "$output" == *"add up to more than 1"* ]]
	[ -z "$(find . -name 'u*' -o -name '.*.lu-tmp')" ]
}

@test "the width of ids changes between 65499 and 65500" {
	echo '{"ids":[65498]}' >docs.jsonl
	lucie-shard --ids --vocab-size 65499 -o two docs.jsonl
	lucie-shard --ids --vocab-size 65500 -o four docs.jsonl
	[ "$(od -An -tu1 two.bin)" = " 218 255" ]
	[ "$(od -An -tu1 four.bin)" = " 218 255   0   0" ]
	run -2 lucie-shard --ids --vocab-size 65498 -o none docs.jsonl
	[[ "$output" == *"docs.jsonl:1: \"ids\" holds an id outside the vocabulary: 65498" ]]
	lucie-check two four
	run -1 lucie-check -q --vocab-size 65498 four
	[ "$output" = "four.bin: 1 ids outside the vocabulary, the first is token 0: 65498" ]
}

@test "the tokens are those of lucie-tok-encode between bos and eos" {
	fixtures a.jsonl tokenizer.json
	{ cat a.jsonl && echo '{"id":"empty","text":""}'; } >docs.jsonl
	lucie-tok-encode -t tokenizer.json a.jsonl >encoded
	lucie-shard -t tokenizer.json --stats stats -o s docs.jsonl
	lucie-check -t tokenizer.json s
	python3 - <<'END'
import json, struct
m = json.load(open("s.json"))
ids = struct.unpack("<%dH" % m["tokens"], open("s.bin", "rb").read())
want = []
for line in open("encoded"):
    r = json.loads(line)
    want += [m["bos"]] + (r["ids"] if isinstance(r, dict) else r) + [m["eos"]]
assert list(ids) == want
s = json.load(open("stats"))
assert s["in"]["docs"] == s["out"]["docs"] + 1 and s["dropped"] == {"empty text": 1}
assert s["tokens"] == m["tokens"] == sum(l["tokens"] for l in m["langs"])
END
	lucie-shard -t tokenizer.json --keep-empty -o k docs.jsonl
	[ "$(documents k)" = $(($(documents s) + 1)) ]
	[ "$(tail -c 4 k.bin | od -An -tu2)" = "$(head -c 2 s.bin | od -An -tu2)$(tail -c 2 s.bin | od -An -tu2)" ]
	lucie-check k
	# A different tokenizer of the same size is refused.
	sed 's/"version"/ "version"/' tokenizer.json >other.json
	run -1 lucie-check -t other.json s
	[[ "$output" == "s.json: was made by another tokenizer"* ]]
}
