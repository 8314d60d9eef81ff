#!/usr/bin/env bats
# Ways of cutting samples (data.rows), labels that are left out, data that change, samples that are
# skipped: the same bits in every layout and over every stop, and what lucie-trace finds is what was
# trained on.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

modes='stream packed document'

# Two shards of short documents, with passages that come again; some are longer than a row, some have
# one token or none.
setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir shards
	documents 150 1 | lucie-shard -q --ids --vocab-size 400 --add none --keep-empty -o shards/one
	documents 90 2 | lucie-shard -q --ids --vocab-size 400 --add none --keep-empty -o shards/two
	cat >base.ini <<-END
		$(sizes 4)
		[data]
		train = shards/one @ 17 shards/two shards/one @ 31 shards/one
		valid = shards/two
		goldfish = 3
		[train]
		samples = 44
		context = 16
		micro_batch = 2
		global_batch = 4
		lanes = 4
		valid_every = 5
		lr = 3e-3
		eps = 1e-3
		warmup = 8
		schedule = constant
		[checkpoint]
		every = 4
	END
	for mode in $modes; do
		lucie-train -q -c base.ini --set data.rows=$mode -o whole.$mode || return
	done
	fixtures chat
	conversations 60 >chat.jsonl
	lucie-shard -q --chat -t chat/tokenizer.json -o shards/chat chat.jsonl
	lucie-train -q -c base.ini --set data.rows=packed --set data.train=shards/chat \
		--set data.valid=shards/chat --set train.context=80 --set data.goldfish=0 -o whole.chat
}

# conversations N: of one or two turns.
conversations() {
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++) {
			turn = sprintf("{\"role\":\"user\",\"content\":\"%d and %d?\"}," \
				"{\"role\":\"assistant\",\"content\":\"%d\"}", i, i % 7, i + i % 7)
			printf "{\"messages\":[%s%s]}\n", turn, i % 5 ? "" : "," turn
		}
	}'
}

# documents N SEED: N records of ids.
documents() {
	awk -v n="$1" -v seed="$2" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++) {
			length_ = i % 13 == 5 ? 0 : i % 13 == 7 ? 1 : i % 9 == 0 ? 40 : 3 + i % 11
			at = int(rand() * 50)
			printf "{\"id\":%d,\"ids\":[", i
			for (k = 0; k < length_; k++)
				printf "%s%d", k ? "," : "", (at + k) * (at + k) % 400
			print "]}"
		}
	}'
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run run.out
}

teardown() { kill_ranks; }

# targets RUN: of each step, by its metrics, and by lucie-trace.
targets() {
	sed -n 's/^{"step":\([0-9]*\),.*"targets":\([0-9]*\),.*/\1 \2/p' "$1/metrics.jsonl" >said
	[ "$(wc -l <said)" = 11 ]
	while read -r step _; do
		echo "$step $(lucie-trace --json --targets --step "$step" "$1" |
			sed 's/.*"targets":\([0-9]*\),.*/\1/' | awk '{ n += $1 } END { print n }')"
	done <said >found
	diff said found
}

@test "what lucie-trace finds are the targets that the loss was over" {
	for mode in $modes; do targets whole.$mode; done
	# The modes read other tokens, and count them without padding.
	[ "$(for mode in $modes; do tail -n 2 whole.$mode/metrics.jsonl | head -n 1; done |
		sort -u | wc -l)" = 3 ]
	grep -q '"samples":44,"batch":4,"tokens":704,' whole.stream/metrics.jsonl
	for mode in packed document; do
		tokens=$(sed -n 's/.*"samples":44,"batch":4,"tokens":\([0-9]*\),.*/\1/p' \
			whole.$mode/metrics.jsonl)
		[ "$tokens" -lt 704 ]
		# Every span has one token more than labels.
		for ((step = 1; step <= 11; step++)); do
			lucie-trace --json --step $step whole.$mode
		done | sed 's/.*"from":\([0-9]*\),"to":\([0-9]*\),.*/\1 \2/' |
			awk -v want="$tokens" '{ n += $2 - $1 - 1 } END { exit n != want }'
	done
}

# equal MODE N KEY=VALUE...: N ranks with these settings have the bits of one.
equal() {
	local mode=$1 n=$2 s set=()
	shift 2
	for s; do set+=(--set "$s"); done
	rm -rf run
	ranks "$n" -q -c base.ini --set data.rows="$mode" "${set[@]}" -o run &&
		same_run "whole.$mode" run
}

@test "every layout has the bits of one process" {
	equal stream 4 parallel.pp=2
	equal packed 4 parallel.pp=2
	equal packed 3 parallel.pp=3 parallel.recompute=layer
	equal document 2
	rm -rf run
	ranks 2 -q -c base.ini --set data.rows=packed --set parallel.tp=2 -o run
	near whole.packed run 1e-6
}

