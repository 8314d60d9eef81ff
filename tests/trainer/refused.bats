#!/usr/bin/env bats
# What cannot be trained is refused on several ranks as on one: one sentence of one rank, status 2 on
# all, nothing written.
# shellcheck disable=SC2034,SC2154 # pid, rc and with are shared with ranks.bash
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards
	cat >base.ini <<-END
		$(sizes 4)
		[data]
		train = shards/demo
		tokenizer = tokenizer.json
		[train]
		steps = 4
		context = 16
		micro_batch = 1
		global_batch = 4
		[parallel]
		deadline = 30
	END
	lucie-train -q -c base.ini -o ended
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run err.*
}

teardown() { kill_ranks; }

# refused SENTENCE N ARG...: so many ranks are refused with a sentence that has these words.
refused() {
	local sentence=$1 n=$2 all
	shift 2
	start "$n" -q "$@"
	finish || true
	all=$(said)
	if [ "$(printf '%s\n' "${rc[@]}" | sort -u)" != 2 ] || [[ "$all" != "lucie-train: "*"$sentence"* ]] ||
		[ "$(grep -c '^lucie-train: ' <<<"$all")" != 1 ] ||
		[ "$(find . -maxdepth 1 -name 'err.*' -size +0 | wc -l)" != 1 ]; then
		echo "$n ranks, $*: exit ${rc[*]}, not '$sentence':"
		grep -H . err.*
		return 1
	fi
	rm -f err.*
}

# settings SENTENCE N KEY=VALUE...: settings that are refused for a new run, which does not appear.
settings() {
	local s set=()
	for s in "${@:3}"; do set+=(--set "$s"); done
	refused "$1" "$2" -c base.ini "${set[@]}" -o run
	[ ! -e run ]
}

@test "layouts that do not fit the ranks, the model or the lanes" {
	settings 'parallel.tp 1 x pp 1 x dp 3 = 3 ranks, but 2 processes were started' 2 parallel.dp=3
	settings 'parallel.tp 2 x pp 1 = 2 does not divide the number of ranks: 3 processes' 3 parallel.tp=2
	settings 'parallel.cp = 2: context parallelism is not implemented' 2 parallel.cp=2
	settings 'parallel.order = tp dp lacks cp' 2 parallel.order='tp dp'
	settings 'model.kv_heads = 2 is not a multiple of parallel.tp = 4' 4 parallel.tp=4
	settings 'model.vocab = 401 is not a multiple of parallel.tp = 2' 2 parallel.tp=2 model.vocab=401
	settings 'a micro-batch of 1 x 15 tokens is not a multiple of parallel.tp = 2' 2 parallel.tp=2 \
		parallel.sequence=yes train.context=15
	settings 'train.lanes = 3 is not parallel.dp = 2 times a power of two' 2 train.lanes=3
	settings 'train.lanes = 6 is not parallel.dp = 4 times a power of two' 4 train.lanes=6
	settings 'parallel.pp 5 x interleave 1 = 5 chunks, but the model has 4 layers' 5 parallel.pp=5
	settings 'parallel.stages = 1 2' 2 parallel.pp=2 parallel.stages='1 2'
	settings 'parallel.interleave has no effect' 2 parallel.interleave=2
	settings 'model.tied' 2 parallel.pp=2 model.tied=yes
	settings 'parallel.zero = 2 is not supported' 2 parallel.zero=2
}

@test "a layout that does not fit a later phase" {
	cp base.ini phases.ini
	cat >>phases.ini <<-'END'
		[phase one]
		[phase two]
		train.context = 15
	END
	refused 'phase two: ' 2 -c phases.ini --set parallel.tp=2 --set parallel.sequence=yes -o run
	[ ! -e run ]
}

@test "data that are missing, on all ranks or on one" {
	settings 'shards/none' 2 data.train=shards/none
	settings 'shards/none' 3 data.valid=shards/none
	settings 'none.json' 2 data.tokenizer=none.json
	# A rank that sees another folder.
	mkdir -p elsewhere/shards
	cp tokenizer.json base.ini elsewhere
	with[1]='env -C elsewhere'
	settings 'shards/demo' 2
	with=()
}

@test "a model that does not fit the memory" {
	settings "the 4 ranks on host $(hostname) need" 4 train.micro_batch=1000000 train.global_batch=4000000 train.lanes=4
}

