#!/usr/bin/env bats
# Every layout trains like one process: the same bits over data and pipeline parallelism, ZeRO and
# recomputation, and up to rounding with tensor parallelism; in either type of activations.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

# A ramp from 1 to 7 micro-batches, of which most numbers are no multiple of the ranks and some leave
# ranks without any; clipping; validation sets whose batches the ranks share.
setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards b.jsonl
	lucie-shard -t tokenizer.json -o shards/two b.jsonl
	cat >base.ini <<-END
		$(sizes 5)
		[data]
		train = shards/demo
		valid = shards/demo shards/two
		tokenizer = tokenizer.json
		[train]
		steps = 20
		context = 16
		micro_batch = 1
		global_batch = 7
		ramp = 1 1 28
		lanes = 4
		valid_every = 6
		valid_samples = 5
		lr = 3e-3
		warmup = 10
		clip = 2
		[parallel]
		hash_every = 5
		[checkpoint]
		every = 0
	END
	one four
	one three --set train.lanes=3
	one twelve --set train.lanes=12
	one documents --set train.reset_documents=yes
	# So that rounding is not amplified where a gradient is near 0.
	one smooth --set train.eps=1e-3
}

# types NAME: the ways of keeping numbers that a run of this name is made in: activations in fp32, in
# bf16, and with weights and optimizer in 10 bytes a parameter as well.
types() {
	printf '%s\n' fp32 bf16
	[ "$1" != four ] || echo low
}

# compared NAME: those that layouts are compared in. The sanitizers are slow, and see all code in two.
compared() {
	if [ "$LUCIE_CONFIG" = release ]; then
		types "$1"
	else
		types "$1" | grep -v bf16
	fi
}

# typed TYPE: the settings.
typed() {
	case $1 in
	low) echo --set train.dtype=bf16 --set train.memory=low ;;
	*) echo --set train.dtype="$1" ;;
	esac
}

# one NAME ARG...: runs of one process, NAME.TYPE
one() {
	local name=$1 type
	shift
	for type in $(types "$name"); do
		# shellcheck disable=SC2046
		lucie-train -q -c base.ini $(typed "$type") "$@" -o "$name.$type" || return
	done
}

# tensor: the same of two tensor-parallel ranks.
tensor() {
	local type
	for type in fp32 bf16; do
		[ -e tensor.$type ] || ranks 2 -q -c base.ini --set train.dtype=$type \
			--set parallel.tp=2 -o tensor.$type || return
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run run.out
}

teardown() { kill_ranks; }

# layout LIKE LAUNCHER... -- KEY=VALUE...: ranks that are started so, with these settings, end with the
# bits of the runs LIKE.TYPE.
layout() {
	local like=$1 s type set=() launch=()
	shift
	while [ "$1" != -- ]; do launch+=("$1") && shift; done
	shift
	for s; do set+=(--set "$s"); done
	for type in $(compared "$like"); do
		rm -rf run
		# shellcheck disable=SC2046
		if ! "${launch[@]}" -q -c base.ini $(typed "$type") "${set[@]}" -o run ||
			! same_run "$like.$type" run; then
			echo "${launch[*]}: $type $*"
			return 1
		fi
	done
}

# equal LIKE N KEY=VALUE...: the same with N plain processes.
equal() { layout "$1" ranks "$2" -- "${@:3}"; }

# missing PROGRAM: a skip, or a failure where nothing may be missing.
missing() {
	[ "${CI-}" != true ] || { echo "no $1" && return 1; }
	skip "no $1"
}

@test "the settings do what the tests need" {
	[ "$(grep -c '^{"step".*"batch"' four.fp32/metrics.jsonl)" = 20 ]
	for n in 1 2 3 5 7; do grep -q "\"batch\":$n," four.fp32/metrics.jsonl; done
	[ "$(grep -c '"valid":"two"' four.fp32/metrics.jsonl)" = 5 ]
	# Some steps are clipped, and the losses fall.
	grep -q '"clip":0\.' four.fp32/metrics.jsonl
	grep -q '"clip":1\.0}' four.fp32/metrics.jsonl
	# Lanes and documents make a difference, so that equal files mean something.
	for type in fp32 bf16; do
		run ! same_run four.$type three.$type
		run ! same_run four.$type twelve.$type
		run ! same_run four.$type documents.$type
	done
	# So do activations in bf16, which is recorded.
	run ! same_run four.fp32 four.bf16
	grep -q '"dtype":"bf16"' four.bf16/latest/manifest.json
	near four.fp32 four.bf16 3e-3 3e-3
	# And rounding at random, which is recorded too.
	run ! same_run four.bf16 four.low
	grep -q '"memory":"low"' four.low/latest/manifest.json
	near four.bf16 four.low 1e-2 5e-2
}

@test "data parallelism has the bits of one process" {
	equal four 2
	equal four 4
	equal four 4 parallel.zero=0
	equal four 2 parallel.zero=0 parallel.dp=2
	equal three 3 train.lanes=3
	equal twelve 3 train.lanes=12 parallel.zero=0
	equal twelve 6 train.lanes=12
}

