#!/usr/bin/env bats
# Hostile input, on every program that reads it: unusual but valid texts are accepted, malformed
# UTF-8 makes a record bad, and an invalid tokenizer.json is reported in one line.
bats_require_minimum_version 1.5.0

load contract

# Malformed byte sequences and lone surrogate escapes.
faults=($'\xff' $'\x80' $'\xc0\xaf' $'\xc1\xbf' $'\xe0\x80\xaf' $'\xe0\x9f\xbf' $'\xf0\x80\x80\xaf'
	$'\xed\xa0\x80' $'\xed\xbf\xbf' $'\xed\xa0\xbd\xed\xb8\x80' $'\xf4\x90\x80\x80' $'\xf8\x88\x80\x80\x80'
	$'\xc3' $'\xe2\x82' $'\xf0\x9f\x98' $'\xf0\x9f\x98x' '\ud800' '\udbff' '\udc00' '\udfff' '\ud800\ud800'
	'\ud83dx' '\udc00\ud83d' '\ud83d\\ude00')

@test "malformed UTF-8 and lone surrogates make a record bad, anywhere in it" {
	local f n=0
	for f in "${faults[@]}"; do
		printf '{"id":"1","text":"%s"}\n{"id":"2","text":"abc %s"}\n' "$f" "$f"
		printf '{"id":"3","text":"%s abc"}\n{"id":"4","x":"%s","text":"abc"}\n' "$f" "$f"
		printf '{"%s":"5","text":"abc"}\n{"a":[{"b":"%s"}],"text":"abc"}\n' "$f" "$f"
		n=$((n + 6))
	done >bad
	# The file ends inside a character.
	{ cat bad && cat a.jsonl && cat bad && printf '{"text":"abc \xe2\x82'; } >unusual.jsonl
	check() {
		result "$1" a.jsonl dir/a --rejects r0 || echo "exit $?: $(cat err)"
		result "$1" unusual.jsonl dir/b --rejects r || echo "exit $?: $(cat err)"
		same dir/a dir/b "with bad records"
		[ $(($(wc -l <r) - $(wc -l <r0))) = $((2 * n + 1)) ] || echo "$(wc -l <r) rejects"
		[ "$(grep -cE '"reason":"(invalid UTF-8|lone surrogate|ends too early|not JSON)"' r)" = $((2 * n + 1)) ] ||
			echo "other reasons: $(cut -d, -f3 r | sort | uniq -c)"
	}
	each check reads_documents
}

@test "empty texts, NUL, unusual members and characters are accepted" {
	{
		cat a.jsonl
		printf '%s\n' '{"text":""}' '{"text":"\u0000"}' '{"text":"a\u0000b\u0000"}' '{"\u0000":1,"text":"abc"}' \
			'{"":"","text":"abc"}' '{"text":"\ufeffabc"}' '{"text":"\uffff\ufffe\ud83f\udfff"}' '{"text":"\ud83d\ude00"}' \
			'{"text":"a\r\nb\rc\u0085\u2028"}' '{"text":"\u0301\u0301"}' '{"text":"abc","a":{"a":{"\u0000":[]}}}' \
			'{"text":"\udbff\udfff","n":-0.0e-999}' ' {  "text" : "abc" } ' '{"t\u0065xt":"abc"}'
		printf '{"text":"no line feed"}'
	} >unusual.jsonl
	check() {
		local j
		for j in 1 3; do
			result "$1" unusual.jsonl dir/$j -j $j --stats s || echo "exit $?: $(cat err)"
			grep -q '"in":{"docs":27,' s || echo "counts $(cat s)"
			rm s
		done
		same dir/1 dir/3 "-j 3"
	}
	has_stats() { takes "$1" stats && takes "$1" threads; }
	each check reads_documents has_stats
}

