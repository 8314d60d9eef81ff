#!/usr/bin/env bats
# The other builds of the trainer: double precision, for gradients, and bare.
bats_require_minimum_version 1.5.0

load fixtures

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

@test "the bare trainer links libc, libm and OpenMP only" {
	build BARE=1 trainer
	bare=$LUCIE_SRC/build/bare/bin/lucie-train
	# grep finds no other library.
	run -1 bash -c "ldd '$bare' | sed 's/^[ \t]*//; s/[ (].*//' | grep -v 'linux-vdso\|ld-linux\|lib[cm].so\|libgomp.so'"
}

@test "the bare and the full build read each other's checkpoints" {
	build BARE=1 trainer
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