@test "conversations: the loss is over the answers, in every layout" {
	local packed=(-q -c base.ini --set data.rows=packed --set data.train=shards/chat --set
		data.valid=shards/chat --set train.context=80 --set data.goldfish=0)
	targets whole.chat
	# Of the whole shard, by its masks; the first token of a conversation is none.
	want=$(lucie-trace --json --targets shards/chat --sources |
		sed 's/.*"tokens":\([0-9]*\),.*/\1/')
	grep -q "\"valid\":\"chat\",.*\"bits_per_byte\":null,\"scored\":$want}" whole.chat/metrics.jsonl
	# lucie-eval scores the same tokens of the stream, and claims no bits per byte.
	lucie-eval --json whole.chat shards/chat >eval.json
	grep -q "\"scored\":$want,\"bytes\":0,.*\"bits_per_byte\":null" eval.json
	ranks 4 "${packed[@]}" --set parallel.pp=2 -o run
	same_run whole.chat run
	rm -rf run
	ranks 2 "${packed[@]}" --set parallel.tp=2 -o run
	near whole.chat run 1e-6
}

@test "in parts and on changing layouts, every mode has the bits of a run in one" {
	for mode in $modes; do
		rm -rf run
		# In front of the first switch, between the two, and to the end.
		lucie-train -q -c base.ini --set data.rows=$mode --set train.samples=12 -o run
		ranks 2 -q -o run --set train.samples=28
		ranks 2 -q -o run --set train.samples=44 --set parallel.pp=2
		cmp <(grep '"batch"' whole.$mode/metrics.jsonl) <(grep '"batch"' run/metrics.jsonl)
		export_run run
		export_run whole.$mode
		diff -r -x README.md run.out whole.$mode.out
	done
}

@test "samples that are skipped are not read, and stay so without the option" {
	local mode ranges='"left_out":[[9,12],[20,27]]'
	for mode in $modes; do
		rm -rf run
		lucie-train -q -c base.ini --set data.rows=$mode --set train.samples=8 -o run
		lucie-train -q -o run --set train.samples=20 \
			--skip-samples 9:12 --skip-samples 22:27 --skip-samples 20:24
		lucie-train -q -o run --set train.samples=44
		grep -qF "$ranges" run/metrics.jsonl
		grep -q '"left_out":\[\[0,9,12\],\[0,20,27\]\]' run/latest/manifest.json
		targets run
		for ((step = 1; step <= 11; step++)); do
			lucie-trace --json --step $step run | sed 's/.*"sample":\([0-9]*\),.*/\1/'
		done | uniq | sort -nu >samples
		# 44 in all: 0 to 8, 12 to 19, 27 to 53.
		diff samples <(seq 0 8 && seq 12 19 && seq 27 53)
	done
	# The same command again is fine; what is past is not.
	lucie-train -q -o run --skip-samples 9:12 --skip-samples 20:27
	for bad in '50:60 sample 50 is past, the run goes on with sample 54' \
		'11:13 sample 11 is past' '54:60 phase ends' '7:7 not A:B' '9:8 not A:B' 'x:9 not A:B' \
		'main:-1:9 not A:B' 'other:1:2 not A:B' '3 not A:B'; do
		run -2 lucie-train -q -o run --skip-samples "${bad%% *}"
		[[ "$output" == "lucie-train: --skip-samples"*"${bad#* }"* ]] || { echo "$output" && return 1; }
		[ "$(wc -l <<<"$output")" = 1 ]
	done
}

@test "settings that cannot be are refused in a sentence" {
	while IFS='|' read -r set want; do
		# shellcheck disable=SC2046
		run -2 lucie-train -q -c base.ini -o none $(printf -- '--set %s ' $set)
		[[ "$output" == *"$want"* ]] || { echo "$set: $output" && return 1; }
		[ "$(wc -l <<<"$output")" = 1 ]
		[ ! -e none ]
	done <<-'END'
		data.rows=paced|stream|packed|document
		data.goldfish=1|would leave every label out
		data.goldfish=-1|data.goldfish
		train.samples=0 train.epochs=1|'@' changes the data, so that train.epochs = 1
		train.objective=dpo|
	END
	run -2 lucie-train -q -c base.ini -o none --set data.train='shards/one @ x shards/two'
	[[ "$output" == *"'@' is followed by 'x'"* ]]
	run -2 lucie-train -q -c base.ini -o none --set data.rows=packed --set train.context=16777217
	[ ! -e none ]
	printf '{"ids":[1]}\n{"ids":[]}\n' |
		lucie-shard -q --ids --vocab-size 400 --add none --keep-empty -o shards/short
	run -2 lucie-train -q -c base.ini -o none --set data.rows=packed --set data.train=shards/short
	[[ "$output" == *"none of the 2 documents has two tokens"* ]]
}

@test "documents that are cut or left out are said, and the dry run counts" {
	lucie-train --dry-run -c base.ini --set data.rows=document >dry
	grep -q '^data  *from sample 17 on, 14 samples$' dry
	grep -q '^rows  *127 of 150 documents, .* % of the places in use; .* documents cut, 23 left out$' dry
	lucie-train -c base.ini --set data.rows=packed --set train.samples=4 \
		--set train.warmup=0 -o run 2>said
	grep -q 'of 150 documents are longer than a row of 16 and are cut: .* tokens are not read' said
	grep -q '23 of 150 documents have fewer than two tokens and are left out' said
	grep -q 'the phase of 4 samples ends before shards/one is read, from sample 31 on' said
}
