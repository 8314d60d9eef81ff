#!/usr/bin/env bats
# tests/gpu/run on the emulation: all of the script but the GPU.
bats_require_minimum_version 1.5.0

setup() {
	[ "$LUCIE_CONFIG" = release ] || skip "built once, by the release configuration"
	cd "$LUCIE_SRC" || return 1
	unset MAKEFLAGS MAKELEVEL
}

@test "tests/gpu/run --dry goes through every part and leaves at most eight files" {
	local out=$BATS_TEST_TMPDIR/gpu at=build/release/emu
	# Beforehand, since the script's build has a limit.
	make -j2 CUDA=0 "$at"/bin/bench_gpu "$at"/tests/kernels/test_{sums,rmsnorm} >"$out.log" 2>&1 ||
		{ tail "$out.log"; return 1; }
	tests/gpu/run --dry -o "$out" >"$BATS_TEST_TMPDIR/said" || { cat "$BATS_TEST_TMPDIR/said"; return 1; }
	[ "$(find "$out" -type f | wc -l)" -le 8 ]
	# The table comes last but for the verdict.
	grep -q '^gpu/run: .* all tests passed' <(tail -n 1 "$BATS_TEST_TMPDIR/said")
	cut -f 3 "$out/results.tsv" | sort -u | diff - <(printf '%s\n' attention build device kernels \
		memcheck parity part products profile racecheck step tests)
	# 11 columns in each row, as in the file that results are kept in.
	awk -F '\t' 'NF != 11 { print; bad = 1 } END { exit bad }' "$out/results.tsv"
	diff <(head -n 1 "$out/results.tsv") <(head -n 1 tests/bench/gpu.tsv)
	# Each part measured something.
	for part in attention kernels parity products profile step; do
		awk -F '\t' -v p="$part" '$3 == p && $7 != "-" { n++ } END { exit !n }' "$out/results.tsv"
	done
	[ "$(grep -c $'\tparity\t' "$out/results.tsv")" = 2 ]
	python3 - "$out" <<-'END'
	import csv, json, sys
	rows = json.load(open(sys.argv[1] + "/results.json"))
	lines = list(csv.DictReader(open(sys.argv[1] + "/results.tsv"), delimiter="\t", quoting=csv.QUOTE_NONE))
	assert len(rows) == len(lines) > 60, (len(rows), len(lines))
	for r, l in zip(rows, lines):
	    assert r["what"] == l["what"] and (r["value"] is None) == (l["value"] == "-"), (r, l)
	    assert r["value"] is None or r["value"] == float(l["value"]), r
	END
}

@test "tests/gpu/run says what is wrong with its arguments, and that there is no GPU" {
	run -2 tests/gpu/run --wet
	[[ $output == "usage: tests/gpu/run "* ]]
	[ ! -e /dev/nvidia0 ] || return 0
	run -2 env CUDA_HOME="$BATS_TEST_TMPDIR" tests/gpu/run -o "$BATS_TEST_TMPDIR/gpu"
	[[ $output == *"not found: nvcc"*"make cuda-deps"* ]]
}
