#!/usr/bin/env bats
# lucie-generate: files of prompts, stop strings, JSON by a schema, conversations, what is refused.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	export OMP_WAIT_POLICY=passive
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards train.ini
	sed -i 's/^context.*/context = 256/; s/^steps.*/steps = 2/' train.ini
	lucie-train -q -c train.ini -o run
	printf '%s\n' 'The sea' 'La mer' 'The sea' '1, 2, 3,' 'x' >lines
	awk '{ printf "{\"id\": %d, \"text\": \"%s\"}\n", NR, $0 }' lines >prompts.jsonl
	echo '{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":99},
		"s":{"type":"string","maxLength":5}},"required":["n","s"]}' >schema.json
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# told WORDS ARGUMENT...: refused in a sentence with these words
told() {
	local words=$1
	shift
	run -2 lucie-generate "$@"
	[[ "${lines[0]}" == *"$words"* ]] || { echo "$output"; false; }
}

@test "the same continuations by any batch and threads, of records or lines, in their order" {
	lucie-generate -n 12 --json --batch 1 -j 1 run prompts.jsonl >one.jsonl
	[ "$(wc -l <one.jsonl)" = 5 ]
	local b
	for b in 2 4 64; do
		lucie-generate -n 12 --json --batch $b -j 2 run prompts.jsonl >many.jsonl
		cmp one.jsonl many.jsonl
	done
	lucie-generate -n 12 --json run - <prompts.jsonl | cmp one.jsonl
	lucie-generate -n 12 --lines run lines >lines.jsonl
	python3 - <<-'END'
		import json
		one = [json.loads(x) for x in open("one.jsonl")]
		lines = [json.loads(x) for x in open("lines.jsonl")]
		assert [x["id"] for x in one] == [1, 2, 3, 4, 5]
		assert [x["text"] for x in lines] == [x["text"] for x in one]
		assert [x["continuation"] for x in lines] == [x["continuation"] for x in one]
		for x in one:
		    assert len(x["ids"]) == len(x["log_p"]) <= 12 and max(x["log_p"]) <= 0, x
		    assert x["end"] in ("tokens", "eos"), x
		# The same prompt, another stream of random numbers.
		assert one[0]["continuation"] != one[2]["continuation"]
	END
}

@test "one prompt: the text as it was printed before, several samples, JSON" {
	lucie-generate -n 12 -p 'The sea' run >text
	lucie-generate -n 12 -p 'The sea' --json --samples 3 run >three.jsonl
	head -1 prompts.jsonl >first.jsonl
	lucie-generate -n 12 --samples 3 run first.jsonl >record.jsonl
	python3 - <<-'END'
		import json
		three = [json.loads(x) for x in open("three.jsonl")]
		assert open("text").read() == "The sea" + three[0]["continuation"] + "\n"
		assert len({x["continuation"] for x in three}) == 3
		record = json.load(open("record.jsonl"))
		assert [x["continuation"] for x in record["continuations"]] == [x["continuation"] for x in three]
	END
}

@test "a stop string ends a text before it" {
	lucie-generate -n 30 --temperature 0 -p 'La' run >whole
	stop=$(python3 -c 'print(open("whole").read()[8:12])')
	lucie-generate -n 30 --temperature 0 -p 'La' --stop "$stop" run >cut
	python3 - "$stop" <<-'END'
		import sys
		whole, cut = open("whole").read(), open("cut").read()
		assert cut == whole[:whole.index(sys.argv[1], 2)] + "\n", (whole, cut)
	END
}

@test "a schema binds the output; what is cut off is said and exits 1" {
	lucie-generate -n 300 --context 64 --temperature 3 --schema schema.json --lines run lines >bound.jsonl ||
		[ $? = 1 ]
	python3 - <<-'END'
		import json
		whole = 0
		for line in open("bound.jsonl"):
		    x = json.loads(line)
		    if x["complete"]:
		        v = json.loads(x["continuation"])
		        assert list(v) == ["n", "s"] and 1 <= v["n"] <= 99 and len(v["s"]) <= 5, v
		        whole += 1
		assert whole > 0
	END
	run -1 --separate-stderr lucie-generate -n 2 --schema schema.json run
	[[ "$stderr" == *"not complete"*"-n 2"* ]]
	[[ "$output" == "{"* ]]
}

@test "a prompt longer than the context is dropped and counted, a bad record is one" {
	{
		cat prompts.jsonl
		printf '{"text": "%s"}\n' "$(printf 'mot %.0s' {1..300})"
		echo '{"text": 1}'
	} >mixed.jsonl
	run -2 lucie-generate -n 3 run mixed.jsonl
	[[ "${lines[0]}" == *"mixed.jsonl:7: "* ]]
	rm -f stats bad
	lucie-generate -q -n 3 --rejects bad --stats stats run mixed.jsonl >out.jsonl
	[ "$(wc -l <out.jsonl)" = 5 ]
	grep -q '"longer than the context":1' stats
	[ "$(wc -l <bad)" = 2 ]
}

