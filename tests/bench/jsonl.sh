#!/usr/bin/env bash
# Records that go through untouched, one core: bytes of JSON Lines in and out a second.
# Mark: 400 MB/s. FRENCH=FILE chooses the documents.
set -eu
# shellcheck source=tests/bench/french.sh disable=SC1091
. "$(dirname "$0")/french.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
french "$work/fr.jsonl"
bytes=$(stat -c %s "$work/fr.jsonl")
for how in "lucie-normalize -j1" "lucie-filter -q -j1"; do
	# shellcheck disable=SC2086
	$how "$work/fr.jsonl" | cmp - "$work/fr.jsonl"
	# shellcheck disable=SC2086
	t=$(best 5 $how "$work/fr.jsonl")
	awk -v n="$bytes" -v t="$t" -v how="$how" \
		'BEGIN { printf "%-20s %7.1f MB/s (mark 400)\n", how, n / t / 1e6 }'
done
# What rules cost: Gopher's, on documents that pass them, and more.
lucie-filter -q --preset gopher --stop-words fr -o "$work/good.jsonl" "$work/fr.jsonl"
t=$(best 3 lucie-filter -q -j1 --preset gopher --stop-words fr "$work/good.jsonl")
awk -v n="$(stat -c %s "$work/good.jsonl")" -v t="$t" \
	'BEGIN { printf "%-20s %7.1f MB/s (mark 200)\n", "gopher", n / t / 1e6 }'
t=$(best 3 lucie-filter -q -j1 --preset gopher --preset fineweb2-fr --stop-words fr "$work/fr.jsonl")
awk -v n="$bytes" -v t="$t" 'BEGIN { printf "%-20s %7.1f MB/s\n", "gopher, fineweb2-fr", n / t / 1e6 }'
t=$(best 3 lucie-lang -j1 "$work/fr.jsonl")
awk -v n="$bytes" -v t="$t" 'BEGIN { printf "%-20s %7.1f MB/s\n", "lucie-lang -j1", n / t / 1e6 }'
