#!/usr/bin/env bats
# A run of several ranks that is stopped, killed or loses one of them goes on, in whatever layout, as if
# nothing had happened.
# shellcheck disable=SC2034,SC2154 # pid, rc and with are shared with ranks.bash
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

# Two phases, of which the first begins with a ramp.
setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards b.jsonl
	lucie-shard -t tokenizer.json -o shards/two b.jsonl
	cat >base.ini <<-END
		$(sizes 4)
		[data]
		train = shards/demo
		valid = shards/two
		tokenizer = tokenizer.json
		[train]
		context = 16
		micro_batch = 1
		global_batch = 6
		lanes = 4
		valid_every = 7
		valid_samples = 5
		lr = 3e-3
		eps = 1e-2
		[parallel]
		deadline = 60
		hash_every = 10
		[checkpoint]
		every = 2
		[phase one]
		train.steps = 24
		train.ramp = 1 1 40
		[phase two]
		train.steps = 90
		train.context = 24
		model.rope_theta = 50000
		train.reset_optimizer = yes
		train.schedule = constant
		train.lr = 1e-3
		data.train = shards/two
		data.shuffle = no
	END
	lucie-train -q -c base.ini -o whole
	lucie-train -q -c base.ini --set train.dtype=bf16 -o half
	lucie-train -q -c base.ini --set train.dtype=bf16 --set train.memory=low -o low
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run run.out err.*
}

teardown() { kill_ranks; }

# begin "N KEY=VALUE...": start so many ranks with these settings on the run; what another layout has set is
# set back.
begin() {
	local s set=() words
	read -ra words <<<"$1 $more"
	for s in parallel.{tp,pp,interleave,zero}=1 parallel.recompute=none parallel.sequence=no \
		parallel.deadline=60 \
		"${words[@]:1}"; do
		set+=(--set "$s")
	done
	start "${words[0]}" $quiet -c base.ini "${set[@]}" -o run
}

quiet=-q more='' with=()

# last: the last step that the run has logged, 0 without any
last() {
	local step
	step=$(grep -s '"batch"' run/metrics.jsonl | tail -n1 | sed 's/^{"step":\([0-9]*\),.*/\1/')
	echo "${step:-0}"
}

# until_step N: wait until that step is logged, or the ranks have gone.
until_step() {
	local i
	for ((i = 0; i < 6000; i++)); do
		[ "$(last)" -lt "$1" ] || return 0
		kill -0 "${pid[0]}" 2>/dev/null || return 1
		sleep 0.01
	done
}

# until_saved: wait for the first checkpoint, or until the ranks have gone.
until_saved() {
	until_step 1
	while [ ! -e run/latest ] && kill -0 "${pid[0]}" 2>/dev/null; do sleep 0.01; done
}

