#!/usr/bin/env bats
# How lucie-train starts: a start that fails changes nothing, and one trainer owns a run folder.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards
	lucie-shard -t tokenizer.json -o shards/two b.jsonl
	cat >good.ini <<-END
		[model]
		preset = tiny
		[data]
		train = shards/demo
		tokenizer = tokenizer.json
		[train]
		steps = 12
		context = 24
		micro_batch = 2
		global_batch = 4
		valid_every = 6
		schedule = constant
		[checkpoint]
		every = 4
	END
	sed 's/steps = .*/steps = 6/' good.ini >short.ini
	lucie-train -q -c short.ini -o begun
	lucie-train -q -c good.ini --set train.steps=12 -o ended
	lucie-tok-train --vocab-size 380 -o other.json b.jsonl
	lucie-shard -t other.json -o shards/other a.jsonl
	mkdir cut && cp shards/demo.* cut && truncate -s 100 cut/demo.bin
	echo '{"text":"a"}' >one.jsonl && lucie-shard -t tokenizer.json -o shards/one one.jsonl
	printf '{"id":"x"}\n' >file
	printf '[mix]\n[group all]\nepochs = 1\n' >mix.ini
	lucie-mix -c mix.ini --plan -o demo.plan shards/demo
	cc -shared -fPIC -o noflock.so -x c - <<-END
		#include <errno.h>
		int flock(int fd, int op) { (void)fd, (void)op; errno = ENOSYS; return -1; }
	END
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run new copy
}

teardown() {
	# Nothing that a test stopped may stay.
	[ -z "${pid-}" ] || { kill -KILL $pid && wait $pid; } 2>/dev/null || true
}

# state DIR: names, kinds, sizes, times and contents of everything in it.
state() {
	(cd "$1" && find . -printf '%p %y %s %T@ %l\n' | sort && find . -type f -exec cksum {} + | sort)
}

# refused WHAT ARG...: a new run, and the one that has begun, with these arguments: exit status 2,
# one line that contains WHAT, and neither folder has changed.
refused() {
	local what=$1 before status=0
	shift
	lucie-train "$@" -o new/folder/run >out 2>err </dev/null || status=$?
	[ $status = 2 ] || { echo "$*: exit $status: $(cat err)"; return 1; }
	[ ! -e new ] || { echo "$*: left $(find new)"; return 1; }
	one_line "$what" "$*" || return 1
	rm -rf run && cp -a begun run
	before=$(state run)
	status=0
	lucie-train "$@" -o run >out 2>err </dev/null || status=$?
	[ $status = 2 ] || { echo "$* on a run: exit $status: $(cat err)"; return 1; }
	[ "$(state run)" = "$before" ] || {
		echo "$*: changed the run"
		diff <(state run) <(echo "$before")
		return 1
	}
	one_line "$what" "$* on a run"
}

one_line() {
	[ "$(wc -l <err)" = 1 ] && [[ "$(cat err)" == *"$1"* ]] || {
		echo "$2: instead of '$1': $(cat err)"
		return 1
	}
	[ ! -s out ]
}

# goes_on: the good command continues the run that has begun, to the same end.
goes_on() {
	lucie-train -q -c good.ini --set train.steps=12 -o run
	cmp run/latest/weights.safetensors ended/latest/weights.safetensors
}

