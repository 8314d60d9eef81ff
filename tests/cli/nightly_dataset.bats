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
	dataset one
	make -s -C one -j1 plan >/dev/null
	sums one >one.sums
}

teardown_file() { slurm_stop; }

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

dataset() { mkdir "$1" && cp -R Makefile recipe.ini src "$1"; }

# sums NAME: all files but stamps, logs and lists; of the accounting lines what is no time.
sums() {
	# What a killed attempt has left beside one that was not, the next program removes that writes there.
	(cd "$1/work" && find . -type f ! -name '*.lu-tmp' ! -path './flags/*' ! -path './slurm/*' ! -path './stats/*' ! -path './lists/*' | sort | xargs sha256sum &&
		for f in stats/*; do sed -E 's/"time":.*//; s/"-j[0-9]+",//' "$f"; done)
}

same() {
	sums "$1" | diff one.sums - || return 1
	[ "$(cat "$1"/work/stats/* | wc -l)" = "$(find "$1"/work/stats -type f ! -name '*.lu-tmp' | wc -l)" ]
}

drained() {
	for _ in {1..6000}; do
		[ -n "$(squeue -h)" ] || return 0
		sleep 0.1
	done
	return 1
}

@test "five at once" {
	dataset five
	make -s -C five -j5 plan
	same five
}

@test "any number of parts: the same documents and tokenizer" {
	for n in 1 2 7; do
		dataset "parts$n"
		make -s -C "parts$n" -j2 plan SPLIT=$n
		grep -E '  \./(filter|exact/s[0-9]*.jsonl|near/s[0-9]*.jsonl|tokenizer|shards|parts)' one.sums >want
		sums "parts$n" | grep -E '  \./(filter|exact/s[0-9]*.jsonl|near/s[0-9]*.jsonl|tokenizer|shards|parts)' | diff want -
	done
}

@test "arrays on Slurm; a node dies for Slurm to find out" {
	slurm_or_skip
	dataset arrays
	printf '#!/bin/bash\n[ "$*.${SLURM_RESTART_COUNT:-0}" = "${*%%/s5.jsonl.zst}/s5.jsonl.zst.0" ] && { echo "$SLURMD_NODENAME" >node.new; mv node.new node; exec sleep 1000; }\nexec %s/bin/lucie-lang "$@"\n' "$LUCIE_BUILD" >lucie-lang
	chmod +x lucie-lang
	make -C arrays slurm BIN="$PWD"
	for _ in {1..600}; do
		[ ! -e arrays/node ] || break
		sleep 0.1
	done
	node=$(cat arrays/node)
	kill -KILL "$(cat "$LUCIE_SLURM/pid/$node")"
	drained
	cat arrays/work/slurm/files-*.log
	same arrays
}

@test "steps of an allocation" {
	slurm_or_skip
	dataset steps
	salloc -Q -N3 -n6 make -s -C steps -j6 plan RUN='srun -Q --exact -N1 -n1 -c1 --mem-per-cpu=100'
	same steps
}

# killed NAME FLAGS...: make in a process group of its own, killed at a random moment forty times.
killed() {
	local i pid
	dataset "$1"
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
	dataset twin
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
