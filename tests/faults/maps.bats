#!/usr/bin/env bats
# Programs on a file system that cannot map files: they read instead, and answer the same.
bats_require_minimum_version 1.5.0

load ../cli/fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	records 3000 1 >1.jsonl
	lucie-shard -q --ids --vocab-size 1000 --max-tokens 4000 -o one 1.jsonl
	printf '[group fr]\nlang = fr\nepochs = 1.7\n[group en]\nlang = en\nepochs = 1\n' >mix.ini
	lucie-mix -q -c mix.ini --plan -o p one
	mkdir run
	printf '[data]\ntrain = p one\nshuffle = true\n[train]\ncontext = 32\nseed = 3\n' >run/config.ini
	printf '{"step":1,"phase":"","samples":64,"batch":64}\n' >run/metrics.jsonl
}

unmapped() { LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT=maps INJECT_COUNT=calls "$@"; }

@test "lucie-trace, lucie-mix and lucie-check read what cannot be mapped" {
	lucie-trace --json --step 1 run >want
	unmapped lucie-trace --json --step 1 run | cmp want -
	# Two parts or more, .idx and .bin of each, and the index of the plan were refused.
	[ "$(cat calls)" -ge 5 ]
	lucie-trace --json one --range 100:8000 >want
	unmapped lucie-trace --json one --range 100:8000 | cmp want -
	unmapped lucie-mix -q -c mix.ini --plan -o q one
	cmp p q && cmp p.walk q.walk
	unmapped lucie-check one
}

@test "without an index and without maps the order of a plan is the same" {
	lucie-trace --json --step 1 run >want
	rm p.walk
	unmapped lucie-trace --json --step 1 run | cmp want -
}