@test "wrong settings change no run folder, and the good command continues" {
	local set=(-c short.ini --set)
	refused "nope.idx" "${set[@]}" data.train=nope
	refused "did you mean 'train'" "${set[@]}" data.trian=shards/demo
	refused "given twice" "${set[@]}" "data.train=shards/demo shards/../shards/demo"
	refused "given twice" "${set[@]}" "data.train=demo.plan ./demo.plan"
	refused "another tokenizer" "${set[@]}" data.train=shards/other
	refused "another tokenizer" "${set[@]}" "data.train=shards/demo shards/other"
	refused "another tokenizer" "${set[@]}" data.valid=shards/other
	refused "nope.idx" "${set[@]}" data.valid=nope
	refused "given twice" "${set[@]}" "data.valid=shards/two ./shards/two"
	refused "cut/demo" "${set[@]}" data.train=cut/demo
	refused "fewer than one sample" "${set[@]}" data.train=shards/one
	refused "train.context" "${set[@]}" train.context=100000
	refused "not a multiple of train.micro_batch" "${set[@]}" train.micro_batch=3
	refused "train.warmup = 25 samples is longer than" "${set[@]}" train.warmup=25
	refused "train.cooldown" "${set[@]}" train.schedule=wsd --set train.cooldown=25
	refused "train.ramp" "${set[@]}" "train.ramp=2 2 100"
	refused "train.lr_min" "${set[@]}" train.lr=1e-5 --set train.schedule=linear
	refused "model.vocab" "${set[@]}" model.vocab=300
	refused "fewer than one step" "${set[@]}" train.samples=2
	refused "GiB of memory" "${set[@]}" train.micro_batch=1048576 --set train.global_batch=1048576 \
		--set train.context=4096 --set train.samples=1048576
	goes_on
	run -2 lucie-train -c short.ini --set train.lanes=4096 --set model.vocab=200000000 -o new
	[[ "$output" == *"GiB of memory, "*" are available: weights "*", AdamW "*"--overcommit" ]]
	[ ! -e new ]
	lucie-train -q --overcommit -c short.ini -o new
}

@test "wrong settings of a later phase are found before the first" {
	cp short.ini phases.ini
	printf '[phase a]\ntrain.steps = 6\n[phase b]\ndata.train = nope\n' >>phases.ini
	run -2 lucie-train -c phases.ini -o new
	[[ "$output" == *"phase b: data.train: nope: "*"nope.idx is missing"* ]]
	[ ! -e new ]
	sed -i 's,nope,shards/two\ntrain.context = 100000,' phases.ini
	run -2 lucie-train -c phases.ini --dry-run
	[[ "$output" == *"phase b: data.train: "*"fewer than one sample"* ]]
}

@test "another model is no setting of a run" {
	local set
	for set in hidden=128 heads=8 layers=3 kv_heads=4 ffn=100 tied=yes; do
		cp -a begun run
		before=$(state run)
		run -2 lucie-train -c short.ini --set model.$set -o run
		[[ "$output" == *"model."*"new run"* ]]
		run -2 lucie-train --set model.$set -o run
		[[ "$output" == *"model."*"new run"* ]]
		[ "$(state run)" = "$before" ]
		rm -rf run
	done
	cp -a begun run
	goes_on
}

@test "the tokenizer of a run cannot change, and may be gone" {
	cp -a begun run
	before=$(state run)
	run -2 lucie-train --set data.tokenizer=other.json -o run
	[[ "$output" == *"other.json is another tokenizer than run/tokenizer.json"* ]]
	[ "$(state run)" = "$before" ]
	cp tokenizer.json mine.json
	lucie-train -q -c good.ini --set data.tokenizer=mine.json -o new
	rm mine.json
	lucie-train -q --set train.steps=13 -o new
	# A run without one gets it when it is set.
	rm -rf new
	sed "s/^tokenizer = .*//; s/^preset.*/&\nvocab = 400/" good.ini >none.ini
	lucie-train -q -c none.ini -o new
	[ ! -e new/tokenizer.json ]
	lucie-train -q --set data.tokenizer=tokenizer.json -o new
	cmp new/tokenizer.json tokenizer.json
	run -2 lucie-train -c none.ini --set "data.valid=shards/other" -o copy
	[[ "$output" == *"data.valid: shards/other: "*"another tokenizer"* ]]
}

@test "damaged checkpoints, configurations and inputs change nothing" {
	local before
	cp -a begun run
	printf x | dd of=run/latest/adam-v.safetensors bs=1 seek=5000 conv=notrunc status=none
	before=$(state run)
	run -2 lucie-train -c good.ini --set train.steps=12 -o run
	[[ "$output" == *"adam-v.safetensors: damaged"* ]]
	[ "$(state run)" = "$before" ]
	run -2 lucie-train -c good.ini --set train.steps=12 --from-step 5 -o run
	[[ "$output" == *step-00000005* ]]
	[ "$(state run)" = "$before" ]
	rm -rf run && cp -a begun run
	printf '[train]\nsteps = 9\n' >>run/config.ini
	before=$(state run)
	run -2 lucie-train --set train.steps=12 -o run
	[[ "$output" == *"config.ini:"*"section [train] appears twice"* ]]
	[ "$(state run)" = "$before" ]
	# A file where the folder should be, or above it.
	run -2 lucie-train -c good.ini -o file
	[[ "$output" == *"file: Not a directory"* ]]
	run -2 lucie-train -c good.ini -o file/run
	[[ "$output" == *"file"*"Not a directory"* ]]
	[ -f file ]
	# An empty folder of the user stays, and is good for a run.
	mkdir new
	run -2 lucie-train -c good.ini --set data.train=nope -o new
	[ -d new ] && [ -z "$(ls -A new)" ]
	lucie-train -q -c good.ini -o new
	cmp new/latest/weights.safetensors ended/latest/weights.safetensors
}