@test "usage errors and half of an environment are told once" {
	refused "unknown option '--frobnicate'" 3 --frobnicate
	refused 'no run folder: give -o RUN' 2 -c base.ini
	refused 'base.ini' 2 -c no-base.ini -o run
	with=('env -u LUCIE_SIZE' 'env -u LUCIE_SIZE')
	refused 'LUCIE_RANK is set and LUCIE_SIZE is not' 2 -c base.ini -o run
	with=('env -u LUCIE_RENDEZVOUS' 'env -u LUCIE_RENDEZVOUS')
	refused 'LUCIE_RANK is set and LUCIE_RENDEZVOUS is not' 2 -c base.ini -o run
	with=()
	[ ! -e run ]
}

@test "a port that another program has" {
	local port=$((20000 + $$ % 12000)) holder rc=0
	LUCIE_RANK=0 LUCIE_SIZE=2 LUCIE_RENDEZVOUS=127.0.0.1:$port lucie-train -q -c base.ini -o run &
	holder=$!
	until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
	LUCIE_RANK=0 LUCIE_SIZE=2 LUCIE_RENDEZVOUS=127.0.0.1:$port lucie-train -q -c base.ini -o run \
		2>err.0 || rc=$?
	kill -TERM $holder && wait $holder || true
	[ $rc = 2 ]
	[ "$(cat err.0)" = "lucie-train: rendezvous: cannot listen on port $port: Address already in use; \
give another port in LUCIE_RENDEZVOUS" ]
	rm err.0
	[ ! -e run ]
}

@test "rank 0 says for whom all wait" {
	local i
	LUCIE_RANK=0 LUCIE_SIZE=3 LUCIE_RENDEZVOUS=127.0.0.1 LUCIE_ATTEMPT=$$-alone \
		lucie-train -c base.ini -o run 2>err.0 &
	pid=($!)
	for ((i = 0; i < 600; i++)); do
		! grep -q waiting err.0 || break
		sleep 0.1
	done
	kill "${pid[@]}"
	wait "${pid[@]}" || true
	pid=()
	[ "$(head -n1 err.0)" = 'lucie-train: waiting for rank 1, 2' ]
	[ ! -e run ]
}

@test "ranks that are started with different settings" {
	# A rank with one argument more.
	cat >more.sh <<-'END'
		#!/bin/bash
		exec "$@" $MORE
	END
	chmod +x more.sh
	with[2]=./more.sh
	MORE='--set train.lr=0.25' refused \
		"rank 2 on $(hostname) was started with [train] 'lr = 0.25' and rank 0 with 'lr = 0.001'" \
		3 -c base.ini -o run
	MORE='--set parallel.pp=3' refused "'pp = 3' and rank 0 with 'pp = 1'" 3 -c base.ini -o run
	MORE='--set train.dtype=bf16' refused "'dtype = bf16' and rank 0 with 'dtype = auto'" \
		3 -c base.ini -o run
	MORE='--from-step 3' refused "'--from-step 3' and rank 0 with 'no --from-step'" 3 -c base.ini -o run
	MORE=--overcommit refused "'--overcommit' and rank 0 with 'no --overcommit'" 3 -c base.ini -o run
	MORE='--set train.lr=x' refused 'train.lr' 3 -c base.ini -o run
	with=()
	[ ! -e run ]
}

@test "a run folder that is not shared is not begun" {
	mkdir -p unshared
	ln -sf ../shards ../tokenizer.json ../base.ini unshared
	with[1]='env -C unshared'
	refused 'the run folder must be on a file system that all hosts share' 2 -c base.ini -o run
	with=()
	[ ! -e run ] && [ ! -e unshared/run ]
}

@test "a run that cannot go on stays as it is" {
	cp -R ended run
	sed 's/^layers.*/layers = 5/' base.ini >other.ini
	refused 'model.layers' 2 -c other.ini -o run
	sed 's/^steps.*/&\nlr = 0.5/' base.ini >other.ini
	refused 'train.lr is' 2 -c other.ini -o run
	printf x | dd of=run/latest/adam-v.safetensors bs=1 seek=5000 conv=notrunc status=none
	refused 'adam-v.safetensors: damaged' 2 --set train.steps=6 -o run
	rm run/latest/adam-m.safetensors
	refused 'adam-m.safetensors' 2 --set train.steps=6 -o run
	refused 'step-00000003' 2 --from-step 3 -o run
	cp ended/latest/adam-* run/latest/
	diff -r ended run
}

@test "--dry-run and --print-config of several ranks print once" {
	local what
	for what in --dry-run --print-config; do
		start 3 $what -c base.ini >out
		finish
		lucie-train $what -c base.ini >want
		# The numbers of megabytes change a little from time to time.
		cmp <(sed 's/[0-9.]* MiB$//' want) <(sed 's/[0-9.]* MiB$//' out)
	done
}
