#!/usr/bin/env bats
# The layouts of layouts.bats on the emulated GPU: by name alone, since it takes minutes.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks
load devices

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	device_setup
	emulated lucie-train -q -c base.ini -o gpu16
	emulated lucie-train -q -c base.ini --set train.lanes=3 -o three
	emulated lucie-train -q -c base.ini --set train.reset_documents=yes -o documents
	lucie-train -q -c base.ini --set train.device=cpu --set train.dtype=bf16 -o cpu16
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

teardown() { kill_ranks; }

# equal LIKE N KEY=VALUE...: so many GPUs have its bits.
equal() { gpus "$2" parallel.equality=layout "${@:3}" && same_run "$1" run; }

# like N KEY=VALUE...: so many GPUs train like the CPU, but for rounding.
like() { gpus "$@" && near cpu16 run "$TOLERANCE_BF16"; }

@test "data and pipeline parallelism have the bits of one GPU" {
	equal gpu16 2
	equal gpu16 2 parallel.zero=0
	equal gpu16 4 parallel.zero=0
	equal gpu16 2 parallel.pp=2
	equal gpu16 4 parallel.pp=4
	equal gpu16 2 parallel.pp=2 parallel.interleave=2
	equal gpu16 4 parallel.pp=2
	equal gpu16 8 parallel.pp=2 parallel.interleave=2
	equal three 3 train.lanes=3
	equal three 6 train.lanes=3 parallel.pp=2
}

@test "what is computed again has the same bits" {
	equal gpu16 1 parallel.recompute=norms
	equal gpu16 1 parallel.recompute=layer
	equal gpu16 4 parallel.recompute=layer parallel.pp=2 parallel.interleave=2
}

@test "documents have the same bits in every layout" {
	equal documents 2 train.reset_documents=yes
	equal documents 4 train.reset_documents=yes parallel.pp=2 parallel.recompute=layer
}

@test "all levels train like the CPU" {
	local level
	for level in layout run fast; do
		like 3 parallel.equality=$level train.lanes=3
		like 4 parallel.equality=$level parallel.tp=2 parallel.sequence=yes
		like 8 parallel.equality=$level parallel.tp=2 parallel.dp=2 parallel.pp=2
	done
}