@test "unusual texts survive encode and decode" {
	printf '%s\n' '{"text":""}' '{"text":"\u0000"}' '{"text":"a\u0000b\u0000"}' '{"text":"\ufeffabc"}' \
		'{"text":"\uffff\ufffe\ud83f\udfff"}' '{"text":"a\r\nb\rc\u0085\u2028"}' '{"text":"\u0301x"}' \
		'{"text":"   a  "}' '{"text":"\u2581\u2581 a"}' '{"text":"<s></s><0x41>"}' >texts
	lucie-tok-train -q --preset bytelevel --vocab-size 300 -o bl.json a.jsonl
	lucie-tok-encode -t bl.json texts | lucie-tok-decode -t bl.json | ascii_texts >got
	ascii_texts <texts >want
	diff want got
	for form in u16 u32 ids; do
		lucie-tok-encode -t bl.json --as $form --add eos texts | lucie-tok-decode -t bl.json --from $form | ascii_texts >got
		diff want got
	done
}

# ascii_texts: the text of each record as a Python string literal in ASCII, one per line.
ascii_texts() {
	python3 -c 'import json, sys
for line in sys.stdin:
    print(ascii(json.loads(line)["text"]))'
}

@test "an invalid tokenizer.json exits 2 with one line, in every program that reads one" {
	python3 - <<-'END'
	import json
	t = json.load(open("tokenizer.json"))
	n = 0
	def put(text):
	    global n
	    n += 1
	    with open("invalid-%02d.json" % n, "wb") as f:
	        f.write(text if isinstance(text, bytes) else json.dumps(text).encode())
	def with_(**kw):
	    d = json.loads(json.dumps(t))
	    for k, v in kw.items():
	        d["model"][k] = v if not callable(v) else v(d["model"][k])
	    put(d)
	whole = json.dumps(t).encode()
	put(b"")
	put(b"\xef\xbb\xbf" + whole)
	put(whole[:-1])
	put(whole[:len(whole) // 2])
	put(whole + b"x")
	put(whole + whole)
	put(whole.replace(b'"</s>"', b'"</s\xff"'))
	put(whole.replace(b'"</s>"', b'"\\ud800"'))
	put(b"[" * 100000)
	put(b'{"version":"1.0","model":' * 5000)
	put(b"\0" * 1000)
	for i in (2**24, 2**31, 2**32, 2**63, 2**64, -1, 1.5, "5", None, [], {}, True):
	    with_(vocab=lambda v: dict(v, **{"new piece": i}))
	with_(vocab=lambda v: dict(v, **{"new piece": 3}))
	with_(vocab={})
	with_(vocab=[])
	with_(merges=[["no such", "piece"]])
	with_(merges=[["a"]])
	with_(merges="a b")
	with_(type="WordPiece")
	with_(unk_token="no such piece")
	with_(dropout=0.5)
	for part, kind in (("normalizer", "Precompiled"), ("pre_tokenizer", "UnicodeScripts"), ("decoder", "CTC"), ("post_processor", "RobertaProcessing")):
	    put(dict(t, **{part: {"type": kind}}))
	put(dict(t, post_processor={"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<x>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {"<x>": {"id": "<x>", "ids": [99999999], "tokens": ["<x>"]}}}))
	put(dict(t, added_tokens=[dict(t["added_tokens"][0], id=77)]))
	put(dict(t, added_tokens=t["added_tokens"] + t["added_tokens"][:1]))
	put(dict(t, version="2.0"))
	END
	check() {
		local f in status
		in=$(fixture_of "$1")
		for f in invalid-*.json; do
			status=0
			command_of "$1" "$in" dir/out
			cmd=("${cmd[@]/#tokenizer.json/$f}")
			"${cmd[@]}" >/dev/null 2>err || status=$?
			trouble $status dir "^$1: $f: "
		done
	}
	takes_tokenizer() { [[ "${how[$1]-}" == *"-t tokenizer.json"* ]]; }
	each check takes_tokenizer
}