@test "options without effect and wrong files are refused by name" {
	told '--lines' --lines run
	told '--stats' --stats x run
	told '-p and files' -p x run lines
	told '--batch' --batch 3 run
	told '--top-k' --temperature 0 --top-k 3 run
	told '--samples' --samples 0 run
	told '--context 257' --context 257 run
	told '--stop: an empty' --stop '' run
	told '--stop would cut the JSON' --stop 7 --schema schema.json run
	told 'lucie-generate: --lines, --stats,' --stats none run
	told '--stop: invalid' --stop $'\xff' run
	echo '{"type":"string","pattern":"x"}' >bad.json
	told 'bad.json: #: "pattern" is not in the subset' --schema bad.json run
	told 'absent.json' --schema absent.json run
	echo '{"type":' >bad.json
	told 'bad.json: byte 8' --schema bad.json run
}

@test "a conversation: turns, commands, tools, calls, the context" {
	echo "{{ bos_token }}{% for m in messages %}{{ '[' ~ m.role ~ '] ' ~ m.content }}{% if m.role == 'assistant' %}</s>{% endif %}{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}" >chat.jinja
	printf '%s\n' a /reset a b /quit c >turns
	lucie-generate -q --chat --chat-template chat.jinja -n 5 --json run <turns >answers
	[ "$(wc -l <answers)" = 3 ]
	# Forgotten is forgotten; what was said is part of the next prompt.
	[ "$(sed -n 1p answers)" = "$(sed -n 2p answers)" ]
	[ "$(lucie-generate -q --chat --chat-template chat.jinja -n 5 --json -p b run)" != "$(sed -n 3p answers)" ]
	seq 9 | lucie-generate --chat --chat-template chat.jinja --context 64 -n 20 run >/dev/null 2>err
	grep -q 'oldest turn' err
	echo '[{"name":"f","parameters":{"type":"object","properties":{"x":{"type":"boolean"}},"required":["x"]}}]' >tools.json
	lucie-generate -q --chat --chat-template chat.jinja --tools tools.json --call -n 60 -p x run >call || [ $? = 1 ]
	grep -q '^{"name":' call
	# A template that fails without tools asks for them.
	sed 's/{% if tools %}/{% for t in tools %}{% endfor %}&/' chat.jinja >needs.jinja
	lucie-generate -q --chat --chat-template needs.jinja --tools tools.json -n 2 -p x run
	sed 's/{% if tools.*//' chat.jinja >plain.jinja
	told 'plain.jinja shows no tools to the model: give another' --chat --chat-template plain.jinja --tools tools.json run </dev/null
	run -0 lucie-generate --chat --chat-template plain.jinja --tools tools.json --call run </dev/null
	[[ "$output" == *'plain.jinja shows no tools to the model, which is bound to calls all the same'* ]]
	told 'no chat template' --chat run </dev/null
	told '--call' --chat --call run </dev/null
	told '--system' --system x run
	echo '[{"parameters":{}}]' >bad.json
	told 'bad.json: tool 1: a tool needs a name' --chat --chat-template chat.jinja --tools bad.json run </dev/null
	echo '[{"name":"f","parameters":{"type":"array"}}]' >bad.json
	told 'needs items' --chat --chat-template chat.jinja --tools bad.json --call run </dev/null
	printf 'a\n\xff\n' >bad
	run -2 --separate-stderr lucie-generate -q --chat --chat-template chat.jinja -n 3 run <bad
	[[ "$stderr" == *'line 2: invalid UTF-8'* ]]
	run -2 lucie-generate -q --chat --chat-template chat.jinja -n 3 -p "$(printf 'mot %.0s' {1..300})" run
	[[ "$output" == *'more than'* ]]
}

@test "Ctrl-C ends the text where it is, by the signal" {
	lucie-generate -n 60 --temperature 2 -p 'La' run >whole
	cat >slow.py <<-'END'
		# Reads the prompt, interrupts, reads the rest.
		import os, signal, subprocess
		p = subprocess.Popen(["lucie-generate", "-n", "60", "--temperature", "2", "-p", "La", "run"],
		    stdout=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
		first = os.read(p.stdout.fileno(), 2)
		p.send_signal(signal.SIGINT)
		text = first + p.stdout.read()
		status = p.wait()
		whole = open("whole", "rb").read()
		assert whole.startswith(text[:-1]) and text.endswith(b"\n"), (text, whole)
		assert status == -signal.SIGINT or text == whole, status
	END
	python3 slow.py
}
