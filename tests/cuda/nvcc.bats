#!/usr/bin/env bats
# What make does with nvcc.
bats_require_minimum_version 1.5.0

setup() {
	cd "$LUCIE_SRC" || return 1
	unset MAKEFLAGS MAKELEVEL CFLAGS CC CXX CONFIG BUILD
	build=$BATS_TEST_TMPDIR/build
}

# compile [VARIABLE=VALUE]...: the number of files that nvcc compiles for one object.
compile() {
	make BUILD="$build" CUDA=1 CUDA_ARCH=90 "$@" "$build/kernels/cuda/gemm_scale.o" | grep -c '^  NVCC ' || true
}

@test "changed flags of nvcc and other processors recompile; warnings do not" {
	[ "$(compile)" = 1 ]
	[ "$(compile)" = 0 ]
	[ "$(compile WERROR=1)" = 0 ]
	[ "$(compile NVCCFLAGS=-DX)" = 1 ]
	[ "$(compile NVCCFLAGS=-DX)" = 0 ]
	[ "$(compile CUDA_ARCH=80)" = 1 ]
}

@test "an object has code for each processor, and PTX of the last" {
	[ -n "$LUCIE_CUOBJDUMP" ] || skip "no cuobjdump: make cuda-deps"
	make BUILD="$build" CUDA=1 CUDA_ARCH="80 90" "$build/kernels/cuda/gemm_scale.o"
	"$LUCIE_CUOBJDUMP" --list-elf "$build/kernels/cuda/gemm_scale.o" | grep -o 'sm_[0-9a]*' | sort |
		diff - <(printf 'sm_80\nsm_90\n')
	[ "$("$LUCIE_CUOBJDUMP" --list-ptx "$build/kernels/cuda/gemm_scale.o" | grep -c 'sm_90.ptx')" = 1 ]
}

# program CUDA=0|1 FILE...: link programs of the bare build, whose kernels are there already.
program() {
	make -j2 BARE=1 CUDA_ARCH=90 BUILD="$LUCIE_BUILD" "$@" >"$BATS_TEST_TMPDIR/log" 2>&1 ||
		{ tail "$BATS_TEST_TMPDIR/log"; return 1; }
}

@test "a program with CUDA starts without driver and libraries, and --version says what is in" {
	program CUDA=1 "$LUCIE_BUILD/bin/lucie-train"
	run -1 bash -c "ldd '$LUCIE_BUILD/bin/lucie-train' | grep -E 'libcu|libnccl|not found'"
	run -0 "$LUCIE_BUILD/bin/lucie-train" --version
	[[ $output =~ "CUDA "[0-9]+\.[0-9]+" (sm_90; cuBLASLt " ]]
	[[ $output == *"cuDNN "[0-9]* ]]
}

@test "without a GPU the tests for it fail instead of testing nothing" {
	[ ! -e /dev/nvidia0 ] || skip "there is one"
	program CUDA=1 "$LUCIE_BUILD/gpu/tests/kernels/test_sums"
	run -2 "$LUCIE_BUILD/gpu/tests/kernels/test_sums"
	[[ $output == *"Bail out! "* ]]
}

@test "CUDA=0 takes the backend out of a program that had it" {
	program CUDA=0 "$LUCIE_BUILD/bin/lucie-train"
	run -0 "$LUCIE_BUILD/bin/lucie-train" --version
	[[ $output == *"CUDA no"* ]]
}
