#!/usr/bin/env bats
# `make slurm` in a private Slurm of four nodes: the bytes of one machine, through tasks that fail, a
# node that dies and attempts beside one another. No test is decided by time.
bats_require_minimum_version 1.5.0

load fixtures
load slurm

setup_file() {
	local rc=0
	[ "$LUCIE_CONFIG" = release ] || return 0
	export OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	slurm_start -n 4 -o MaxArraySize=4 -o KillWait=2 || rc=$?
	[ $rc = 0 ] || { [ $rc = 77 ] && return 0 || return 1; }
	# Twelve sources, some of which repeat others.
	mkdir src
	for i in {1..12}; do
		sed "s/\"text\": *\"/&$((i % 7)) of many. /" "$LUCIE_SRC/tests/data/$([ $((i % 2)) = 0 ] && echo a || echo b).jsonl" >"src/s$i.jsonl"
	done
	cat >Makefile <<-'END'
		D := work
		all: plan
		include $(LUCIE_SRC)/pipelines/mk/settings.mk
		SOURCES := $(patsubst src/%.jsonl,%,$(sort $(wildcard src/*.jsonl)))
		IMPORT_FROM = src/%.jsonl
		IMPORT = lucie-normalize $(ONE)
		FILTER_FLAGS = --preset gopher --set min_words=2 --set min_stop_words=off
		include $(MK)/stages.mk
		CLEAN := $(SOURCES:%=$(D)/filter/%.jsonl.zst)
		TOKENIZER_FLAGS = --vocab-size 400
		RECIPE := recipe.ini
		include $(MK)/corpus.mk
		SBATCH = --mem-per-cpu=100
	END
	printf '[group all]\n' >recipe.ini
	slurm_dataset one
	make -s -C one -j2 plan >/dev/null
	sums one >one.sums
	# What waits in the queue does so while other tests run: a job that is queued again stays there for
	# Slurm's shortest time, six seconds.
	#
	# s3 fails twice, s7 is killed once, the node of s5 dies. Waves are larger than arrays may be.
	slurm_program flaky lucie-lang <<-'END'
		case $*.${SLURM_RESTART_COUNT:-0} in
		*/s3.jsonl.zst.[01]) exit 3 ;;
		*/s7.jsonl.zst.0) kill -KILL $$ ;;
		*/s5.jsonl.zst.0) echo "$SLURMD_NODENAME" >node.new && mv node.new node && exec sleep 1000 ;;
		esac
		really "$@"
	END
	slurm_dataset two
	# Of another job that this runs in.
	SLURM_JOB_ID=4711 SLURM_NTASKS=64 SBATCH_PARTITION=none PMIX_RANK=3 \
		make -C two slurm BIN="$PWD/flaky" TITLE="it's \$\$5" >two.log
	# The node of s5 sleeps until it is killed.
	make -C two slurm BIN="$PWD/flaky" >refused.log 2>&1 && return 1
	slurm_kill_node two/node
	scontrol update NodeName="$(cat two/node)" State=DOWN Reason=dead
	slurm_program broken lucie-filter <<-'END'
		case $* in */s4.jsonl.zst) [ -e fixed ] || exit 2 ;; esac
		really "$@"
	END
	slurm_dataset three
	make -C three slurm BIN="$PWD/broken" RETRIES=0 UNTIL=near >three.log
}

teardown_file() { slurm_stop; }

setup() {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	slurm_or_skip
	cd "$BATS_FILE_TMPDIR" || return 1
}

@test "a second attempt beside the first, both killed at random, leaves the bytes of one" {
	slurm_dataset six
	for i in {1..6}; do
		setsid make -s -C six -j2 plan >/dev/null 2>&1 3>&- &
		a=$!
		setsid make -s -C six -j2 plan >/dev/null 2>&1 3>&- &
		b=$!
		sleep "0.$((RANDOM % 8))"
		kill -KILL -- -$a 2>/dev/null || true
		[ $((i % 3)) != 0 ] || kill -KILL -- -$b 2>/dev/null || true
		wait $a $b || true
	done
	make -s -C six -j2 plan
	same six
}

