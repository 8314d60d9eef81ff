#!/usr/bin/env bats
# lucie-eval, lucie-export, lucie-generate, lucie-check and lucie-trace: marks that do not exist,
# tokenizers and shards that do not belong to the model, documents without tokens, names and means
# in tables.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	export OMP_WAIT_POLICY=passive
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures run
	# The same vocabulary, another file.
	sed '1s/{/{ /' tokenizer.json >another.json
	lucie-shard -q -t another.json -o other a.jsonl
	sed '/^tokenizer/d; s/^preset.*/&\nvocab = 400/' train.ini >plain.ini
	lucie-train -q -c plain.ini -o plain
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf out
}

# says_both COMMAND...: refused with a sentence that has both names
says_both() {
	local a=$1 b=$2
	shift 2
	run -2 "$@"
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"$a: "*"another tokenizer than $b "* ]]
}

# without MARK...: a run on a tokenizer that lacks the marks, `bare`
without() {
	rm -rf bare bare.* marks.json
	python3 - "$@" <<-END
		import json, sys
		lacks = {"bos": "<s>", "eos": "</s>", "pad": "<pad>"}
		t = json.load(open("tokenizer.json"))
		for mark in sys.argv[1:]:
		    old, new = lacks[mark], "<" + mark + "-x>"
		    for a in t["added_tokens"]:
		        if a["content"] == old:
		            a["content"] = new
		    v = t["model"]["vocab"]
		    if old in v:
		        v[new] = v.pop(old)
		t["post_processor"] = None
		json.dump(t, open("marks.json", "w"))
	END
	lucie-shard -q --add none -t marks.json -o bare a.jsonl
	sed 's,^train = .*,train = bare,; s,^tokenizer.*,tokenizer = marks.json,; s,^steps.*,steps = 1,' \
		train.ini >bare.ini
	lucie-train -q -c bare.ini -o bare
	lucie-export -q -o out bare
}

# exported FILE MEMBER: the value, in one word
exported() { python3 -c 'import json, sys; print(json.load(open("out/" + sys.argv[1])).get(sys.argv[2], "absent"))' "$@"; }

@test "a mark that does not exist is null in an export" {
	declare -A id
	for set in "" bos eos pad "bos eos pad"; do
		rm -rf out
		# shellcheck disable=SC2086 # words
		without $set
		for mark in bos eos pad; do
			for file in config.json generation_config.json; do
				got=$(exported $file ${mark}_token_id)
				if [[ " $set " == *" $mark "* ]]; then
					[ "$got" = None ]
				else
					[ "$got" = "${id[$mark]-$got}" ]
					id[$mark]=$got
					((got < $(exported config.json vocab_size)))
				fi
			done
			got=$(exported tokenizer_config.json ${mark}_token)
			if [[ " $set " == *" $mark "* ]]; then [ "$got" = absent ]; else [ "$got" != absent ]; fi
		done
	done
}

@test "an export without a tokenizer has the ids of its model, or none" {
	lucie-export -q -o out plain
	[ "$(exported config.json bos_token_id)" = None ]
	[ "$(exported generation_config.json pad_token_id)" = None ]
	rm -rf out first
	lucie-export -q -o first run
	rm first/tokenizer.json
	sed -i 's/"eos_token_id": [0-9]*/"eos_token_id": [1, 2]/; s/"pad_token_id": [0-9]*/"pad_token_id": -1/' \
		first/config.json
	lucie-export -q -o out first
	[ "$(exported config.json eos_token_id)" = "[1, 2]" ]
	[ "$(exported config.json pad_token_id)" = None ]
	[ "$(exported config.json bos_token_id)" = 0 ]
	rm -rf first
}

@test "a tokenizer that is not the model's is refused" {
	says_both another.json run/tokenizer.json lucie-eval -t another.json run a.jsonl
	says_both another.json run/tokenizer.json lucie-eval -t another.json run shards/demo
	says_both another.json run/../tokenizer.json lucie-eval -t another.json run/latest a.jsonl ||
		says_both another.json run/latest/../tokenizer.json lucie-eval -t another.json run/latest a.jsonl
	says_both another.json run/tokenizer.json lucie-export -t another.json -o out run
	[ ! -e out ]
	says_both another.json run/tokenizer.json lucie-generate -t another.json run
	# A run without a tokenizer was trained on shards of one.
	says_both another.json shards/demo lucie-eval -t another.json plain a.jsonl
	says_both another.json shards/demo lucie-export -t another.json -o out plain
	lucie-eval -q -t tokenizer.json plain a.jsonl
	# The same file under another name is the same tokenizer.
	cp tokenizer.json copy.json
	lucie-eval -q -t copy.json run a.jsonl
	lucie-tok-train -q --vocab-size 1000 -o large.json a.jsonl b.jsonl
	mv shards elsewhere
	run -2 lucie-eval -t large.json plain a.jsonl
	mv elsewhere shards
	[[ "$output" == *"large.json: "*" tokens, more than the "*" of the model"* ]]
}

@test "shards that were not made with the model's tokenizer are refused" {
	says_both other run/tokenizer.json lucie-eval run other
	says_both other run/tokenizer.json lucie-eval run shards/demo other
	says_both other shards/demo lucie-eval plain other
	lucie-export -q -o out run
	says_both other out/tokenizer.json lucie-eval out other
	# Where nothing is known of the model, the first shard counts.
	rm out/tokenizer.json
	lucie-eval -q out other
	says_both other shards/demo lucie-eval out shards/demo other
}

