#!/usr/bin/env bats
# How lucie-train stops: what it says, and that no step and no validation is lost.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards
	# Validations take most of the time, so most signals meet one.
	for i in 1 2 3; do sed "s/\"id\":\"/&$i-/" a.jsonl; done >three.jsonl
	lucie-shard -t tokenizer.json -o shards/three three.jsonl
	lucie-shard -t tokenizer.json -o shards/two b.jsonl
	cat >base.ini <<-END
		[model]
		preset = tiny
		[data]
		train = shards/demo
		valid = shards/three shards/two
		tokenizer = tokenizer.json
		[train]
		context = 24
		micro_batch = 2
		global_batch = 4
		valid_every = 4
		[checkpoint]
		every = 5
		[phase one]
		train.steps = 10
		[phase two]
		train.steps = 6
		train.valid_every = 0
	END
	lucie-train -q -c base.ini -o whole
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run err
}

teardown() {
	[ -z "${pid-}" ] || { kill -KILL $pid && wait $pid; } 2>/dev/null || true
}

# equal: the run ends like the one that nobody disturbed, down to the manifest.
equal() {
	diff -r run/latest/ whole/latest/ && [ ! -e run/trainer.lock ]
}

# wait_for FILE PATTERN
wait_for() {
	local i
	for ((i = 0; i < 3000; i++)); do
		grep -qs "$2" "$1" && return 0
		sleep 0.01
	done
	echo "no '$2' in $1: $(cat "$1")"
	return 1
}

# start ARG...: start the run; pid is its process. Background jobs of a script ignore SIGINT, and so
# would the program if it did not ask for it.
start() {
	lucie-train "$@" -o run 2>err &
	pid=$!
}

# stopped: wait for the process; 75.
stopped() {
	local rc=0
	wait $pid || rc=$?
	pid=
	[ $rc = 75 ] || { echo "exit $rc: $(cat err)"; return 1; }
}

@test "stopped at any moment, in validations too, the run has the same metrics and weights" {
	local i ms rc=75 sigs=(TERM INT USR1 HUP) slow=1 stops=0
	RANDOM=7
	for ((i = 0; i < 60 && rc == 75; i++)); do
		start -c base.ini
		ms=$(((RANDOM % 90 + 10) * slow))
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		kill -${sigs[i % 4]} $pid 2>/dev/null || true
		rc=0
		wait $pid || rc=$?
		pid=
		# Before the program has asked for signals, one ends it; on a busy machine that takes longer.
		case $rc in
		75) stops=$((stops + 1)) ;;
		0) ;;
		129 | 130 | 138 | 143) rc=75 slow=$((slow + 1)) ;;
		*) echo "exit $rc: $(cat err)" && return 1 ;;
		esac
	done
	[ $stops -gt 0 ]
	lucie-train -q -c base.ini -o run
	cmp run/metrics.jsonl whole/metrics.jsonl
	equal
}

@test "killed at any moment, the run has the same results" {
	local i
	RANDOM=3
	for ((i = 0; i < 8; i++)); do
		start -q -c base.ini --set checkpoint.every=1
		sleep "0.$((RANDOM % 25 + 5))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid || true
	done
	pid=
	lucie-train -q -c base.ini --set checkpoint.every=1 -o run
	# Lines since the last checkpoint are repeated, with the same bytes.
	diff <(grep -v '"set"' run/metrics.jsonl | sort -u) <(sort -u whole/metrics.jsonl)
	equal
}

