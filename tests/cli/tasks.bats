#!/usr/bin/env bats
# lucie-eval's tasks: the harness's numbers (tests/interop/torch_lm_eval.py made golden.json), files that
# are wrong, what nothing depends on, needles.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	export OMP_WAIT_POLICY=passive
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures answering
	cp "$LUCIE_SRC"/tests/data/tasks/*.jsonl .
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

@test "the numbers of lm-evaluation-harness" {
	lucie-eval -q --json --task choices.jsonl --task texts.jsonl --windows document answering a.jsonl b.jsonl >out
	python3 - "$LUCIE_SRC/tests/data/tasks/golden.json" <<-END
		import json, sys
		golden, all = json.load(open(sys.argv[1])), json.load(open("out"))
		assert abs(all["all"]["bits_per_byte"] / golden.pop("documents")["bits_per_byte"] - 1) < 1e-5
		for task, metrics in golden.items():
		    for metric, value in metrics.items():
		        got = all["results"][task][metric + ",none"]
		        assert abs(got / value - 1) < (1e-4 if metric == "perplexity" else 1e-9), (task, metric, got, value)
		assert all["n-samples"]["choices"] == {"original": 200, "effective": 200}
		assert all["higher_is_better"]["choices"]["acc"] and not all["higher_is_better"]["choices"]["perplexity"]
		low, high = all["intervals"]["choices"]["acc"]
		assert low < golden["choices"]["acc"] < high
	END
}

@test "results depend on neither batch, threads, compression nor other tasks" {
	lucie-eval -q --json --task choices.jsonl answering | sed 's/"config":.*//' >one
	zstd -q choices.jsonl -o choices.jsonl.zst
	for options in "--batch 1" "--batch 64 -j 1"; do
		# shellcheck disable=SC2086 # words
		lucie-eval -q --json $options --task choices.jsonl answering | sed 's/"config":.*//' | cmp - one
	done
	lucie-eval -q --json --task texts.jsonl --task choices=choices.jsonl.zst answering |
		python3 -c 'import json, sys
assert json.load(sys.stdin)["results"]["choices"] == json.loads(open("one").read().rstrip(",\n") + "}")["results"]["choices"]'
}

@test "a file of several tasks is divided by the member task" {
	awk 'NR <= 6 { sub(/{/, "{\"task\":\"t" NR % 2 "\","); print }' choices.jsonl >two.jsonl
	lucie-eval --task two.jsonl answering >out
	[ "$(grep -c '^t[01] *acc  *3 ' out)" = 2 ]
	grep -q '^tasks: <s> once at the beginning, no end token, at most 64 tokens$' out
	run -2 lucie-eval --task other=two.jsonl answering
	[[ "$output" == "lucie-eval: two.jsonl:1: of task 't1', not 'other' as given"* ]]
	run -2 lucie-eval --task two.jsonl --task two.jsonl answering
	[[ "$output" == *"task 't1' is in two.jsonl already"* ]]
}

@test "choices of one letter, which are computed together, are as likely as alone" {
	python3 - <<-'END' >letters.jsonl
		import json
		for i, letter in enumerate("abcd"):
		    for context in ("La rivière", "x"):
		        base = {"context": context, "task": f"{letter}_{context[0]}"}
		        print(json.dumps({**base, "choices": ["a", "b", "c", "d", "la fin"], "answer": i}))
		        print(json.dumps({**base, "task": "alone_" + base["task"], "answer": letter, "max_tokens": 1}))
	END
	lucie-eval -q --json --task letters.jsonl answering >out
	python3 - <<-'END'
		import json
		r = json.load(open("out"))["results"]
		for t in r:
		    if not t.startswith("alone_"):
		        a, b = r[t]["perplexity,none"], r["alone_" + t]["perplexity,none"]
		        assert abs(a / b - 1) < 1e-5, (t, a, b)
		assert len({r[t]["perplexity,none"] for t in r}) > 4
	END
}

@test "documents alone are scored like the shard made from them, in any batch" {
	lucie-shard -q -t tokenizer.json -o alone a.jsonl
	lucie-eval -q --json --windows document answering alone >one
	# The shard has begin and end tokens of its own, or none.
	lucie-shard -q -t tokenizer.json --add none -o bare a.jsonl
	lucie-eval -q --json --windows document --batch 1 -j 1 answering bare | cmp one
	lucie-eval -q --json --windows document --batch 50 answering <a.jsonl | cmp one
	lucie-eval --windows document answering a.jsonl >out
	[[ "$(tail -n 1 out)" == "text: each document alone, <s> once before it and not predicted, "* ]]
	cp bare.bin plain.bin && cp bare.idx plain.idx
	run -2 lucie-eval --windows document answering plain
	[[ "$output" == "lucie-eval: plain: no ledger, which says where its documents begin" ]]
	run -2 lucie-eval --windows document --task choices.jsonl answering
	[[ "$output" == *"--windows is for text that is scored"* ]]
	local without
	for without in --unigram '--stats none' '--rejects none' '--text-field t'; do
		# shellcheck disable=SC2086
		run -2 lucie-eval $without --task choices.jsonl answering
		[[ "${lines[0]}" == "lucie-eval: without documents"*"have no effect" ]]
	done
	[ ! -e none ]
}

# wrong RECORD SENTENCE: the task file with this line is refused with this sentence
wrong() {
	printf '%s\n' '{"context":"a","choices":["b","c"],"answer":0}' "$1" >wrong.jsonl
	run -2 lucie-eval --task wrong.jsonl answering
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == "lucie-eval: wrong.jsonl:2: $2"* ]]
}

