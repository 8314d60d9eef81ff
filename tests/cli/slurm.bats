#!/usr/bin/env bats
# pipelines/mk/train.sbatch in a private Slurm of four nodes: what it does when a job is stopped, when
# nodes are not fit, when nothing helps. No test is decided by time.
bats_require_minimum_version 1.5.0

load fixtures
load slurm

setup_file() {
	local rc=0
	[ "$LUCIE_CONFIG" = release ] || return 0
	export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
	cd "$BATS_FILE_TMPDIR" || return 1
	slurm_start -n 4 || rc=$?
	[ $rc = 0 ] || { [ $rc = 77 ] && return 0 || return 1; }
	fixtures shards
	cat >train.ini <<-END
		[model]
		preset = tiny
		[data]
		train = shards/demo
		tokenizer = tokenizer.json
		[train]
		steps = 60
		context = 64
		micro_batch = 2
		global_batch = 4
		lanes = 2
		log_every = 20
	END
	lucie-train -q -c train.ini -o whole
	# In the first attempt of a job the trainer stands still somewhere before its end until a signal
	# comes; where it was too fast, it does all once more.
	program patient <<-'END'
		[ "${SLURM_RESTART_COUNT:-0}" = 0 ] && [ "$run" != --print-config ] || exec lucie-train "$@"
		while :; do
			lucie-train "$@" &
			until grep -qs '"step":10,' "$run/metrics.jsonl"; do sleep 0.02; done
			kill -STOP $!
			sleep 0.1
			[ -e "$run/latest" ] || grep -q '"step":60,' "$run/metrics.jsonl" || break
			kill -KILL $!
			wait $!
			rm -rf "$run"
		done
		trap 'kill -USR1 $!; kill -CONT $!' USR1 TERM
		echo stands
		while kill -0 $!; do wait $!; done
		wait $!
	END
}

teardown_file() { slurm_stop; }

setup() {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	slurm_or_skip
	cd "$BATS_FILE_TMPDIR" || return 1
}

# What a test that failed has left.
teardown() { [ -z "${SLURM_CONF-}" ] || squeue -h -o %A | xargs -r scancel; }

# submit RUN [OPTION OF sbatch...]: the configuration is $config, else train.ini; prints the number of the job, whose log is RUN.log.
submit() {
	sbatch --parsable "${@:2}" --mem=100 --hint=multithread -o "$1.log" \
		"$LUCIE_SRC/pipelines/mk/train.sbatch" "${config:-train.ini}" "$1"
}

# program NAME: a stand-in for lucie-train, from standard input; it is fit, and RUN is its last argument.
program() {
	{
		echo '#!/bin/bash'
		echo '[ "$1" != --version ] || exit 0'
		echo 'for run; do :; done'
		cat
	} >"$1" && chmod +x "$1"
	export TRAIN=$PWD/$1
}

# status JOB: what its script ended with.
status() { scontrol show job -o "$1" | sed 's/.* ExitCode=\([0-9]*\):.*/\1/'; }