@test "a validation that a signal puts off is made when the run continues" {
	start -c base.ini --set train.valid_every=1
	wait_for run/metrics.jsonl '^{"step":2,"phase"'
	kill -TERM $pid
	stopped
	step=$(sed -n 's/^"step":\([0-9]*\),.*/\1/p' run/latest/manifest.json)
	# Two sets for each step so far and step 0, but for those that are due.
	due=$(sed -n 's/.*"validations_due":\([0-9]*\),.*/\1/p' run/latest/manifest.json)
	[ "$(grep -c '"valid":' run/metrics.jsonl)" = $((2 * (step + 1) - ${due:-0})) ]
	lucie-train -q -c base.ini --set train.valid_every=1 -o run
	for ((step = 0; step <= 10; step++)); do
		[ "$(grep -c "^{\"step\":$step,\"valid\":" run/metrics.jsonl)" = 2 ]
	done
	run ! grep -q validations_due run/latest/manifest.json
	equal
	# A complete run stays as it is.
	cp run/metrics.jsonl copy
	run -0 lucie-train -o run
	[[ "$output" == *"the run is complete: 16 steps"* ]]
	cmp run/metrics.jsonl copy
}

@test "a signal is answered at once, then by the checkpoint and what to do" {
	local sig
	sed '/^valid/d' base.ini >steps.ini
	for sig in INT TERM USR1 HUP; do
		rm -rf run
		start -c steps.ini --set phase.one.train.samples=4000000
		wait_for run/metrics.jsonl '"step":3,'
		kill -$sig $pid
		wait_for err 'stopping after'
		stopped
		grep -q '^lucie-train: stopping after this \(step\|checkpoint\); a second Ctrl-C ends at once$' err
		step=$(readlink run/latest)
		[ "$(tail -n1 err)" = "lucie-train: stopped after step $((10#${step#step-})): checkpoint run/$step written; the same command continues the run" ]
	done
	# In a validation.
	rm -rf run
	start -c base.ini --set train.micro_batch=1 --set phase.one.train.samples=4000000
	wait_for err 'continuing\|validation\|step 4 of'
	kill -INT $pid
	stopped
	grep -q '^lucie-train: stopping' err
	grep -q 'same command continues the run$' err
	# Quiet.
	rm -rf run
	start -q -c base.ini --set phase.one.train.samples=4000000
	wait_for run/metrics.jsonl '"step":0,'
	kill -TERM $pid
	stopped
	[ ! -s err ]
}

@test "a time limit stops the run like a signal; in a job of Slurm it is what is left of that" {
	local long=(-c base.ini --set phase.one.train.samples=4000000 --set train.valid_every=3)
	start "${long[@]}" --time-limit 1.5s
	stopped
	grep -qx 'lucie-train: the time limit is reached' err
	step=$(readlink run/latest)
	[ "$(tail -n1 err)" = "lucie-train: stopped after step $((10#${step#step-})): checkpoint run/$step written; the same command continues the run" ]
	SLURM_JOB_END_TIME=$(($(date +%s) + 3)) start "${long[@]}"
	stopped
	grep -qx 'lucie-train: the time limit is reached' err
	[ "$(readlink run/latest)" != "$step" ]
	# The clock of rank 0 counts, and it says so.
	rm -rf run
	bash "$LUCIE_SRC/pipelines/mk/ranks" 2 bash -c 'exec lucie-train "$@" --time-limit $((3 - 2 * LUCIE_RANK))s' \
		sh "${long[@]}" --set train.lanes=2 -o run 2>err || [ $? = 75 ]
	[ "$(grep -c 'the time limit is reached' err)" = 1 ]
	[ "$(grep -c 'same command continues the run$' err)" = 1 ]
	# None; and that of a job which is over does not count.
	rm -rf run
	SLURM_JOB_END_TIME=$(($(date +%s) + 1)) lucie-train -q -c base.ini --time-limit 0 -o run
	equal
	rm -rf run
	SLURM_JOB_END_TIME=1 lucie-train -q -c base.ini -o run
	equal
}

@test "a time limit that makes no sense is refused in one sentence" {
	run -2 lucie-train -c base.ini --time-limit 20x -o run
	[ "$output" = "lucie-train: --time-limit: '20x' is not a duration (try 20h, 90m or 30s)" ]
	SLURM_JOB_END_TIME=soon run -2 lucie-train -c base.ini -o run
	[[ "$output" == "lucie-train: SLURM_JOB_END_TIME: 'soon' is not a number" ]]
	SLURM_JOB_END_TIME=$(($(date +%s) + 100)) run -2 lucie-train -c base.ini --time-margin 10m -o run
	[[ "$output" == "lucie-train: --time-margin 10m: the job ends in "*" s, which leaves no time to train" ]]
	run -2 lucie-train -c base.ini --time-margin 10m --time-limit 1h -o run
	[[ "$output" == *"does not go with --time-limit"* ]]
	[ ! -e run ]
}

@test "a second Ctrl-C ends at once and says what is lost" {
	local rc=0
	start -c base.ini --set phase.one.train.samples=4000000 --set phase.one.train.valid_every=0 \
		--set phase.one.train.global_batch=2000000
	wait_for run/config.ini steps
	sleep 0.2
	kill -INT $pid
	wait_for err 'stopping after this step'
	kill -TERM $pid
	kill -INT $pid
	wait $pid || rc=$?
	pid=
	[ $rc = 130 ]
	[ "$(tail -n1 err)" = "lucie-train: ended at once; no step is lost" ]
	[ ! -e run/latest ]
	# The lock that is left does not keep the next one out.
	lucie-train -q -c base.ini --set phase.one.train.steps=10 --set phase.one.train.valid_every=4 \
		--set phase.one.train.global_batch=4 -o run
	equal
}

@test "what a second Ctrl-C loses is counted from the last checkpoint" {
	local rc=0
	sed '/^valid/d; s/^every.*/every = 4/' base.ini >steps.ini
	start -q -c steps.ini
	wait $pid
	# Step 17 takes a minute, so the checkpoint of step 16 is the last.
	start -c steps.ini --set phase.two.train.samples=4000024 --set phase.two.train.global_batch=2000000
	wait_for err 'continuing after step 16'
	sleep 0.2
	kill -INT $pid
	wait_for err 'stopping after this step'
	kill -INT $pid
	wait $pid || rc=$?
	pid=
	[ $rc = 130 ]
	[ "$(tail -n1 err)" = "lucie-train: ended at once; no step is lost, the same command continues after step 16" ]
	rm -rf run
	start -c steps.ini --set checkpoint.every=6 --set 'phase.two.train.ramp=2 3999998 8' \
		--set phase.two.train.samples=4000024 --set phase.two.train.global_batch=4000000
	wait_for err 'step 14 of'
	sleep 0.3
	kill -INT $pid
	wait_for err 'stopping after'
	kill -INT $pid
	wait $pid || true
	pid=
	[[ "$(tail -n1 err)" == "lucie-train: ended at once; the steps 13 to 14 are lost, the same command continues after step 12" ]]
}

@test "the end is summed up on a terminal, and not with -q" {
	script -qec 'lucie-train -c base.ini -o run' /dev/null >out
	tr -d '\r' <out | tail -n1 | grep -qx \
		'lucie-train: 16 steps, 1536 tokens in [0-9]* s, [0-9]* tokens/s, loss [0-9.]*; run/step-00000016'
	rm -rf run
	script -qec 'lucie-train -q -c base.ini -o run' /dev/null >out
	[ ! -s out ]
	rm -rf run
	lucie-train -c base.ini -o run 2>err
	run ! grep -q 'tokens in' err
}

@test "a shard that is cut while it is read ends the run in one sentence, and no checkpoint has its zeros" {
	local i size rc
	# To nothing, to the middle of a page, and by a byte.
	for size in 0 2500 -1; do
		rm -rf run cut && mkdir cut
		cp shards/three.* cut
		sed 's,^train = .*,train = cut/three,; s/^valid_.*/schedule = constant/; /^valid/d' base.ini >cut.ini
		start -q -c cut.ini --set phase.one.train.samples=4000000 --set checkpoint.every=20
		wait_for run/latest/manifest.json '"step":'
		truncate -s "$size" cut/three.bin
		wait_for err 'cut/three.bin'
		rc=0
		wait $pid || rc=$?
		pid=
		[ $rc = 2 ] || { echo "exit $rc: $(cat err)"; return 1; }
		[ "$(wc -l <err)" = 1 ]
		# The last checkpoint is that of a run over the whole shard.
		step=$(readlink run/latest)
		cp shards/three.bin cut/three.bin
		rm -rf undisturbed
		lucie-train -q -c cut.ini --set phase.one.train.steps=$((10#${step#step-})) \
			--set checkpoint.keep=0 -o undisturbed
		cmp run/latest/weights.safetensors "undisturbed/$step/weights.safetensors"
		# And the run continues from it.
		start -q -o run
		# metrics.jsonl still has steps of the run before it: only a new checkpoint says that
		# this one has begun.
		for ((i = 0; i < 3000; i++)); do
			[ "$(readlink run/latest)" = "$step" ] || break
			sleep 0.01
		done
		kill -TERM $pid
		stopped
	done
}

@test "numbers that are not finite are written as JSON, and the step is named" {
	sed 's/^valid_every.*/lr = 100\nlr_min = 100\nclip = 0\nweight_decay = 100/; s/^preset.*/&\ninit_std = 10/' \
		base.ini >wild.ini
	run -2 lucie-train -q -c wild.ini -o run
	[[ "$output" == *"step "*" is not finite, first seen in "*"lower train.lr"* ]]
	[ "${#lines[@]}" = 1 ]
	python3 - <<-'END'
		import json
		def refuse(s):
		    raise ValueError(s)
		for line in open("run/metrics.jsonl"):
		    json.loads(line, parse_constant=refuse)
	END
}