@test "task files that are wrong are refused with file and line" {
	wrong '{"choices":["b","c"],"answer":0}' 'no "context" member'
	wrong '{"context":"a","choices":["b","c"]}' 'no "answer" member'
	wrong '{"context":1,"choices":["b","c"],"answer":0}' '"context" is not a string'
	wrong '{"context":"a","choices":"bc","answer":0}' '"choices" has 1 choices, fewer than two'
	wrong '{"context":"a","choices":["b",""],"answer":0}' 'choice 1 is empty'
	wrong '{"context":"a","choices":["b",3],"answer":0}' '"choices" has an element that is not a string'
	wrong '{"context":"a","choices":["b","c"],"answer":2}' '"answer" is 2, and the choices are 0 to 1'
	wrong '{"context":"a","choices":["b","c"],"answer":"b"}' '"answer" is not the index of a choice'
	wrong '{"context":"a","choices":["b","c"],"answer":-1}' '"answer" is not the index of a choice'
	wrong '{"context":"a","choices":["b","c"],"answer":0,"until":["x"]}' '"until" has no effect on choices'
	wrong '{"context":"a","answer":"b"}' "task 'wrong' has items with and without \"choices\""
	wrong '{"context":"a","answer":3,"task":"t"}' '"answer" is neither a text nor an array'
	wrong '{"context":"a","answer":" ","task":"t"}' '"answer" is empty'
	wrong '{"context":"a","answer":"b","task":"t","max_tokens":0}' '"max_tokens" is not a whole number'
	wrong '{"context":"a","answer":"b","task":"t","max_tokens":64}' '"max_tokens" is 64, and the context of 64'
	wrong '{"context":"a","answer":"b","task":"t","until":[""]}' '"until" has an empty string'
	wrong '{"context":"a","answer":"b","task":"t","ignore_case":1}' '"ignore_case" is neither true nor false'
	wrong '{"context":"a"' 'JSON ends too early'
	wrong 'null' 'not a JSON object'
	wrong "{\"context\":\"a\",\"choices\":[\"b\",\"$(printf '%0200d' 0)\"],\"answer\":0}" 'choice 1 has 201 tokens'
	: >empty.jsonl
	run -2 lucie-eval --task empty.jsonl answering
	[[ "$output" == "lucie-eval: empty.jsonl: no items" ]]
	run -2 lucie-eval --task none.jsonl answering
	[[ "$output" == "lucie-eval: none.jsonl: "* ]]
	run -2 lucie-eval --depths 50 answering a.jsonl
	[[ "$output" == *"are for --needle"* ]]
}

@test "exact match: several answers, case, punctuation and white space as the item says" {
	word=$(lucie-eval -q --json --task texts.jsonl answering | wc -c)
	[ "$word" -gt 0 ]
	# Whatever the model writes: the answers are made of it.
	lucie-generate -q --temperature 0 -n 6 -p "La rivière" answering >text
	text=$(sed 's/^La rivière//' text | head -n 1 | sed 's/^ *//; s/ *$//')
	python3 - "$text" <<-'END' >exact.jsonl
		import json, sys
		text = sys.argv[1]
		base = {"context": "La rivière", "until": ["\n"], "max_tokens": 6}
		for task, more in {
		    "same": {"answer": " " + text + "\n"}, "other": {"answer": text + "x"}, "one_of": {"answer": ["x", text]},
		    "upper": {"answer": text.upper()}, "ignored": {"answer": text.upper() + "!", "ignore_case": True, "ignore_punctuation": True},
		}.items():
		    print(json.dumps({"task": task, **base, **more}))
	END
	lucie-eval --task exact.jsonl answering >out
	for task in same one_of ignored; do grep -q "^$task *exact_match  *1  *1.0000" out; done
	for task in other upper; do grep -q "^$task *exact_match  *1  *0.0000" out; done
}

@test "needles: a grid that depends on the seed alone" {
	for options in "" "-j 1"; do
		# shellcheck disable=SC2086 # words
		lucie-eval -q --json $options --context 128 --needle 96,128 --depths 0,50,100 --samples 2 answering a.jsonl >"out$options"
	done
	cmp out "out-j 1"
	python3 - <<-END
		import json
		all = json.load(open("out"))
		cells = all["needle"]["cells"]
		assert [(c["length"], c["depth"]) for c in cells] == [(l, d) for l in (96, 128) for d in (0, 50, 100)]
		assert all["results"]["needle_96"]["acc,none"] == sum(c["chosen"] for c in cells[:3]) / 6
	END
	lucie-shard -q -t tokenizer.json --add none -o hay b.jsonl
	lucie-eval -q --context 128 --needle 128 --depths 50 --samples 1 --sentence "le code secret est {}" answering hay
	run -2 lucie-eval --needle 128 answering a.jsonl
	[[ "$output" == *"a length of 128 tokens is more than the context of 64; --context sets another" ]]
	run -2 lucie-eval --needle 20 answering a.jsonl
	[[ "$output" == *"a length of 20 tokens is too short"* ]]
	run -2 lucie-eval --needle 64,64 answering a.jsonl
	[[ "$output" == *"--needle 64,64: 64 is given twice" ]]
	run -2 lucie-eval --needle 64 --depths 0,101 answering a.jsonl
	[[ "$output" == *"--depths 0,101: 101 is more than 100" ]]
	run -2 lucie-eval --needle 64 --sentence "no mark" answering a.jsonl
	[[ "$output" == *"must have {} once"* ]]
}
