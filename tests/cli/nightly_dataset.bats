#!/usr/bin/env bats
# A dataset in files and parts (SPLIT) by every way to run it, and killed forty times at random: the
# bytes of make -j1. Minutes; `make check TESTS=nightly_dataset`.
bats_require_minimum_version 1.5.0

load fixtures
load slurm

setup_file() {
	local rc=0
	export OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	slurm_start -n 4 -o SlurmdTimeout=10 -o KillWait=2 || rc=$?
	[ $rc = 0 ] || [ $rc = 77 ] || return 1
	mkdir src
	for i in {1..8}; do
		sed "s/\"text\": *\"/&$((i % 5)) of many. /" "$LUCIE_SRC/tests/data/$([ $((i % 2)) = 0 ] && echo a || echo b).jsonl" >"src/s$i.jsonl"
	done
	cat >Makefile <<-'END'
		D := work
		SPLIT ?= 3
		all: plan
		include $(LUCIE_SRC)/pipelines/mk/settings.mk
		SOURCES := $(patsubst src/%.jsonl,%,$(sort $(wildcard src/*.jsonl)))
		IMPORT_FROM = src/%.jsonl
		IMPORT = lucie-normalize $(ONE)
		FILTER_FLAGS = --preset gopher --set min_words=2 --set min_stop_words=off
		include $(MK)/stages.mk
		CLEAN := $(SOURCES:%=$(D)/filter/%.jsonl.zst)
		TOKENIZER_FLAGS = --vocab-size 400
		SHARD_FLAGS = --holdout valid=0.2
		HELD_OUT = $(D)/shards/all-valid
		RECIPE := recipe.ini
		include $(MK)/corpus.mk
		SBATCH = --mem-per-cpu=100
	END
	printf '[group all]\n' >recipe.ini
	slurm_dataset one
	make -s -C one -j1 plan >/dev/null
	sums one >one.sums
}

teardown_file() { slurm_stop; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# What does not depend on the number of parts.
documents='  \./(filter|exact/s[0-9]*.jsonl|near/s[0-9]*.jsonl|tokenizer|shards|parts)'

@test "five at once" {
	slurm_dataset five
	make -s -C five -j5 plan
	same five
}

@test "any number of parts: the same documents and tokenizer" {
	for n in 1 2 7; do
		slurm_dataset "parts$n"
		make -s -C "parts$n" -j2 plan SPLIT=$n
		grep -E "$documents" one.sums >want
		sums "parts$n" | grep -E "$documents" | diff want -
	done
}

@test "arrays on Slurm; a node dies for Slurm to find out" {
	slurm_or_skip
	slurm_program dying lucie-lang <<-'END'
		case $*.${SLURM_RESTART_COUNT:-0} in
		*/s5.jsonl.zst.0) echo "$SLURMD_NODENAME" >node.new && mv node.new node && exec sleep 1000 ;;
		esac
		really "$@"
	END
	slurm_dataset arrays
	make -C arrays slurm BIN="$PWD/dying"
	slurm_kill_node arrays/node
	slurm_drained arrays
	cat arrays/work/slurm/files-*.log
	same arrays
	grep -q ' attempt 2 on ' arrays/work/slurm/files-*.log
}

@test "arrays of other parts and slices: the same documents and tokenizer" {
	slurm_or_skip
	slurm_dataset two
	make -C two slurm SPLIT=2 SLICE=3 BIN="$LUCIE_BUILD/bin"
	slurm_drained two
	slurm_dataset made
	make -s -C made -j2 plan SPLIT=2
	sums made >made.sums
	sums two | diff made.sums -
	grep -E "$documents" one.sums >want
	grep -E "$documents" made.sums | diff want -
}

# jobs NAME: the jobs of the dataset in this folder.
jobs() { squeue -h -o '%A %j' | sed -n "s/ $1-.*//p" | paste -sd,; }

@test "a node that lacks the programs is left out; what a file system hides is waited for" {
	slurm_or_skip
	# The first node that runs it.
	slurm_program unfit lucie-normalize <<-'END'
		if [ -n "${SLURMD_NODENAME-}" ]; then
			cd "${0%/*}" && (set -C && echo "$SLURMD_NODENAME" >node) 2>/dev/null
			[ "$SLURMD_NODENAME" != "$(cat node)" ] || exit 127
			cd "$OLDPWD"
		fi
		really "$@"
	END
	slurm_dataset six
	make -C six slurm BIN="$PWD/unfit" UNTIL=files SLICE=8
	slurm_drained six
	cat six/work/slurm/files-0.log
	grep -q "attempt 1 on $(cat unfit/node): queued again: make does not start here" six/work/slurm/files-0.log
	run -0 grep 'attempt 2 on .*: begins' six/work/slurm/files-0.log
	[[ $output != *" on $(cat unfit/node):"* ]]

	# keys is submitted when what it reads is there, which then is hidden until the task has begun.
	make -C six slurm UNTIL=keys SLICE=8 SBATCH='--mem-per-cpu=100 -H'
	mv six/work/filter/s3.jsonl.zst hidden
	scontrol release "$(jobs six)"
	slurm_until six/work/slurm/keys-0.log ': begins'
	sleep 3
	[ ! -e six/work/exact/s3.keys ]
	mv hidden six/work/filter/s3.jsonl.zst
	slurm_drained six
	[ "$(grep -c 'begins' six/work/slurm/keys-0.log)" = 1 ]
	[ -e six/work/exact/s3.keys ]

	# Or for good.
	LUCIE_WAIT=1 make -C six slurm UNTIL=first SPLIT=1 RETRIES=0 SBATCH='--mem-per-cpu=100 -H'
	mv six/work/exact/s3.keys hidden
	scontrol release "$(jobs six)"
	slurm_drained six
	grep -q 'given up: of an earlier wave, and not seen after 1 s, .*: work/exact/s3.keys' six/work/slurm/first-0.log
}

@test "steps of an allocation" {
	slurm_or_skip
	slurm_dataset steps
	salloc -Q -N3 -n6 make -s -C steps -j6 plan RUN='srun -Q --exact -N1 -n1 -c1 --mem-per-cpu=100'
	same steps
}

# killed NAME FLAGS...: make in a process group of its own, killed at a random moment forty times.
killed() {
	local i pid
	slurm_dataset "$1"
	for i in {1..40}; do
		setsid make -s -C "$1" plan "${@:2}" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.$((RANDOM % 9))"
		kill -KILL -- -$pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
	done
	make -s -C "$1" plan "${@:2}"
	same "$1"
}

@test "killed forty times at random" { killed kill -j3; }

@test "killed forty times at random beside another attempt" {
	slurm_dataset twin
	for i in {1..40}; do
		setsid make -s -C twin -j2 plan >/dev/null 2>&1 3>&- &
		a=$!
		setsid make -s -C twin -j2 plan >/dev/null 2>&1 3>&- &
		b=$!
		sleep "0.$((RANDOM % 9))"
		kill -KILL -- -$a 2>/dev/null || true
		[ $((i % 2)) = 0 ] || sleep 0.1
		kill -KILL -- -$b 2>/dev/null || true
		wait $a $b || true
	done
	make -s -C twin -j2 plan
	same twin
}