@test "make removes what killed attempts on this host have left, make slurm names that of others" {
	cp -Rp one seven
	here=$(bash "$LUCIE_SRC/pipelines/mk/leftovers" --host)
	ended=$(sh -c 'echo $$')
	touch seven/work/{filter/.s1.jsonl.zst.$here.$ended.0.lu-tmp,filter/.s1.jsonl.zst.$here.$$.0.lu-tmp}
	touch seven/work/stats/{.x.elsewhere-f0.1.0.lu-tmp,.x.$here.lu-tmp}
	make -s -C seven -n plan
	[ -e seven/work/filter/.s1.jsonl.zst.$here.$ended.0.lu-tmp ]
	make -s -C seven plan
	[ ! -e seven/work/filter/.s1.jsonl.zst.$here.$ended.0.lu-tmp ]
	[ -e seven/work/filter/.s1.jsonl.zst.$here.$$.0.lu-tmp ]
	[ "$(find seven/work -name '.*.lu-tmp' | wc -l)" = 3 ]
	run -0 make -C seven slurm
	[[ $output == *"1 temporary file of other hosts; if nothing else builds here: find work -name '.*.lu-tmp' -delete"* ]]
}

@test "make in an allocation runs its stages as steps, and make on a host by ssh" {
	slurm_dataset four
	salloc -Q -n4 make -s -C four -j4 plan RUN='srun -Q --exact -N1 -n1 -c1 --mem-per-cpu=100' >log
	same four
	# In place of ssh: another folder, almost no environment, the words read once more.
	cat >ssh <<-'END'
		#!/bin/bash
		[ "$1 $2" = '-o BatchMode=yes' ] || exit 255
		echo "$3" >>"$LUCIE_HOSTS_USED"
		cd / && exec env -i sh -c "$4"
	END
	chmod +x ssh
	slurm_dataset five
	LUCIE_HOSTS_USED=$PWD/used SSH=$PWD/ssh make -s -C five -j3 plan \
		RUN="$LUCIE_SRC/pipelines/mk/on h1*2 h2 --" >log
	same five
	[ "$(sort -u used | paste -sd' ')" = 'h1 h2' ]
}

@test "what fails for good ends what depends on it; said again, only what is missing is made" {
	[ "$(grep -c ', job ' three.log)" = 3 ]
	slurm_drained three
	grep -q 'given up: make ends with 2; RETRIES=0' three/work/slurm/files-*.log
	[ ! -e three/work/filter/s4.jsonl.zst ]
	[ -e three/work/filter/s5.jsonl.zst ]
	[ ! -e three/work/dedup/exact.jsonl.zst ]
	make -C three slurm-missing BIN="$PWD/broken" UNTIL=exact >log
	run -0 tr -s ' ' <log
	[ "$(grep -v '^make' <<<"$output" | paste -sd,)" = \
		' slurm files: 1 of 12 missing, work/filter/s4.jsonl.zst, slurm exact: 1 of 1 missing, work/dedup/exact.jsonl.zst' ]
	touch three/fixed
	make -C three slurm BIN="$PWD/broken" >log
	grep -q 'files: 1 of 12 to make, 1 task, job ' log
	slurm_drained three
	same three
}

@test "arrays have the bytes of one machine, through tasks that fail, are killed, and a node that dies" {
	grep -q 'files: 12 of 12 to make, 4 tasks, job ' two.log
	grep -q 'jobs of this dataset are queued: wait, or scancel' refused.log
	slurm_drained two
	cat two/work/slurm/*.log
	same two
	# Every attempt has its line in a log that was appended to.
	[ "$(grep -h ' attempt [0-9]* on n[0-9]: begins, 3 goals' two/work/slurm/files-*.log | wc -l)" -gt 6 ]
	[ "$(grep -hc 'queued again: make ends with 2' two/work/slurm/files-*.log | awk '{ n += $1 } END { print n }')" -ge 2 ]
	run ! grep -rqE '^(SLURM_NTASKS=64|PMIX_)' two/work/slurm
	run -0 make -C two slurm BIN="$PWD/flaky"
	[ "$(grep -c 'nothing to do' <<<"$output")" = 1 ]
}
