#!/usr/bin/env bats
# Plans of lucie-mix and their walk index, as lucie-trace uses it: the same answers with an index,
# without one and beside another plan's; a damaged one is named. tests/unit/test_walk.c has its bytes.

bats_require_minimum_version 1.5.0
load fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	records 3000 1 >1.jsonl
	records 2000 2 >2.jsonl
	lucie-shard -q --ids --vocab-size 1000 -o one 1.jsonl
	lucie-shard -q --ids --vocab-size 1000 -o two 2.jsonl
	printf '[group fr]\nlang = fr\nepochs = 1.7\n[group en]\nlang = en\nshare = 40%%\n' >mix.ini
}

# mix TARGET [OPTION...]
mix() { lucie-mix -q -c mix.ini --plan "${@:2}" -o "$1" one two; }

# run_of DATA SHUFFLE: a folder of 20 steps of 8 samples.
run_of() {
	local i
	rm -rf run && mkdir run
	printf '[data]\ntrain = %s\nshuffle = %s\n[train]\ncontext = 32\nseed = 3\n' "$1" "$2" >run/config.ini
	for ((i = 1; i <= 20; i++)); do
		printf '{"step":%d,"phase":"main","samples":%d,"batch":8}\n' $i $((8 * i))
	done >run/metrics.jsonl
}

# trace: the data of some steps, the last one first.
trace() { lucie-trace --json --step 20 --step 7 --step 1 run; }

@test "an index is written beside a plan, and never changes it" {
	mix p
	[ -s p ] && [ -s p.walk ]
	[ "$(head -c 8 p.walk)" = LUCIEWLK ]
	lucie-mix -q -c mix.ini --plan one two >stdout
	cmp p stdout
	[ ! -e stdout.walk ] && [ ! -e -.walk ]
	lucie-mix -q -c mix.ini --plan -o /dev/stdout one two | cmp p -
	lucie-mix -q -c mix.ini --plan -o /dev/null one two
	[ ! -e /dev/null.walk ]
	run -2 mix p --dry-run
	cp p.walk first
	mix p
	cmp p.walk first
	mix p --seed 1
	run -1 cmp -s p.walk first
	[ "$(find . -name '*.lu-tmp')" = "" ]
}

@test "a plan that cannot be written leaves no index" {
	mkdir out
	run -2 mix out/p --stats /dev/full
	[ "$(ls out)" = "" ]
	run -2 mix none/p
	mkdir out/p.walk
	run -2 mix out/p
	[ "$(ls out)" = p.walk ]
}

@test "lucie-trace answers alike with an index, without it, and with another plan's" {
	mix p
	for shuffle in true false; do
		run_of 'p two p one' $shuffle
		trace >with 2>notes
		[ -s with ] && [ ! -s notes ]
		mv p.walk away
		trace >without 2>notes
		cmp with without
		[ ! -s notes ]
		mix other --seed 1
		mv other.walk p.walk
		trace >foreign 2>notes
		cmp with foreign
		grep -q 'p.walk: belongs to another plan and was ignored: the order of the [0-9]* documents of p was walked through instead; lucie-mix --plan -o writes both$' notes
		mv away p.walk
	done
}

@test "a damaged index is named" {
	local size at
	mix p
	run_of p true
	size=$(wc -c <p.walk)
	cp p.walk good
	for at in 0 10 71 72 100 $((size - 40)) $((size - 1)); do
		head -c $at good >p.walk
		run -2 --separate-stderr trace
		[[ "$stderr" == "lucie-trace: p.walk: "*"remove it"* ]]
		# shellcheck disable=SC2154 # set by run
		[ "${#stderr_lines[@]}" = 1 ]
	done
	{ head -c 100 good; printf '\377'; tail -c +102 good; } >p.walk
	run -2 --separate-stderr trace
	[[ "$stderr" == "lucie-trace: p.walk: is damaged; remove it, or write it anew with lucie-mix --plan -o" ]]
	rm p.walk
	trace >/dev/null
}

@test "what is damaged in an index of a shard is found where it is read" {
	mix p
	run_of p true
	# Negative lengths: at 34 begin 3,000 lengths of 4 bytes.
	{ head -c 34 one.idx; head -c 11000 /dev/zero | tr '\0' '\377'; tail -c +11035 one.idx; } >bad
	mv bad one.idx
	run -2 --separate-stderr trace
	[[ "$stderr" == "lucie-trace: "*"one.idx: "*" of document "*" is no place in the .bin file; lucie-check tells what is damaged" ]]
	lucie-check one >faults || true
	grep -q 'one.idx' faults
}

@test "a shard that was written anew is refused, whatever the index says" {
	mix p
	run_of p true
	tac 1.jsonl >3.jsonl
	lucie-shard -q --ids --vocab-size 1000 -o one 3.jsonl
	run -2 --separate-stderr trace
	[[ "$stderr" == "lucie-trace: p: shard one was rewritten after the plan was made" ]]
}

@test "lucie-train reads the same samples with an index, without it, and with another plan's" {
	mix p
	mix other --seed 1
	cat >train.ini <<'END'
[model]
preset = tiny
vocab = 1000
[data]
train = p two
[train]
steps = 6
context = 32
micro_batch = 2
global_batch = 4
lr = 1e-3
END
	train() { lucie-train -c train.ini "$@" 2>notes; sed 's/"seconds".*//; s/"tokens_per_s".*//' "$2/metrics.jsonl" >"$2.steps"; }
	train -o with
	[ "$(grep -c walk notes)" = 0 ]
	rm p.walk
	train -o without
	[ "$(grep -c walk notes)" = 0 ]
	mv other.walk p.walk
	train -o foreign
	[ "$(grep -c 'p.walk: belongs to another plan and was ignored' notes)" = 1 ]
	[ "$(wc -l <with.steps)" = 6 ]
	cmp with.steps without.steps && cmp with.steps foreign.steps
	mix p
	head -c 100 p.walk >cut && mv cut p.walk
	run -2 --separate-stderr lucie-train -c train.ini -o damaged
	[[ "$stderr" == "lucie-train: data.train: p.walk: is damaged; remove it, or write it anew with lucie-mix --plan -o" ]]
	[ ! -e damaged ]
}
