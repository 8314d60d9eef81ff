#!/usr/bin/env bats
# The other builds of the trainer: double precision, for gradients, and bare.
bats_require_minimum_version 1.5.0

load fixtures
load ../trainer/ranks

setup() {
	[ "$LUCIE_CONFIG" = release ] || skip "built once, by the release configuration"
	cd "$BATS_TEST_TMPDIR" || return 1
	export OMP_WAIT_POLICY=passive
}

# build GOAL...: run make; show the end of its output if it fails.
build() {
	env -u MAKEFLAGS -u MFLAGS -u CONFIG make -C "$LUCIE_SRC" -j2 "$@" >log 2>&1 || {
		tail log
		return 1
	}
}

@test "gradients of the whole model agree with central differences to 1e-7" {
	build DOUBLE=1 build/double/tests/trainer/test_model
	"$LUCIE_SRC/build/double/tests/trainer/test_model" >out 2>&1 || { cat out; return 1; }
	cat out
}

@test "in double precision tensor parallelism agrees with one process to 1e-12" {
	build DOUBLE=1 trainer build/double/tests/trainer/test_model_ranks
	"$LUCIE_SRC/build/double/tests/trainer/test_model_ranks" >out 2>&1 || { cat out; return 1; }
	export OMP_NUM_THREADS=1
	PATH=$LUCIE_SRC/build/double/bin:$PATH
	fixtures shards train.ini
	cat >>train.ini <<-'END'
		[parallel]
		deadline = 30
	END
	local set=(--set train.steps=8 --set train.eps=1e-3 --set train.lanes=2)
	lucie-train -q -c train.ini "${set[@]}" -o one
	for more in '2 parallel.tp=2' '2 parallel.tp=2 parallel.sequence=yes' \
		'8 parallel.tp=2 parallel.pp=2 parallel.dp=2' \
		'8 parallel.tp=2 parallel.pp=2 parallel.dp=2 parallel.sequence=yes'; do
		rm -rf run
		# shellcheck disable=SC2086,SC2046 # words
		ranks ${more%% *} -q -c train.ini "${set[@]}" $(printf -- '--set %s ' ${more#* }) -o run
		near one run 1e-12
	done
}

@test "the bare trainer links libc, libm and OpenMP only" {
	build BARE=1 CUDA=0 trainer
	bare=$LUCIE_SRC/build/bare/bin/lucie-train
	# grep finds no other library.
	run -1 bash -c "ldd '$bare' | sed 's/^[ \t]*//; s/[ (].*//' | grep -v 'linux-vdso\|ld-linux\|lib[cm].so\|libgomp.so'"
}

@test "the bare and the full build read each other's checkpoints" {
	build BARE=1 CUDA=0 trainer
	bare=$LUCIE_SRC/build/bare/bin/lucie-train
	fixtures shards train.ini
	"$bare" -q -c train.ini --set train.steps=2 -o run
	grep -q '"xxh3_128":null' run/latest/manifest.json
	lucie-train -q -c train.ini --set train.steps=4 -o run
	grep -q '"xxh3_128":"' run/latest/manifest.json
	"$bare" -c train.ini --set train.steps=6 -o run 2>said
	# It says what it does not check.
	grep -q 'hashes were not' said
}