@test "pipelines have the bits of one process" {
	equal four 2 parallel.pp=2
	equal four 3 parallel.pp=3
	equal four 4 parallel.pp=4
	equal four 2 parallel.pp=2 parallel.stages='1 4'
	equal four 2 parallel.pp=2 parallel.interleave=2
	equal four 2 parallel.pp=2 parallel.interleave=2 parallel.stages='2 1 1 1'
}

@test "pipelines of data-parallel ranks have the bits of one process" {
	equal four 4 parallel.pp=2
	equal four 4 parallel.pp=2 parallel.interleave=2 parallel.zero=0
	equal four 8 parallel.pp=2 parallel.dp=4
	equal three 6 train.lanes=3 parallel.pp=2
}

@test "what is computed again has the same bits" {
	equal four 1 parallel.recompute=norms
	equal four 1 parallel.recompute=layer
	equal four 2 parallel.recompute=layer
	equal four 4 parallel.recompute=norms parallel.pp=2
	equal four 2 parallel.recompute=layer parallel.pp=2 parallel.interleave=2
}

@test "documents have the same bits in every layout" {
	equal documents 2 train.reset_documents=yes
	equal documents 4 train.reset_documents=yes parallel.pp=2 parallel.recompute=layer
	equal documents 2 train.reset_documents=yes parallel.pp=2 parallel.interleave=2
}

@test "the order of the axes changes nothing" {
	local order
	for order in 'dp pp tp cp' 'pp tp dp cp' 'cp pp dp tp'; do
		equal four 4 parallel.pp=2 parallel.order="$order"
	done
}

# like_smooth N KEY=VALUE...: so many ranks with these settings train like one, but for rounding: of
# fp32 to 24 bits, of bf16 to 8, of which a loss averages many.
like_smooth() {
	local n=$1 s type set=()
	local -A limit=([fp32]=1e-6 [bf16]='2e-3 2e-3')
	shift
	for s; do set+=(--set "$s"); done
	for type in fp32 bf16; do
		rm -rf run
		# shellcheck disable=SC2086 # words
		if ! ranks "$n" -q -c base.ini --set train.eps=1e-3 --set train.dtype=$type \
			"${set[@]}" -o run || ! near smooth.$type run ${limit[$type]}; then
			echo "$n ranks: $type $*"
			return 1
		fi
	done
}

@test "tensor parallelism has the losses of one process, but for rounding" {
	like_smooth 2 parallel.tp=2
	like_smooth 2 parallel.tp=2 parallel.recompute=norms
	like_smooth 2 parallel.tp=2 parallel.sequence=yes
	like_smooth 2 parallel.tp=2 parallel.sequence=yes parallel.recompute=layer
	like_smooth 4 parallel.tp=2 parallel.pp=2 parallel.interleave=2
	like_smooth 4 parallel.tp=2 parallel.dp=2 parallel.sequence=yes parallel.zero=0
	like_smooth 8 parallel.tp=2 parallel.dp=2 parallel.pp=2
	like_smooth 8 parallel.tp=2 parallel.dp=2 parallel.pp=2 parallel.sequence=yes \
		parallel.order='pp dp tp cp'
}

@test "layouts with the same tensor parallelism have the same bits" {
	tensor
	equal tensor 4 parallel.tp=2
	equal tensor 4 parallel.tp=2 parallel.pp=2 parallel.recompute=layer
	equal tensor 8 parallel.tp=2 parallel.pp=2 parallel.interleave=2 parallel.zero=0
	local order
	for order in 'tp cp pp dp' 'dp tp pp cp' 'dp pp cp tp' 'pp tp dp cp' 'cp pp dp tp'; do
		equal tensor 8 parallel.tp=2 parallel.pp=2 parallel.order="$order"
	done
}

@test "ranks of mpirun have the bits of one process" {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	command -v mpirun >/dev/null || missing mpirun
	lucie-train --version | grep -q 'MPI Open' || missing "MPI in this build"
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	local mpi=(timeout 100 mpirun -q --oversubscribe)
	layout four "${mpi[@]}" -np 2 lucie-train --
	layout four "${mpi[@]}" -np 4 lucie-train -- parallel.pp=2
	layout four "${mpi[@]}" -np 2 lucie-train -- parallel.pp=2 parallel.interleave=2 \
		parallel.recompute=layer
	tensor
	layout tensor "${mpi[@]}" -np 4 lucie-train -- parallel.tp=2
}

@test "steps of a Slurm job have the bits of one process" {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	PATH=$PATH:/usr/sbin:/sbin
	command -v slurmctld >/dev/null || missing Slurm
	tensor
	# Several steps in one job: each meets on its own.
	cat >steps <<-'END'
		layout four srun -n2 lucie-train -- || exit
		layout four srun -N2 -n4 lucie-train -- parallel.pp=2 || exit
		layout tensor srun -n4 lucie-train -- parallel.tp=2
	END
	export -f layout same_run export_run steps
	timeout 200 "$LUCIE_SRC/tests/with-slurm" -n 2 -c 4 salloc -q -N2 -n8 bash steps
}