# with_fault N ARG...: lucie-train with call N on a file failing, as on a full or failing disk.
with_fault() {
	local n=$1
	shift
	env LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT=files INJECT_N="$n" \
		INJECT_COUNT=calls lucie-train -q -j 1 "$@" >out 2>err </dev/null
}

# contents DIR: names, kinds and contents of everything in it.
contents() {
	(cd "$1" && find . -printf '%p %y %l\n' | sort && find . -type f -exec cksum {} + | sort)
}

@test "a failing read or write at any moment of the start leaves the folder as before" {
	[ "$LUCIE_CONFIG" = release ] || skip "a sanitizer must be loaded first"
	local n calls status before begun=0
	with_fault 0 -c short.ini -o new/run
	calls=$(cat calls)
	# What fails long after the run has begun is for other tests.
	for ((n = 1; n <= calls && begun < 30; n++)); do
		rm -rf new
		status=0
		with_fault $n -c short.ini -o new/run || status=$?
		[ $status = 2 ] || [ $status = 0 ] || { echo "call $n: exit $status"; return 1; }
		[ ! -e new ] || [ -s new/run/config.ini ] || {
			echo "call $n: left $(find new): $(cat err)"
			return 1
		}
		[ ! -e new ] || begun=$((begun + 1))
	done
	[ $begun = 30 ]
	begun=0
	before=$(contents begun)
	for ((n = 1; n <= calls && begun < 30; n++)); do
		rm -rf run && cp -a begun run
		status=0
		with_fault $n -c good.ini --set train.steps=12 -o run || status=$?
		# Once the settings are recorded the run has started.
		if [ $status != 0 ] && ! grep -q '"set"' run/metrics.jsonl; then
			[ "$(contents run)" = "$before" ] || {
				echo "call $n: $(cat err)"
				diff <(contents run) <(echo "$before")
				return 1
			}
		else
			begun=$((begun + 1))
		fi
	done
	[ $begun = 30 ]
	rm -rf run && cp -a begun run
	goes_on
}

# until_step N: wait until the run has logged step N.
until_step() {
	local i
	for ((i = 0; i < 3000; i++)); do
		grep -qs "^{\"step\":$1,\"phase\"" run/metrics.jsonl && return 0
		sleep 0.01
	done
	return 1
}

# endless ARG...: start a run that does not end; pid is its process.
endless() {
	lucie-train -q -c good.ini --set train.steps=1000000 --set train.valid_every=0 \
		--set checkpoint.every=0 "$@" -o run 2>err.$BASHPID &
	pid=$!
}

@test "where the file system has no locks, a run trains as elsewhere" {
	[ "$LUCIE_CONFIG" = release ] || skip "a sanitizer must be loaded first"
	LD_PRELOAD=$PWD/noflock.so lucie-train -q -c good.ini --set train.steps=12 -o run
	diff -r -x timing.jsonl run ended
}

@test "a run that is being trained is refused by host and process" {
	[ "$LUCIE_CONFIG" = release ] || skip "a sanitizer must be loaded first"
	local before
	endless
	until_step 2
	run -2 lucie-train -o run
	[[ "$output" == *"run: another trainer, process $pid on host $(uname -n), "*"remove run/trainer.lock" ]]
	LD_PRELOAD=$PWD/noflock.so run -2 lucie-train -o run
	[[ "$output" == *"process $pid on host"* ]]
	kill -TERM $pid
	local rc=0
	wait $pid || rc=$?
	[ $rc = 75 ]
	[ ! -e run/trainer.lock ]
}

@test "what a killed trainer left is taken over" {
	endless
	until_step 2
	kill -KILL $pid
	wait $pid || true
	[ -e run/trainer.lock ]
	# A start that fails leaves that too.
	before=$(state run)
	run -2 lucie-train --set data.train=nope -o run
	[ "$(state run)" = "$before" ]
	lucie-train -q -c good.ini --set train.steps=12 --set train.valid_every=6 --set checkpoint.every=4 -o run
	[ ! -e run/trainer.lock ]
	cmp run/latest/weights.safetensors ended/latest/weights.safetensors
}

