#!/usr/bin/env bats
# Every program's output is what it was: the digests of tests/data/digests.tsv.

setup_file() {
	"$LUCIE_SRC/tests/digests" >"$BATS_FILE_TMPDIR/digests"
}

# same PROGRAM...: shows the outputs that changed, went or came.
same() {
	local p
	for p; do
		diff <(grep "^$p	" "$LUCIE_SRC/tests/data/digests.tsv") \
			<(grep "^$p	" "$BATS_FILE_TMPDIR/digests")
	done
}

@test "documents: import, normalize, lang, filter, dedup" {
	same lucie-import lucie-normalize lucie-lang lucie-filter lucie-dedup
}

@test "tokenizers: tok-train, tok-encode, tok-decode, tok-eval" {
	same lucie-tok-train lucie-tok-encode lucie-tok-decode lucie-tok-eval
}

@test "shards and mixtures: shard, check, trace, mix" {
	same lucie-shard lucie-check lucie-trace lucie-mix
}

@test "accounting and configuration: stats, train" {
	same lucie-stats lucie-train
}

@test "nothing else was recorded or made" {
	diff "$LUCIE_SRC/tests/data/digests.tsv" "$BATS_FILE_TMPDIR/digests"
}