# saved: step of the last checkpoint, 0 without any
saved() {
	local name
	name=$(readlink run/latest || echo step-0)
	echo $((10#${name#step-}))
}

# complete CHECK: the ranks have come to the end, maybe before this start, and the run passes the check.
complete() {
	finish || grep -q 'the run is complete' err.0 || { said && return 1; }
	"$1"
}

# kill_often TIMES SEED CHECK LAYOUT...: start the layouts in turn and kill all ranks of each, some steps
# later or while they start. A run that comes to its end is checked, and begun again.
kill_often() {
	local times=$1 killed=0 layouts i
	RANDOM=$2
	layouts=("${@:4}")
	for ((i = 0; killed < times && i < 3 * times; i++)); do
		begin "${layouts[i % ${#layouts[@]}]}"
		if [ $((RANDOM % 4)) = 0 ]; then
			sleep "0.0$((RANDOM % 10))"
		else
			until_step $(($(saved) + 1 + RANDOM % 5)) || true
			sleep "0.0$((RANDOM % 3))"
		fi
		if kill -KILL "${pid[@]}" 2>/dev/null; then
			killed=$((killed + 1))
			finish || true
		else
			complete "$3" || return 1
			rm -rf run
		fi
	done
	echo "# killed $killed times, at step $(last) in the end"
	[ $killed = "$times" ]
}

same_bits() { same_run whole run; }
same_half() { same_run half run; }
same_low() { same_run low run; }
same_but_rounding() {
	near whole run 1e-6 && export_run run && export_run whole && near_weights whole.out run.out 1e-6
}

@test "killed twenty times on changing layouts, a run has the bits of one that was not" {
	kill_often 20 1 same_bits '1' '2' '2 parallel.pp=2' '4 parallel.zero=0' '4 parallel.pp=2' \
		'2 parallel.pp=2 parallel.interleave=2' '4 parallel.pp=4 parallel.recompute=layer'
	begin '4 parallel.pp=2'
	complete same_bits
	# Nothing is left of the checkpoints that were not finished.
	run ! compgen -G 'run/.step*'
}

@test "killed on changing layouts with activations in bf16, a run has the bits of one that was not" {
	local more='train.dtype=bf16'
	kill_often 8 3 same_half '1' '4 parallel.pp=2 parallel.recompute=layer' '2 parallel.zero=0' \
		'2 parallel.pp=2 parallel.interleave=2'
	begin '2 parallel.pp=2'
	complete same_half
	run ! same_run whole run
}

@test "killed on changing layouts with low memory, a run has the bits of one that was not" {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	local more='train.dtype=bf16 train.memory=low'
	kill_often 6 5 same_low '1' '4 parallel.pp=2' '2 parallel.zero=0' '2'
	begin '2 parallel.pp=2'
	complete same_low
	run ! same_run half run
}

@test "killed on changing tensor parallelism, a run is like one that was not" {
	kill_often 12 2 same_but_rounding '2 parallel.tp=2' '1' '4 parallel.tp=2 parallel.pp=2' '2' \
		'4 parallel.tp=2 parallel.sequence=yes'
	begin '8 parallel.tp=2 parallel.pp=2'
	complete same_but_rounding
}

@test "N steps are a, b and c steps of three layouts, each stopped by a signal to one rank" {
	local layout quiet=''
	for layout in '2' '4 parallel.pp=2'; do
		begin "$layout"
		until_step $(($(saved) + 8))
		kill -USR1 "${pid[1]}"
		finish || true
		[ "$(printf '%s\n' "${rc[@]}" | sort -u)" = 75 ] || { echo "${rc[@]}" && said && return 1; }
		[ "$(saved)" = "$(last)" ]
		# One rank says so, and only it.
		[ "$(said | grep -c "stopped after step $(last)")" = 1 ]
	done
	begin '2 parallel.pp=2 parallel.interleave=2'
	finish
	same_run whole run
}

# all_gone LOST: every rank but LOST ends with 2 and one sentence that names it.
all_gone() {
	local r
	finish || true
	for r in "${!rc[@]}"; do
		[ "$r" != "$1" ] || continue
		if [ "${rc[r]}" != 2 ] || [ "$(wc -l <"err.$r")" != 1 ] || ! grep -q "rank $1 on" "err.$r"; then
			echo "rank $r: exit ${rc[r]}"
			grep -H . err.*
			return 1
		fi
	done
}

@test "one rank of four is killed: the others say so and end, and only steps since the checkpoint are lost" {
	local layout lost kept more='checkpoint.every=6'
	for lost in 0 2; do
		for layout in '4' '4 parallel.pp=2 parallel.interleave=2'; do
			rm -rf run
			begin "$layout"
			until_saved
			kept=$(saved)
			kill -KILL "${pid[lost]}"
			all_gone $lost
			[ "$(saved)" -ge "$kept" ]
			begin '2 parallel.pp=2'
			finish || { said && return 1; }
			same_run whole run
		done
	done
}

@test "one rank is stopped: the others end within the deadline, and it with them" {
	local stopped start more='checkpoint.every=6 parallel.deadline=2'
	for stopped in 0 3; do
		rm -rf run
		begin '4 parallel.pp=2'
		until_step 3
		start=$SECONDS
		kill -STOP "${pid[stopped]}"
		all_gone $stopped
		# The deadline is 2 s; 5 s more are allowed, and some for a busy machine.
		[ $((SECONDS - start)) -le 20 ]
		[ "${rc[stopped]}" = 137 ]
	done
	begin '1'
	finish || { said && return 1; }
	same_run whole run
}

@test "the disk of one rank is full in the middle of a save: the run ends, the last checkpoint remains" {
	[ "$LUCIE_CONFIG" = release ] || skip "faults are injected into release objects"
	local kept more='checkpoint.every=6' full lost
	for lost in 0 1; do
		rm -rf run
		begin 2
		until_step 7
		kill -USR1 "${pid[0]}"
		finish || [ "${rc[*]}" = '75 75' ]
		kept=$(saved)
		# Of the weights, and of each moment, a rank writes some 100 kB.
		for full in 0 30000 90000 150000; do
			with[lost]="env LD_PRELOAD=$LUCIE_BUILD/tests/faults/inject.so INJECT=full INJECT_N=$full"
			begin 2
			with=()
			finish || [ "${rc[*]}" = '2 2' ]
			[ "$(said | wc -l)" = 1 ] || { grep -H . err.* && return 1; }
			grep -q 'No space left on device' err.$lost
			[ "$(saved)" = "$kept" ]
			run ! compgen -G 'run/.step*'
		done
	done
	begin 1
	finish
	same_run whole run
}

@test "a run that goes on with sums in another order says so" {
	local quiet='' more='checkpoint.every=1000 phase.two.train.steps=100000'
	begin '2 train.lanes=0'
	until_step 3
	kill -TERM "${pid[0]}"
	finish || [ "${rc[*]}" = '75 75' ]
	run ! grep -q 'sums round' err.0
	begin '2 train.lanes=0 parallel.pp=2'
	until_step $(($(saved) + 2))
	kill -TERM "${pid[1]}"
	finish || [ "${rc[*]}" = '75 75' ]
	[ "$(said | grep 'sums round')" = "lucie-train: sums round otherwise than before: train.lanes was 2 and is 1, parallel.tp was 1 and is 1" ]
	begin '1 train.lanes=0'
	until_step $(($(saved) + 1))
	kill -KILL "${pid[0]}"
	finish || [ "${rc[*]}" = 137 ]
	run ! grep -q 'sums round' err.0
}

@test "rank 0 is killed before all have come: those that have say so" {
	local i
	# The third is never started.
	with[2]=true
	start 3 -q -c base.ini -o run
	with=()
	# Both listen or are connected once they wait for the rest.
	for ((i = 0; i < 1000; i++)); do
		[ "$(find /proc/"${pid[1]}"/fd -lname 'socket:*' 2>/dev/null | wc -l)" -lt 2 ] || break
		sleep 0.01
	done
	sleep 0.3
	kill -KILL "${pid[0]}"
	finish || [ "${rc[*]}" = '137 2 0' ]
	[ "$(cat err.1)" = "lucie-train: rendezvous: rank 0 on 127.0.0.1 ended while ranks were still missing" ]
	[ ! -e run ]
}
