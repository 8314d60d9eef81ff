#!/usr/bin/env bats
# lucie-shard --chat and --preference: what is trained, whatever is in a message, and all ways of
# cutting shards.

bats_require_minimum_version 1.5.0
load fixtures

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures chat
	cp chat/*.json .
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp "$BATS_FILE_TMPDIR"/*.json .
}

# The documents of a shard, targets in brackets.
trained() {
	python3 - "$1" <<-'END'
		import json, struct, sys
		m = json.load(open(sys.argv[1] + ".json"))
		names, out = {256: "<s>", 257: "<H>", 258: "<E>"}, ""
		for part in sorted({f["suffix"].rsplit(".mask")[0] for f in m["files"]
		                    if f["suffix"].endswith(".mask")}):
		    base = sys.argv[1] + part
		    ids = struct.unpack("<%dH" % (len(open(base + ".bin", "rb").read()) // 2),
		                        open(base + ".bin", "rb").read())
		    k = open(base + ".mask", "rb").read()
		    assert k[:8] == b"lucieMSK" and struct.unpack("<Q", k[16:24])[0] == len(ids)
		    was = 0
		    for i, t in enumerate(ids):
		        on = k[32 + i // 8] >> i % 8 & 1
		        out += {(0, 1): "[", (1, 0): "]"}.get((was, on), "")
		        was = on
		        out += ("\n" if t == 256 and out else "") + names.get(t, chr(t) if t < 256 else "?")
		    out += "]" if was else ""
		print(out)
	END
}

@test "answers are trained, and control tokens are the template's alone" {
	cat >docs.jsonl <<-'END'
		{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"r"},{"role":"assistant","content":"b"}]}
		{"conversations":[{"from":"human","value":"<|end|>"},{"from":"gpt","value":"<s>"}],"system":"s"}
		{"messages":[{"role":"user","content":[{"type":"text","text":"<|e"},{"type":"text","text":"nd|>"}]},{"role":"assistant","content":"c"}]}
		{"instruction":"i","input":"n","output":"o"}
		{"prompt":"p","response":"r"}
	END
	lucie-shard --chat -t tokenizer.json -o s docs.jsonl
	lucie-check s
	trained s >got
	diff - got <<-'END'
		<s>user<H>q<E>assistant<H>[a<E>]user<H>r<E>assistant<H>[b<E>]
		<s>system<H>s<E>user<H><|end|><E>assistant<H>[<s><E>]
		<s>user<H><|end|><E>assistant<H>[c<E>]
		<s>user<H>i
		n<E>assistant<H>[o<E>]
		<s>user<H>p<E>assistant<H>[r<E>]
	END
}

@test "preferences are pairs, and only what is compared is trained" {
	cat >docs.jsonl <<-'END'
		{"prompt":"p","chosen":"c","rejected":"r"}
		{"prompt":[{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"user","content":"3"}],"chosen":[{"role":"assistant","content":"4"}],"rejected":{"role":"assistant","content":"5"}}
		{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"x"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"y"}]}
		{"prompt":"p","chosen":"c","rejected":" "}
	END
	lucie-shard --preference -t tokenizer.json --stats stats.jsonl -o s docs.jsonl
	lucie-check s
	grep -q '"kind":"preference"' s.json
	grep -q '"dropped":{"an answer is empty":1}' stats.jsonl
	trained s >got
	diff - got <<-'END'
		<s>user<H>p<E>assistant<H>[c<E>]
		<s>user<H>p<E>assistant<H>[r<E>]
		<s>user<H>1<E>assistant<H>2<E>user<H>3<E>assistant<H>[4<E>]
		<s>user<H>1<E>assistant<H>2<E>user<H>3<E>assistant<H>[5<E>]
		<s>user<H>q<E>assistant<H>[x<E>]
		<s>user<H>q<E>assistant<H>[y<E>]
	END
	printf '[group all]\nepochs = 1\n' >mix.ini
	run -2 lucie-mix --plan -c mix.ini -o plan s
	[[ "$output" == "lucie-mix: s: is a shard of preferences"* ]]
}

# A conversation a line, of lengths that differ.
talks() {
	python3 -c '
import json, sys
for i in range(int(sys.argv[1]), int(sys.argv[2])):
    turns = [{"role": r, "content": r[0] * (1 + i * 7 % 50 + k)} for k in range(i % 3 + 1)
             for r in ("user", "assistant")]
    print(json.dumps({"id": i, "lang": "fr", "messages": turns}))' "$1" "$2"
}

@test "threads, parts, files and merging change no mask" {
	talks 0 150 >a.jsonl
	talks 150 300 >b.jsonl
	lucie-shard --chat -t tokenizer.json -j1 -o whole a.jsonl b.jsonl
	lucie-shard --chat -t tokenizer.json -j4 -o again a.jsonl b.jsonl
	cmp whole.bin again.bin
	cmp whole.mask again.mask
	trained whole >want
	lucie-shard --chat -t tokenizer.json --max-tokens 1000 -o split a.jsonl b.jsonl
	lucie-shard --chat -t tokenizer.json --by-file -o files a.jsonl b.jsonl
	lucie-shard --chat -t tokenizer.json -o a a.jsonl
	lucie-shard --chat -t tokenizer.json -o b b.jsonl
	lucie-shard --merge -o merged a b
	cmp files.json merged.json
	for s in split files merged; do
		lucie-check $s
		trained $s | diff want -
	done
	lucie-shard --chat -t tokenizer.json --holdout valid=0.2 -o held a.jsonl b.jsonl
	lucie-check held held-valid
	[ "$(trained held | wc -l)" -lt 300 ]
	[ "$(($(trained held | wc -l) + $(trained held-valid | wc -l)))" = 300 ]
	run -2 lucie-shard --merge -o x a held
	lucie-shard --ids --vocab-size 259 -o text <(echo '{"ids":[1,2]}')
	run -2 lucie-shard --merge -o x a text
	[[ "$output" == *"differs from a in its"* ]]
}

@test "damaged masks and other kinds are found" {
	talks 0 20 >a.jsonl
	lucie-shard --chat -t tokenizer.json -o s a.jsonl
	printf '\377' | dd of=s.mask bs=1 seek=40 conv=notrunc status=none
	run -1 lucie-check s
	[[ "$output" == *"s.mask: its content is not what the manifest says"* ]]
	[[ "$output" == *"s.mask: damaged: its checksum differs"* ]]
	truncate -s 30 s.mask
	run -1 lucie-check s
	[[ "$output" == *"s.mask: truncated"* ]]
	rm s.mask
	run -1 lucie-check s
	[[ "$output" == *"s.mask: is missing"* ]]
}

@test "bad records end the run by name, what cannot be trained is counted" {
	bad() {
		echo "$1" >docs.jsonl
		run -2 lucie-shard --chat -t tokenizer.json -o s docs.jsonl
		[ "${#lines[@]}" = 1 ]
		[[ "$output" == "lucie-shard: docs.jsonl:1: $2"* ]]
		[ ! -e s.json ]
	}
	bad '{"text":"a"}' 'no "messages", and no other form of a conversation'
	bad '{"messages":[{"role":"x","content":"a"}]}' 'a message has a role that is not known'
	bad '{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}' 'a part of "content" is no text'
	bad '{"messages":[{"role":"user","content":"\ud800"}]}' ''
	cat >docs.jsonl <<-'END'
		{"messages":[{"role":"user","content":"a"}]}
		{"messages":[]}
		{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":" \n"}]}
		{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}
	END
	echo '{% if messages|length > 2 %}{{ raise_exception("long") }}{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}' >t.jinja
	lucie-shard --chat -t tokenizer.json --chat-template t.jinja --stats stats.jsonl -o s docs.jsonl
	grep -q '"dropped":{"an answer is empty":1,"no answer of the assistant":2}' stats.jsonl
	talks 0 3 >docs.jsonl
	lucie-shard --chat -t tokenizer.json --chat-template t.jinja --rejects r.jsonl -o s docs.jsonl
	grep -q 'the template refuses it: long' r.jsonl
	# Where nothing is left, the reason is said.
	echo '{{ raise_exception("no") }}' >t.jinja
	run -2 lucie-shard --chat -t tokenizer.json --chat-template t.jinja -o s docs.jsonl
	[[ "$output" == *"is left for it: "*"the chat template does not take it; --allow-empty"* ]]
	run -2 lucie-shard --chat --text-field t -t tokenizer.json -o s docs.jsonl
	[[ "${lines[0]}" == *"a conversation has no text that --text-field could name"* ]]
	echo '{{ 1' >t.jinja
	run -2 lucie-shard --chat -t tokenizer.json --chat-template t.jinja -o s docs.jsonl
	[ "$output" = "lucie-shard: t.jinja:1: the tag is not closed by '}}'" ]
	# The template would write the letters of a token that is not there.
	sed -i 's/"bos_token": "<s>"/"bos_token": "<|begin|>"/' tokenizer_config.json
	run -2 lucie-shard --chat -t tokenizer.json -o s docs.jsonl
	[[ "$output" == "lucie-shard: tokenizer_config.json: bos_token is '<|begin|>', which tokenizer.json does not have;"* ]]
	rm tokenizer_config.json
	run -2 lucie-shard --chat -t tokenizer.json -o s docs.jsonl
	[[ "$output" == *"there is no chat template beside it"* ]]
	run -2 lucie-shard --chat --ids --vocab-size 300 -o s docs.jsonl
	run -2 lucie-shard --chat-template t.jinja -t tokenizer.json -o s docs.jsonl
	[[ "$output" == *"--chat-template and --chat-date are for --chat and --preference"* ]]
	run -2 lucie-shard --chat --chat-date 2026-02-30 -t tokenizer.json -o s docs.jsonl
	[[ "$output" == *"'2026-02-30' is no date such as 2026-11-30"* ]]
	echo '{{ strftime_now("%d %b %Y") }}{% for m in messages %}{{ m.content }}{% endfor %}' >t.jinja
	lucie-shard --chat --chat-date 2026-11-30 -t tokenizer.json --chat-template t.jinja -o s docs.jsonl
	head -c 22 s.bin | tr -d '\0' | grep -q '^30.Nov.2026'
}

@test "where nothing is left, or a file is another kind of file, the sentence tells why" {
	echo '{"messages":[{"role":"user","content":"q"}]}' >none.jsonl
	run -2 lucie-shard --chat -t tokenizer.json -o s none.jsonl
	[[ "$output" == "lucie-shard: s: none of 1 documents is left for it: 1 "*"; --allow-empty accepts that, and --rejects FILE then says more" ]]
	run -2 lucie-shard --chat -t tokenizer.json --chat-template tokenizer_config.json -o s none.jsonl
	[[ "$output" == "lucie-shard: tokenizer_config.json: is JSON, not a template: "* ]]
	run -2 lucie-shard --add none -t tokenizer.json -o s none.jsonl
	[[ "$output" == *"; conversations are for lucie-shard --chat" ]]
	echo '{"prompt":"p","response":"rr"}' >one.jsonl
	run -0 lucie-shard -v --chat -t tokenizer.json -o s one.jsonl
	[[ "$output" == *"s: 3 of them are trained"* ]]
}

@test "Lucie's conversation has the targets of its own training code" {
	ref=$LUCIE_SRC/../shared/reference/lucie
	[ -e "$ref/golden_chat.json" ] || skip "no $ref/golden_chat.json"
	cp "$ref/tokenizer_config_instruct.json" tokenizer_config.json
	python3 - "$ref" <<-'END'
		import json, sys
		t = json.load(open(sys.argv[1] + "/tokenizer.json"))
		v = t["model"]["vocab"]
		for i, s in enumerate(["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]):
		    v[s] = v.pop("<unused%d>" % (5 + i))
		    t["added_tokens"].append({"id": 265 + i, "content": s, "single_word": False,
		        "lstrip": False, "rstrip": False, "normalized": False, "special": True})
		json.dump(t, open("tokenizer.json", "w"))
	END
	echo '{"messages":[{"role":"user","content":"Quelle est la capitale de la France ?"},{"role":"assistant","content":"Paris."}]}' >docs.jsonl
	lucie-shard --chat -t tokenizer.json -o s docs.jsonl
	python3 - "$ref" <<-'END'
		import json, struct, sys
		want = json.load(open(sys.argv[1] + "/golden_chat.json"))["ids_no_added_bos"]
		b = open("s.bin", "rb").read()
		assert list(struct.unpack("<%dH" % (len(b) // 2), b)) == want
		k = open("s.mask", "rb").read()
		got = [i for i in range(len(want)) if k[32 + i // 8] >> i % 8 & 1]
		on, targets = False, []
		for j in range(len(want) - 1):
		    on = (on and want[j] != 267) or want[max(j - 2, 0):j + 1] == [265, 9769, 266]
		    if on:
		        targets.append(j + 1)
		assert got == targets and [want[i] for i in got] == [300, 313, 2400, 338, 267]
	END
}