@test "lucie-check and lucie-trace name the tokenizer that a shard was not made with" {
	run -1 lucie-check -q -t tokenizer.json other
	[[ "$output" == "other.json: was made by another tokenizer than tokenizer.json (XXH3-128 "*")" ]]
	# The shard of the run is made anew, with another tokenizer.
	cp -R run moved
	sed -i 's,^data.train.*\|^train = .*,train = other,' moved/config.ini
	says_both other moved/tokenizer.json lucie-trace moved --step 1
	rm -rf moved
	lucie-trace run --step 1
}

@test "a tokenizer beside a run that has none is not taken for its own" {
	run -2 lucie-eval plain a.jsonl
	[[ "$output" == *"no tokenizer.json: give -t FILE"* ]]
}

@test "the same input twice is refused" {
	ln -sf shards/demo.idx link.idx
	for again in shards/demo ./shards/demo shards/../shards/demo link; do
		run -2 lucie-eval run shards/demo "$again"
		[[ "$output" == *"$again: given twice"* ]]
		[ "${#lines[@]}" = 1 ]
	done
	run -2 lucie-check shards/demo ./shards/demo
	[[ "$output" == *"./shards/demo: given twice"* ]]
	run -2 lucie-check a.jsonl ./a.jsonl
	[[ "$output" == *"./a.jsonl: given twice"* ]]
}

@test "documents without tokens: eval leaves them out as shard does, trace counts them" {
	{ echo '{"id":1,"text":"","lang":"fr"}' && head -n 2 a.jsonl && echo '{"id":2,"text":""}'; } >empty.jsonl
	lucie-shard -q -t tokenizer.json -o empty empty.jsonl
	a=$(lucie-eval -q --json run empty.jsonl | sed 's/"rules":"[^"]*"//')
	[ "$a" = "$(lucie-eval -q --json run empty | sed 's/"rules":"[^"]*"//')" ]
	[[ "$a" == *'"all":{"documents":2,'* ]]
	lucie-shard -q -t tokenizer.json --keep-empty --add none -o kept empty.jsonl
	for by in langs sources licenses; do
		lucie-trace --json kept --$by | awk -F'"documents":' '{ n += $2 } END { exit n != 4 }'
	done
	# No document has a token.
	lucie-shard -q -t tokenizer.json --keep-empty --add none -o none <<<'{"text":"","lang":"fr"}'
	[ "$(lucie-trace --json none --langs)" = '{"lang":"fr","documents":1,"tokens":0,"share":null}' ]
	lucie-trace none --langs >out
	grep -Eq '^ +1 +0 +- +fr$' out
}

@test "names from data stay in their line, means of nothing are no numbers" {
	printf '{"id":"a\\nb","lang":"x\\ny","source":"s\\u0007","text":"abc def"}\n' >names.jsonl
	lucie-shard -q -t tokenizer.json -o names names.jsonl
	lucie-eval run names.jsonl >out
	[ "$(sed '/^$/q' out | wc -l)" = 4 ]
	grep -q '^x?y  ' out
	grep -q '^s?  ' out
	lucie-eval --json run names.jsonl | grep -qF '{"x\ny":{'
	lucie-trace names --token 0 >out
	[ "$(wc -l <out)" = 2 ]
	grep -q 'x?y .*s? .*a?b  names$' out
	lucie-trace names --langs >out
	[ "$(wc -l <out)" = 2 ]
	# The bytes of a shard without a ledger are unknown.
	cp names.bin bytes.bin && cp names.idx bytes.idx
	lucie-eval run bytes >out
	run ! grep -q nan out
	grep -Eq '^all .* -$' out
	lucie-eval --json run bytes | grep -q '"bits_per_byte":null'
	lucie-check bytes >out
	grep -Eq '^ +1 +1 +0 +[0-9]+ +2 +- +1 +no +0  bytes$' out
	cp a.jsonl $'n\nl.jsonl'
	lucie-check $'n\nl.jsonl' >out
	[ "$(wc -l <out)" = 2 ]
	lucie-tok-eval -t tokenizer.json --dead >out || [ $? = 1 ]
	cp tokenizer.json $'n\nl.json'
	lucie-tok-eval -t $'n\nl.json' --dead >out || [ $? = 1 ]
	grep -q '^n?l.json: ' out
}

@test "the progress lines of programs that take long" {
	echo a >lines
	for c in 'lucie-eval run shards/demo' 'lucie-check shards/demo a.jsonl' \
		'lucie-generate -n 5 --lines run lines' \
		'lucie-export -o out run'; do
		# shellcheck disable=SC2086 # words
		$c --progress always 2>err >/dev/null
		grep -qE "${c%% *}: [0-9.]+ (MB|of [0-9]+ (tokens|continuations))" err
		rm -rf out
		# shellcheck disable=SC2086
		$c --progress never 2>err >/dev/null
		[ ! -s err ]
		rm -rf out
	done
}

@test "lucie-eval refuses options for records on shards" {
	for option in "--text-field x" "--map lang=x" "--rejects r" "--max-bad 3"; do
		run -2 lucie-eval run $option shards/demo
		[[ "$output" == "lucie-eval: shards/demo is a shard, which has no records: "* ]]
		[ ! -e r ]
	done
}
