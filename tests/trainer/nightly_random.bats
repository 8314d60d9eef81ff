#!/usr/bin/env bats
# Random configurations (random_runs.py), each trained in one go and again in random layouts with kills and
# stops: by name alone, since it takes minutes. RANDOM_FIRST and RANDOM_COUNT choose the cases.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

# ids N SEED: N documents, some shorter than a row and some longer, two without a label.
ids() {
	awk -v n="$1" -v seed="$2" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++) {
			length_ = i % 13 == 5 ? 0 : i % 13 == 7 ? 1 : i % 9 == 0 ? 60 : 3 + i % 21
			at = int(rand() * 50)
			printf "{\"id\":%d,\"source\":\"s%d\",\"lang\":\"%s\",\"ids\":[", i, i % 3, i % 2 ? "fr" : "en"
			for (k = 0; k < length_; k++)
				printf "%s%d", k ? "," : "", (at + k) * (at + k) % 400
			print "]}"
		}
	}'
}

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures tokenizer.json a.jsonl b.jsonl
	mkdir shards
	lucie-shard -q -t tokenizer.json -o shards/one a.jsonl
	lucie-shard -q -t tokenizer.json --max-tokens 1500 -o shards/two b.jsonl
	ids 150 1 | lucie-shard -q --ids --vocab-size 400 --add none --keep-empty -o shards/three
	printf '%s\n' '[mix]' 'measure = tokens' '[group fr]' 'lang = fr' 'share = 40%' '[group rest]' >r.ini
	lucie-mix -q -c r.ini --plan -o shards/all.plan shards/one shards/two
	printf '{%% for m in messages %%}{{ m.role }}: {{ m.content }}\n{%% endfor %%}' >t.jinja
	for i in {1..70}; do
		printf -v many '%*s' $((i % 9 * 3)) ''
		echo "{\"prompt\":\"is it $i?\",\"chosen\":\"$i yes\",\"rejected\":\"no${many// /x}\"}"
	done >pairs.jsonl
	for i in {1..90}; do
		printf -v many '%*s' $((i % 11)) ''
		echo "{\"messages\":[{\"role\":\"user\",\"content\":\"${many// /u} $i\"},{\"role\":\"assistant\",\"content\":\"$((i * i))${many// / yes}\"}]}"
	done >talks.jsonl
	lucie-shard -q --chat --chat-template t.jinja -t tokenizer.json -o chat talks.jsonl
	lucie-shard -q --preference --chat-template t.jinja -t tokenizer.json -o pref pairs.jsonl
	head -n 12 "$LUCIE_SRC/tests/data/tasks/choices.jsonl" >choices.jsonl
	head -n 3 "$LUCIE_SRC/tests/data/tasks/texts.jsonl" >texts.jsonl
	printf '%s\n' "$(sizes 2)" '[data]' 'train = shards/one' 'tokenizer = tokenizer.json' '[train]' 'steps = 8' \
		'context = 32' >big.ini
	lucie-train -q -c big.ini -o big
	lucie-eval -q big --teacher 8 --name big --context 32 shards/one >/dev/null
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

@test "random runs, killed and stopped on changing layouts, have the bits of one in one go" {
	python3 "$LUCIE_SRC/tests/trainer/random_runs.py" "${RANDOM_FIRST-1}" "${RANDOM_COUNT-60}"
}

@test "with tensor parallelism they differ by rounding" {
	python3 "$LUCIE_SRC/tests/trainer/random_runs.py" "${RANDOM_FIRST-1}" "${RANDOM_COUNT-20}" tensor
}
