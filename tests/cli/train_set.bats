#!/usr/bin/env bats
# --set of lucie-train: what is blamed for a wrong value, and what a complete run answers.

bats_require_minimum_version 1.5.0
load fixtures

setup() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_TEST_TMPDIR" || return 1
	fixtures shards train.ini
}

# says SENTENCE ARG...: exit status 2 with this sentence.
says() {
	run -2 lucie-train -c train.ini -o new "${@:2}"
	[[ "$output" == "lucie-train: $1"* ]] || { echo "$output"; return 1; }
	[ ! -e new ]
}

@test "a value of --set is not blamed on the file, nor one of the file on --set" {
	says "--set train.steps=0: train.steps, " --set train.steps=0
	says "--set train.lr=x: train.lr: 'x' is not a number" --set train.lr=x
	says "--set model.kv_heads=3: model.kv_heads = 3 does" --set train.lr=1 --set model.kv_heads=3
	says "--set data.train=nope: data.train: nope: there is no shard" --set data.train=nope
	printf '[phase a]\ntrain.steps = 2\n[phase b]\ntrain.lr = 1\n' >>train.ini
	says "--set phase.a.train.context=0: phase a: train.context" --set phase.a.train.context=0
	sed -i 's/^steps.*/steps = 0/' train.ini
	says "train.ini: phase b: train.steps" --set train.lr_min=0
}

@test "a complete run refuses a --set that cannot have an effect, and is not changed" {
	lucie-train -q -c train.ini -o run
	cp -a run copy
	run -2 lucie-train -o run --set train.lr=0.5
	[[ "$output" == "lucie-train: run: the run is complete, --set train.lr=0.5 changes nothing"* ]]
	diff -r run copy
	# The value that it has, and a longer run, are fine, as is the same command again.
	lucie-train -q -o run --set train.lr=1e-3
	diff -r run copy
	lucie-train -q -o run --set train.steps=6
	lucie-train -q -o run --set train.steps=6
	[ "$(tail -n 1 run/metrics.jsonl | grep -c '"step":6,')" = 1 ]
}
