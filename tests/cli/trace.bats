#!/usr/bin/env bats
# lucie-trace against the files of the shard, read independently: the index by Python's struct, the
# ledger by zstd.

bats_require_minimum_version 1.5.0
load fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# agree ANSWERS: check that each answer names the document of index and ledger and stays within it.
# Prints the tokens covered, in order.
agree() {
	zstd -dcq shards/demo.docs.jsonl.zst >ledger
	python3 - "$1" <<'EOF'
import json, struct, sys
idx = open("shards/demo.idx", "rb").read()
assert idx[:9] == b"MMIDIDX\0\0"
n, = struct.unpack_from("<Q", idx, 18)
sizes = struct.unpack_from("<%di" % n, idx, 34)
starts = [sum(sizes[:i]) for i in range(n)]
ledger = [json.loads(line) for line in open("ledger")]
for line in open(sys.argv[1]):
    a = json.loads(line)
    d = a["document"]
    assert a["first"] == starts[d] and a["tokens"] == sizes[d], a
    assert starts[d] <= a["from"] < a["to"] <= starts[d] + sizes[d], a
    for key in ("id", "source", "license", "lang"):
        assert a[key] == ledger[d].get(key), (a, key)
    print(a.get("sample", 0), a["from"], a["to"])
EOF
}

@test "every token of a shard has one document" {
	fixtures shards
	tokens=$(sed -n 's/^"tokens":\([0-9]*\),$/\1/p' shards/demo.json)
	lucie-trace --json shards/demo --range "0:$tokens" >all
	agree all >covered
	# Neither gap nor overlap from the first token to the last.
	awk -v n="$tokens" '$2 != at { exit bad = 1 } { at = $3 } END { exit bad || at != n }' covered
	for at in 0 431 432 "$((tokens - 1))"; do
		lucie-trace --json shards/demo --token "$at" >one
		[ "$(agree one)" = "0 $at $((at + 1))" ]
	done
}

@test "totals add up to the shard" {
	fixtures shards
	tokens=$(sed -n 's/^"tokens":\([0-9]*\),$/\1/p' shards/demo.json)
	for by in licenses langs sources; do
		lucie-trace --json shards/demo --$by |
			sed 's/.*"tokens":\([0-9]*\),.*/\1/' |
			awk -v n="$tokens" '{ sum += $1 } END { exit sum != n }'
	done
	[ "$(lucie-trace --json shards/demo --langs | wc -l)" -ge 3 ]
}

@test "the steps of a run are distinct samples of context + 1 tokens" {
	fixtures run
	context=$(sed -n 's/^context = //p' run/config.ini)
	batch=$(sed -n 's/^global_batch = //p' run/config.ini)
	steps=$(tail -n 1 run/metrics.jsonl | sed 's/^{"step":\([0-9]*\),.*/\1/')
	for ((i = 1; i <= steps; i++)); do lucie-trace --json run --step "$i"; done >all
	agree all >covered
	awk -v want="$((context + 1))" '
		{ if (!($1 in n)) from[$1] = $2; n[$1] += $3 - $2 }
		END {
			for (s in n) {
				if (n[s] != want || from[s] % (want - 1) || seen[from[s]]++) exit 1
				samples++
			}
			print samples
		}' covered >samples
	[ "$(cat samples)" = "$((steps * batch))" ]
}

@test "tokens and steps that do not exist are named" {
	fixtures run
	run -2 lucie-trace --json shards/demo --token 100000000
	[[ "$output" == *"shards/demo: has "*" tokens from 0 on, none is 100000000"* ]]
	run -2 lucie-trace --json run --step 1000
	[[ "$output" == *"run/metrics.jsonl: no step 1000"* ]]
	run -2 lucie-trace --json shards/demo --range 9:3
	run -2 lucie-trace --json shards/demo
	run -2 lucie-trace shards/none --licenses
}
