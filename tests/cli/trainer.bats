#!/usr/bin/env bats
# The trainer's programs: stopping, killing and resuming, damage, refused input.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	# Spinning threads would take most of the time on a busy machine.
	export OMP_WAIT_POLICY=passive
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards
	cat >base.ini <<-END
		[model]
		preset = tiny
		[data]
		train = shards/demo
		valid = shards/demo
		tokenizer = tokenizer.json
		[train]
		steps = 30
		context = 24
		micro_batch = 2
		global_batch = 4
		lanes = 2
		lr = 3e-3
		warmup = 10
		[checkpoint]
		every = 10
		keep = 2
	END
	lucie-train -q -c base.ini -o whole
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run out
}

# same A B: the latest checkpoints have equal weights and moments
same() {
	local f
	for f in weights adam-m adam-v; do
		cmp "$1/latest/$f.safetensors" "$2/latest/$f.safetensors" || return 1
	done
}

# until_step N: wait until the run has logged step N
until_step() {
	local i
	for ((i = 0; i < 3000; i++)); do
		grep -qs "^{\"step\":$1," run/metrics.jsonl && return 0
		sleep 0.01
	done
	return 1
}

@test "N steps are k steps and N - k steps, for any number of threads" {
	OMP_NUM_THREADS=1 lucie-train -q -c base.ini --set train.steps=30 -o one
	same whole one
	lucie-train -q -j 3 -c base.ini -o run &
	local pid=$!
	until_step 7
	kill -USR1 $pid
	local rc=0
	wait $pid || rc=$?
	# The run may have ended before the signal.
	[ $rc = 75 ] || [ $rc = 0 ]
	OMP_NUM_THREADS=1 lucie-train -q -c base.ini -o run
	same whole run
}

@test "stopped at every signal and step, it ends with the same bytes" {
	cp base.ini long.ini
	sed -i 's/^valid = .*//' long.ini
	lucie-train -q -c long.ini --set train.steps=400 -o long
	local rc=75 n=0 sig
	for sig in TERM INT USR1 TERM INT USR1 TERM TERM; do
		[ $rc = 75 ] || break
		rc=0
		timeout --foreground -s $sig 0.1 lucie-train -q -c long.ini --set train.steps=400 -o run ||
			rc=$?
		# timeout reports 124 for a program that it signalled, whatever its status.
		[ $rc = 124 ] && rc=75
		n=$((n + 1))
	done
	lucie-train -q -c long.ini --set train.steps=400 -o run
	same long run
}

@test "a signal ends the run with a checkpoint and status 75" {
	lucie-train -q -c base.ini --set train.steps=100000 --set checkpoint.every=0 -o run &
	local pid=$! rc=0
	until_step 3
	kill -TERM $pid
	wait $pid || rc=$?
	[ $rc = 75 ]
	[ -e run/latest/manifest.json ]
	step=$(sed -n 's/^"step":\([0-9]*\),.*/\1/p' run/latest/manifest.json)
	[ "$step" -ge 3 ]
	[ "$(readlink run/latest)" = "$(printf 'step-%08d' "$step")" ]
}

@test "killed at any moment, a run goes on to the same bytes" {
	local i pid
	for i in 1 2 3 4 5 6 7 8; do
		lucie-train -q -c base.ini --set checkpoint.every=1 -o run &
		pid=$!
		sleep "0.0$((i * 11 % 10))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid || true
		# Every folder named like a checkpoint is complete.
		for m in run/step-*/manifest.json; do
			[ ! -e "$m" ] || lucie-export -o out "${m%/*}"
			rm -rf out
		done
	done
	lucie-train -q -c base.ini --set checkpoint.every=1 -o run
	same whole run
	run -1 compgen -G 'run/.step*'
}

@test "a partial last line of the log is removed" {
	lucie-train -q -c base.ini --set train.steps=10 -o run
	printf '{"step":11,"pha' >>run/metrics.jsonl
	lucie-train -q -c base.ini --set train.steps=12 -o run
	[ "$(grep -c '^{"step":11,' run/metrics.jsonl)" = 1 ]
	run -1 grep -v '^{.*}$' run/metrics.jsonl
}

