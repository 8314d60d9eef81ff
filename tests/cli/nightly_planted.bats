#!/usr/bin/env bats
# Near deduplication finds what the theory says among 4,000 planted pairs of each similarity.
bats_require_minimum_version 1.5.0

@test "4,000 planted pairs at each of 0.5, 0.6, 0.7, 0.8 and 0.9" {
	cd "$LUCIE_SRC"
	LUCIE_PAIRS=4000 run -0 --separate-stderr "$LUCIE_BUILD/tests/unit/test_planted"
	echo "$output $stderr" | grep -q 'verified at 0.71: [0-9]* of 4000 joined'
}
