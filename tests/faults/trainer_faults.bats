#!/usr/bin/env bats
# A failing allocation, a failing call on a file and a full disk in what trains on conversations and
# preferences, changes its layout, teaches and exports: exit status 2 after one line, or the same output.
# Some calls spread over all are tried; FAULTS=all tries every call.
bats_require_minimum_version 1.5.0

load ../cli/fixtures

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export OMP_NUM_THREADS=1
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures run a.jsonl
	printf '{%% for m in messages %%}{{ m.content }}\n{%% endfor %%}' >t.jinja
	for i in 1 2 3 4 5 6; do
		echo "{\"prompt\":\"is it $i?\",\"chosen\":\"$i yes\",\"rejected\":\"no $i no\"}"
	done >pairs.jsonl
	head -n 4 "$LUCIE_SRC/tests/data/tasks/choices.jsonl" >choices.jsonl
	head -n 1 "$LUCIE_SRC/tests/data/tasks/texts.jsonl" >texts.jsonl
	lucie-shard -q --preference --chat-template t.jinja -t tokenizer.json -o pref pairs.jsonl
	lucie-shard -q -t tokenizer.json -o one a.jsonl
	cat >phases.ini <<-'STOP'
		[model]
		preset = tiny
		[data]
		train = one
		tokenizer = tokenizer.json
		[train]
		steps = 1
		context = 48
		micro_batch = 2
		global_batch = 2
		[phase a]
		eval.tasks = choices.jsonl texts.jsonl
		[phase b]
		parallel.zero = 0
		[phase c]
		data.train = o/pref
		data.rows = document
		train.objective = dpo
	STOP
}

# with_fault KIND N WORD...: run the words; call N of the kind fails.
with_fault() {
	rm -rf o && mkdir o && cp pref.bin pref.idx pref.json pref.mask pref.docs.jsonl.zst one.* o
	LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT=$1 INJECT_N=$2 INJECT_COUNT=calls \
		"${@:3}" >stdout 2>err </dev/null
}

# try TRIES WORD...: fail so many calls of each kind; report what breaks the contract.
try() {
	local tries=$1 kind calls n step status
	shift
	for kind in memory files full; do
		with_fault $kind "$([ $kind = full ] && echo 1000000000 || echo 0)" "$@" || {
			echo "without a fault: $(cat err)"
			return
		}
		calls=$(<calls)
		step=$((calls / tries + 1))
		[ "${FAULTS-}" != all ] || [ $kind = full ] || step=1
		for ((n = step / 2 + 1; n < calls; n += step)); do
			status=0
			with_fault $kind $n "$@" || status=$?
			[ $status = 0 ] || { [ $status = 2 ] && [ "$(wc -l <err)" = 1 ]; } ||
				echo "$1 $kind $n of $calls: exit $status: $(cat err)"
			[ -z "$(find o -name '*.lu-tmp' -o -name '.step*')" ] ||
				echo "$1 $kind $n of $calls: $(find o -name '.*')"
		done
	done
}

@test "a run of phases in several layouts, with evaluations and preferences" {
	try 14 lucie-train -q -j 1 -c phases.ini -o o/run >said
	cat said
	[ ! -s said ]
}

@test "shards of pairs, a teacher, answers, exports" {
	{
		try 5 lucie-shard -q -j 1 --preference --chat-template t.jinja -t tokenizer.json -o o/x \
			pairs.jsonl
		try 5 lucie-shard -q --merge -o o/x pref
		try 4 lucie-eval -q -j 1 --teacher 4 --context 16 run o/one
		try 8 lucie-eval -q -j 1 --context 48 --json --task choices.jsonl --task texts.jsonl run
		try 4 lucie-export -q -o o/x run
		try 4 lucie-export -q --gguf o/x.gguf run
	} >said
	cat said
	[ ! -s said ]
}