@test "stopped by USR1 the job queues itself again; two ranks give the bits of one process" {
	# Longer than anybody waits.
	sed 's/^steps.*/steps = 100000000\nschedule = constant/' train.ini >long.ini
	export TRAIN=lucie-train
	id=$(config=long.ini submit cut -N2)
	slurm_until cut/metrics.jsonl '"step":20,'
	scancel --signal=USR1 "$id"
	slurm_until cut.log 'attempt 2: from step'
	step=$(sed -n 's/.*attempt 2: from step-0*\([0-9]*\), 2 ranks on .*/\1/p' cut.log)
	slurm_until cut/metrics.jsonl "\"step\":$((step + 20)),"
	scancel "$id"
	slurm_drain "$id"
	cat cut.log
	grep -q 'attempt 1: from none, 2 ranks on n1,n2$' cut.log
	grep -q "attempt 1: status 75, from none to step-0*$step\$" cut.log
	grep -q "attempt 1: queued again: status 75, checkpoint step-0*$step\$" cut.log
	# Cancelled, it has written its checkpoint and does not come back.
	[ "$(grep -c 'queued again' cut.log)" = 1 ]
	[ "$(squeue -h -j "$id" -t all -o %T)" = CANCELLED ]
	last=$(readlink cut/latest)
	[ $((10#${last#step-})) -ge $((step + 20)) ]
	lucie-train -q -c long.ini --set train.steps=$((10#${last#step-})) -o undisturbed
	cmp undisturbed/latest/weights.safetensors cut/latest/weights.safetensors
	cmp cut/metrics.jsonl <(grep -v '"set"' undisturbed/metrics.jsonl)
}

@test "at the time limit Slurm's own USR1 does the same" {
	export TRAIN=$PWD/patient
	# One second before the end of one minute, and at most half a minute early.
	id=$(submit limited -t 1 --signal=USR1@1)
	slurm_drain "$id"
	cat limited.log
	grep -q 'attempt 1: status 75, from none to step-' limited.log
	grep -q 'attempt 1: queued again: status 75, checkpoint step-' limited.log
	grep -q 'attempt 2: status 0, from step-.* to step-00000060$' limited.log
	[ "$(status "$id")" = 0 ]
	[ ! -e limited.attempts ]
	cmp whole/latest/weights.safetensors limited/latest/weights.safetensors
}

@test "a signal to the script is for the tasks" {
	export TRAIN=$PWD/patient
	id=$(submit script)
	slurm_until script.log stands
	scancel --batch --signal=USR1 "$id"
	slurm_drain "$id"
	cat script.log
	grep -q 'attempt 1: status 75' script.log
	grep -q 'attempt 2: status 0' script.log
	cmp whole/latest/weights.safetensors script/latest/weights.safetensors
}

@test "a node that is not fit is left out, one to spare takes its place" {
	program fake <<-'END'
		echo "rank $SLURM_PROCID of $SLURM_NTASKS on $SLURMD_NODENAME"
	END
	export HEALTH='[ $SLURMD_NODENAME != n2 ]' TRAIN_NODES=2
	id=$(submit spare -N3 -w n1,n2,n3)
	slurm_drain "$id"
	cat spare.log
	grep -q ': not fit: n2$' spare.log
	grep -qx 'rank 0 of 2 on n1' spare.log
	grep -qx 'rank 1 of 2 on n3' spare.log
	[ "$(grep -c '^rank' spare.log)" = 2 ]
	[ "$(status "$id")" = 0 ]
}

@test "where too few are fit the job goes elsewhere, and its own exclusions stay" {
	program where <<-'END'
		echo "on $SLURMD_NODENAME"
		scontrol show job -o "$SLURM_JOB_ID" | grep -o 'ExcNodeList=[^ ]*'
	END
	export HEALTH='[ $SLURMD_NODENAME != n2 ]' TRAIN_NODES=2
	id=$(submit other -N2 -x n1)
	slurm_drain "$id"
	cat other.log
	grep -q 'attempt 1: not fit: n2$' other.log
	grep -q 'attempt 1: queued again: only 1 of 2 nodes are fit; 1 of 3 attempts' other.log
	grep -q 'attempt 2: status 0' other.log
	[ "$(grep '^on n' other.log | sort | tr '\n' ' ')" = 'on n3 on n4 ' ]
	grep -qx 'ExcNodeList=n\(\[1-2\]\|1,n2\)' other.log
}

@test "after three attempts without progress the job is given up, with the status of the last" {
	# Two fail, one makes a checkpoint, then all fail.
	program stuck <<-'END'
		n=${SLURM_RESTART_COUNT:-0}
		[ $n != 2 ] || ln -s step-00000001 "$run/latest"
		exit $((10 + n))
	END
	mkdir stuck.run
	export TRAIN_NODES=1
	id=$(submit stuck.run -N1)
	slurm_drain "$id"
	cat stuck.run.log
	[ "$(grep -c ' from ' stuck.run.log)" -ge 6 ]
	grep -q 'attempt 3: queued again: status 12, checkpoint step-00000001' stuck.run.log
	grep -q 'attempt 5: queued again: status 14; 2 of 3 attempts without a new checkpoint' stuck.run.log
	grep -q 'attempt 6: given up: status 15; 3 attempts without a new checkpoint' stuck.run.log
	[ "$(status "$id")" = 15 ]
	[ ! -e stuck.run.attempts ]
}

@test "what no attempt can mend is said at once, in one sentence" {
	unset TRAIN_NODES HEALTH
	export TRAIN=lucie-train
	sed 's/tiny/tny/' train.ini >wrong.ini
	id=$(config=wrong.ini submit wrong)
	slurm_drain "$id"
	grep -q "^lucie-train: wrong.ini.*tny" wrong.log
	grep -q 'given up: lucie-train does not accept wrong.ini$' wrong.log
	[ "$(status "$id")" = 2 ]
	[ ! -e wrong ]
	export TRAIN_NODES=3
	id=$(submit few -N2)
	slurm_drain "$id"
	grep -q 'given up: 3 ranks, 1 on a node, need 3 nodes, and the job has 2: give sbatch -N 3 or more' few.log
	[ "$(status "$id")" = 2 ]
	run -2 bash "$LUCIE_SRC/pipelines/mk/train.sbatch" train.ini run
	[[ $output == *"no job of Slurm"* ]]
	run -2 bash "$LUCIE_SRC/pipelines/mk/train.sbatch" train.ini
	[[ $output == "usage: sbatch "* ]]
}

@test "ranks on two hosts meet under the names of their nodes" {
	local rc=0
	"$LUCIE_SRC/tests/with-hosts" -n 2 true || rc=$?
	[ $rc != 77 ] || skip "no network namespaces"
	unset TRAIN TRAIN_NODES HEALTH
	"$LUCIE_SRC/tests/with-hosts" -n 2 "$LUCIE_SRC/tests/with-slurm" bash -c "$(declare -f submit slurm_drain)"'
		id=$(submit hosts -N2) && slurm_drain "$id"'
	cat hosts.log
	grep -q 'from none, 2 ranks on lh1,lh2$' hosts.log
	grep -q 'lucie-train: 2 ranks over ' hosts.log
	cmp whole/latest/weights.safetensors hosts/latest/weights.safetensors
}

# The last, since the node stays dead.
@test "a node that does not answer is left out like one that is not fit" {
	program fake <<-'END'
		echo "on $SLURMD_NODENAME"
	END
	# A check that takes longer than Slurm waits for an answer.
	export HEALTH='sleep 12' TRAIN_NODES=2
	kill -KILL "$(cat "$LUCIE_SLURM/pid/n2")"
	submit dead --no-kill -N3 -w n1,n2,n3
	# The job itself stays until Slurm has found out, too.
	slurm_until dead.log 'attempt 1: status 0'
	cat dead.log
	grep -q ': not fit: n2$' dead.log
	[ "$(grep '^on n' dead.log | sort | tr '\n' ' ')" = 'on n1 on n3 ' ]
}
