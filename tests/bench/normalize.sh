#!/usr/bin/env bash
# NFC of clean French, one core: lucie-normalize on records against ICU's uconv on their text.
# Mark: 20 times as fast. FRENCH=FILE chooses the documents.
set -eu
# shellcheck source=tests/bench/french.sh disable=SC1091
. "$(dirname "$0")/french.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
french "$work/fr.jsonl"
python3 -c 'import json, sys
for line in sys.stdin: print(json.loads(line)["text"])' <"$work/fr.jsonl" >"$work/fr.txt"
lucie-normalize -j1 "$work/fr.jsonl" | cmp - "$work/fr.jsonl"
bytes=$(stat -c %s "$work/fr.txt")
theirs=$(best 2 uconv -f utf-8 -t utf-8 -x nfc "$work/fr.txt")
ours=$(best 5 lucie-normalize -j1 "$work/fr.jsonl")
awk -v n="$bytes" -v a="$theirs" -v b="$ours" 'BEGIN {
	printf "uconv -x nfc:        %7.1f MB/s of text\n", n / a / 1e6
	printf "lucie-normalize -j1: %7.1f MB/s of text\n", n / b / 1e6
	printf "ratio %.1f (mark 20)\n", a / b }'
