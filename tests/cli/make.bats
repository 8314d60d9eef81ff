#!/usr/bin/env bats
# What make does: the compilation database, the help, and what changed flags recompile.
bats_require_minimum_version 1.5.0

setup() {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	cd "$LUCIE_SRC" || return 1
	unset MAKEFLAGS MAKELEVEL
}

@test "compile_commands.json has every source, and each kernel compiles by its entry" {
	make compile_commands.json
	python3 - <<-'END'
	import glob, json, subprocess
	entries = json.load(open("compile_commands.json"))
	commands = {e["file"]: e["command"] for e in entries}
	assert len(commands) == len(entries), "a file twice"
	missing = [f for pattern in ("libcommon/*/*.c", "libcommon/*/*.cc", "tools/*.c", "kernels/*/*.c",
	    "kernels/cpu/*.inc", "kernels/cuda/*.cu", "trainer/*.c", "trainer/*/*.c", "tests/unit/*.c", "tests/fuzz/*.c")
	    for f in glob.glob(pattern) if f not in commands]
	assert not missing, missing
	for f in glob.glob("kernels/cpu/*.inc") + ["libcommon/io/json.c"]:
	    assert " -I. " in commands[f] and "-std=c17" in commands[f], commands[f]
	    subprocess.run(commands[f].split(" -c ")[0] + " -MF /dev/null -fsyntax-only " + f, shell=True, check=True)
	END
}

@test "make help fits 80 columns and has every group" {
	make help >"$BATS_TEST_TMPDIR/help"
	run -1 grep -E '^.{81}' "$BATS_TEST_TMPDIR/help"
	for group in Build Install Pipelines Tests Variables; do
		grep -qx "$group" "$BATS_TEST_TMPDIR/help"
	done
}

@test "make without a target builds every program" {
	make -C "$LUCIE_SRC" -pn 2>/dev/null | grep -qx '.DEFAULT_GOAL := all'
}

@test "changed flags, compilers and options recompile; warnings, ccache and a dry run do not" {
	local object=$BATS_TEST_TMPDIR/build/libcommon/base/vec.o
	# compile [VARIABLE=VALUE]...: the number of files compiled to build one object.
	compile() { make BUILD="$BATS_TEST_TMPDIR/build" "$@" "$object" | grep -c '^  CC ' || true; }
	unset CFLAGS CC
	[ "$(compile)" = 1 ]
	[ "$(compile)" = 0 ]
	[ "$(compile WERROR=1)" = 0 ]
	run -1 make BUILD="$BATS_TEST_TMPDIR/build" -q CFLAGS=-O1 "$object"
	[ "$(compile)" = 0 ]
	[ "$(compile CFLAGS=-O1)" = 1 ]
	[ "$(compile CFLAGS=-O1)" = 0 ]
	[ "$(CFLAGS=-O1 compile)" = 0 ]
	[ "$(compile)" = 1 ]
	[ "$(compile CFLAGS_EXTRA=-DX)" = 1 ]
	[ "$(compile BARE=1)" = 1 ]
	[ "$(compile CONFIG=double)" = 1 ]
	# The user's flags come after our own, which stay.
	run -0 make -n BUILD="$BATS_TEST_TMPDIR/build" V=1 CFLAGS=-O0 "$object"
	[[ $output == *" -std=c17 "*" -O2 "*" -O0 -c -o "* ]]
}

@test "another compiler recompiles" {
	command -v clang >/dev/null || skip "no clang"
	local object=$BATS_TEST_TMPDIR/build/libcommon/base/vec.o
	compile() { make BUILD="$BATS_TEST_TMPDIR/build" "$@" "$object" | grep -c '^  CC ' || true; }
	[ "$(compile CC=gcc)" = 1 ]
	[ "$(compile CC=clang)" = 1 ]
	[ "$(compile CC=clang)" = 0 ]
	# The environment counts like the command line.
	[ "$(CC=clang compile)" = 0 ]
}

@test "CUDA=1 says what it lacks; make says whether CUDA is in" {
	run -2 make CUDA=1 CUDA_HOME=/nonexistent all
	[[ $output == *"not found: nvcc"*"make cuda-deps"* ]]
	run -2 make CUDA=1 CONFIG=double all
	[[ $output == *"CUDA=1 goes with CONFIG=release and CONFIG=bare, not with double"* ]]
	run -0 make -n CUDA=0 all
	[[ $output == *"CUDA: left out (CUDA=0)"* ]]
}