@test "a damaged checkpoint is refused by name, an older one can be used" {
	cp -R whole run
	printf x | dd of=run/step-00000030/adam-m.safetensors bs=1 seek=5000 conv=notrunc status=none
	run -2 lucie-train -q -o run
	[[ "$output" == *"adam-m.safetensors: damaged"* ]]
	run -2 lucie-eval run shards/demo
	[[ "$output" == *damaged* ]]
	run -0 lucie-train -q -o run --from-step 20
	same whole run
	run -2 lucie-train -q -o run --from-step 25
	[[ "$output" == *step-00000025* ]]
}

@test "one trainer at a time" {
	lucie-train -q -c base.ini --set train.steps=100000 -o run &
	local pid=$!
	until_step 1
	run -2 lucie-train -q -o run
	[[ "$output" == *"another trainer"* ]]
	kill -TERM $pid
	wait $pid || true
}

@test "the configuration must agree, except for what --set names" {
	cp -R whole run
	sed 's/3e-3/4e-3/' base.ini >other.ini
	run -2 lucie-train -q -c other.ini -o run
	[[ "$output" == *"train.lr is '0.003' in the run and '0.004' now"* ]]
	run -0 lucie-train -q -c other.ini --set train.lr=4e-3 --set train.steps=32 -o run
	grep -q '^lr = 0.004$' run/config.ini
	grep -q '"set":\["train.lr=4e-3","train.steps=32"\]' run/metrics.jsonl
	run -2 lucie-train -q -c base.ini --set parallel.tp=2 -o out
	[[ "$output" == *"parallel.tp 2 x pp 1 = 2 does not divide"*"1 process was started"* ]]
	run -2 lucie-train -q -c base.ini --set train.steps=32 --set model.ffn=100 --set train.lr=4e-3 -o run
	[[ "$output" == *"model.ffn is 192 in the checkpoint and 100 in the configuration"* ]]
}

@test "a value that is not finite stops the run before the update and is named" {
	run -2 lucie-train -q -c base.ini --set train.lr=100 --set train.clip=0 --set train.warmup=0 \
		--set train.schedule=constant --set train.weight_decay=100 --set model.init_std=10 \
		--set checkpoint.every=1 --set checkpoint.keep=0 -o run
	[[ "$output" == *"not finite, first seen in the "*"last checkpoint is as it was, of step "*"lower train.lr"* ]]
	# JSON has no NaN.
	run ! grep -qi 'nan\|inf' run/metrics.jsonl
	lucie-export -o out run
}

@test "phases run in order, each from the weights before" {
	cat >phases.ini <<-END
		[model]
		preset = tiny
		[data]
		train = shards/demo
		tokenizer = tokenizer.json
		[train]
		micro_batch = 2
		global_batch = 4
		[phase one]
		train.context = 12
		train.steps = 5
		[phase two]
		train.context = 20
		train.samples = 12
		train.schedule = linear
		train.reset_optimizer = yes
		model.rope_theta = 1e6
	END
	lucie-train -q -c phases.ini -o run
	grep -q '"phase_name":"two","samples":12,"tokens":480,"updates":3,' run/latest/manifest.json
	grep -q '"rope_theta":1000000' run/latest/manifest.json
	# The same with a restart in each phase.
	mv run out
	lucie-train -q -c phases.ini --set checkpoint.every=1 --set checkpoint.keep=0 -o run
	same out run
	rm -rf run/step-00000007 run/step-00000008
	lucie-train -q -o run --from-step 3
	same out run
	lucie-train -q -o run --from-step 6
	same out run
}

@test "recomputation changes no bit" {
	lucie-train -q -c base.ini --set parallel.recompute=layer -o run
	same whole run
}

@test "--dry-run and --print-config start no run" {
	run -0 --separate-stderr lucie-train -c base.ini --dry-run -o run
	[[ "$output" == *parameters* && "$output" == *"epochs: shards/demo"* ]]
	[ ! -e run ]
	lucie-train -c base.ini --print-config >printed.ini
	lucie-train -c printed.ini --print-config | cmp printed.ini -
	lucie-train -q -c printed.ini -o run
	same whole run
}

@test "lucie-config(5) lists all keys" {
	page=$LUCIE_SRC/man/man5/lucie-config.5
	diff <(lucie-train -c base.ini --print-config | sed -n 's/ = .*//p' | sort -u) \
		<(sed -n 's/^\.It Ic //p' "$page" | tr -d ' ' | tr , '\n' | sort -u)
}