@test "a process number that has gone to another process is not believed" {
	endless
	until_step 2
	lock=$(cat run/trainer.lock)
	kill -KILL $pid
	wait $pid || true
	pid=
	# This shell is alive, but started at another time.
	sed "s/\"pid\":[0-9]*/\"pid\":$$/" <<<"$lock" >run/trainer.lock
	lucie-train -q --set train.steps=12 -o run
	# With its own start time it is another trainer.
	start=$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)
	sed "s/\"pid\":[0-9]*/\"pid\":$$/; s/\"start\":[0-9]*/\"start\":$start/" <<<"$lock" >run/trainer.lock
	run -2 lucie-train -o run
	[[ "$output" == *"process $$ on host"* ]]
	# The machine has been booted since.
	sed -i "s/\"boot\":\"[^\"]*/\"boot\":\"0/" run/trainer.lock
	lucie-train -q -o run
	# Another host cannot be asked, until somebody removes the file.
	sed 's/"host":"[^"]*/"host":"elsewhere/' <<<"$lock" >run/trainer.lock
	before=$(state run)
	run -2 lucie-train -o run
	[[ "$output" == *"on host elsewhere"*"if that process is gone, remove run/trainer.lock" ]]
	[ "$(state run)" = "$before" ]
	rm run/trainer.lock
	lucie-train -q -o run
	echo garbage >run/trainer.lock
	run -2 lucie-train -o run
	[[ "$output" == *"run/trainer.lock: not written by a trainer"* ]]
}

@test "an attempt that was taken over stops before it publishes anything" {
	local rc=0 before
	SLURM_JOB_ID=7 endless
	until_step 2
	kill -STOP $pid
	# Another job does not know; the same job's next attempt does.
	SLURM_JOB_ID=8 run -2 lucie-train -o run
	[[ "$output" == *"another trainer"* ]]
	SLURM_JOB_ID=7 run -2 lucie-train -o run
	[[ "$output" == *"another trainer"* ]]
	SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 lucie-train -q --set train.steps=12 --set checkpoint.every=4 -o run
	[ -e run/latest/manifest.json ]
	[ ! -e run/trainer.lock ]
	# The new attempt has ended, or still trains: the old one notices either way.
	before=$(state run)
	kill -CONT $pid
	wait $pid || rc=$?
	pid=
	[ $rc = 2 ]
	[[ "$(cat err.*)" == *"run/trainer.lock: removed while this trainer ran"* ]]
	[ "$(state run)" = "$before" ]
	rm -rf run err.*
	SLURM_JOB_ID=7 endless
	old=$pid
	until_step 2
	kill -STOP $old
	before=$(wc -l <run/metrics.jsonl)
	SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 endless --set train.lr=2e-3
	until_step $((before + 3))
	kill -TERM $old
	kill -CONT $old
	rc=0
	wait $old || rc=$?
	[ $rc = 2 ]
	[[ "$(cat err.*)" == *"run: taken over by another trainer, process $pid on host"* ]]
	[ ! -e run/latest ]
	kill -TERM $pid
	rc=0
	wait $pid || rc=$?
	pid=
	[ $rc = 75 ]
	[ -e run/latest/manifest.json ]
}

@test "a link that a killed trainer left is removed, not the checkpoint behind it" {
	lucie-train -q -c good.ini -o run
	before=$(cd run/latest && sha256sum ./*)
	ln -s "$(readlink run/latest)" run/.latest.host-1.lu-tmp
	lucie-train -q -c good.ini --set train.steps=12 -o run
	[ ! -L run/.latest.host-1.lu-tmp ]
	[ -n "$before" ] && (cd run && ls -d step-*/manifest.json)
}

@test "the same --set again is recorded once" {
	for _ in 1 2 3; do lucie-train -q -c good.ini --set train.steps=12 -o run; done
	[ "$(grep -c '"set"' run/metrics.jsonl)" = 1 ]
	lucie-train -q -c good.ini --set train.steps=13 -o run
	[ "$(grep -c '"set"' run/metrics.jsonl)" = 2 ]
}