@test "the loss falls, and evaluation agrees with validation" {
	lucie-train -q -c base.ini --set train.valid_every=10 -o run
	first=$(sed -n 's/^{"step":0,"valid":"demo","loss":\([0-9.]*\),.*/\1/p' run/metrics.jsonl)
	last=$(sed -n 's/^{"step":30,"valid":"demo","loss":\([0-9.]*\),.*/\1/p' run/metrics.jsonl)
	awk -v a="$first" -v b="$last" 'BEGIN { exit !(b < a - 0.5) }'
	bits=$(sed -n 's/^{"step":30,"valid".*"bits_per_byte":\([0-9.]*\),.*/\1/p' run/metrics.jsonl)
	eval=$(lucie-eval -q --json --batch 3 run shards/demo | sed 's/.*"all"//')
	[[ "$eval" == *"\"loss\":${last:0:7}"* ]]
	# Validation counts all tokens as scored, evaluation all but the first.
	eval_bits=${eval#*bits_per_byte\":}
	awk -v a="$bits" -v b="${eval_bits%%\}*}" \
		'BEGIN { exit !(a > b && a < b * 1.01) }'
	start=$(lucie-eval -q --json --init run shards/demo | sed 's/.*"all"//')
	[[ "$start" == *"\"loss\":${first:0:7}"* ]]
}

@test "documents are scored like the shard made from them" {
	a=$(lucie-eval -q --json --unigram whole shards/demo | sed 's/"rules":"[^"]*",//')
	b=$(lucie-eval -q --json --unigram whole <a.jsonl | sed 's/"rules":"[^"]*",//')
	c=$(lucie-eval -q --json -j 1 --unigram whole a.jsonl | sed 's/"rules":"[^"]*",//')
	[ "$a" = "$b" ]
	[ "$a" = "$c" ]
	[[ "$a" == *'"languages":{"'*'unigram_bits_per_byte'* ]]
	run -2 lucie-eval whole a.jsonl shards/demo
	[[ "$output" == *together* ]]
}

@test "an export scores the same" {
	lucie-export --dtype f32 -o out whole
	a=$(lucie-eval -q --json whole shards/demo | sed 's/.*"languages"//')
	b=$(lucie-eval -q --json out shards/demo | sed 's/.*"languages"//')
	[ "$a" = "$b" ]
	cmp tokenizer.json out/tokenizer.json
	run -2 lucie-export -o out whole
	[[ "$output" == *"remove it, or give another"* ]]
	# An export can be the start of a run.
	sed 's,^\[train\],&\ninit = out,' base.ini >init.ini
	lucie-train -q -c init.ini --set train.steps=1 --set train.warmup=0 --set train.lr=0 --set train.lr_min=0 -o run
	cmp run/latest/weights.safetensors whole/latest/weights.safetensors
}

@test "text is a function of the seed" {
	a=$(lucie-generate -p 'La' -n 12 --seed 4 whole)
	[ "$a" = "$(lucie-generate -j 1 -p 'La' -n 12 --seed 4 whole)" ]
	[[ "$a" == La* ]]
	b=$(lucie-generate -p 'La' -n 12 --temperature 0 whole)
	[ "$b" = "$(lucie-generate -p 'La' -n 12 --temperature 0 --seed 9 whole)" ]
	lucie-generate -n 500 whole 2>err >text
	run -2 lucie-generate -p "$(printf 'mot %.0s' {1..100})" whole
	[[ "$output" == *"context 24"* ]]
}

@test "a shard of another tokenizer is refused" {
	lucie-tok-train --vocab-size 380 -o other.json b.jsonl
	lucie-shard -t other.json -o shards/other a.jsonl
	run -2 lucie-train -q -c base.ini --set data.train=shards/other -o run
	[[ "$output" == *"another tokenizer"* ]]
}

@test "waiting threads spin briefly, unless the environment says otherwise" {
	# A program that is told to wait for its input shows what it was started with.
	environment() {
		mkfifo config 2>/dev/null || true
		"$@" lucie-train -c config --dry-run -o r >/dev/null 2>&1 3>&- &
		exec 9>config
		tr '\0' '\n' </proc/$!/environ | grep -E '^(GOMP_SPINCOUNT|OMP_WAIT_POLICY)=' || echo none
		exec 9>&-
		wait $! || true
	}
	[ "$(environment env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT)" = GOMP_SPINCOUNT=1000 ]
	[ "$(environment env -u GOMP_SPINCOUNT OMP_WAIT_POLICY=active)" = OMP_WAIT_POLICY=active ]
	[ "$(environment env -u OMP_WAIT_POLICY GOMP_SPINCOUNT=7)" = GOMP_SPINCOUNT=7 ]
}
