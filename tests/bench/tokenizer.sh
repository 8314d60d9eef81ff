#!/usr/bin/env bash
# Benchmark of the tokenizer against others on the same text and the same file.
#
#	tests/bench/tokenizer.sh [-t TOKENIZER] [-s MB] [-n SIZE] [encode] [train] [linear] [DOCUMENTS.jsonl...]
#
# encode: cold and warm, by length of document (bench_tok_encode), and the whole program; by turns with
# Hugging Face tokenizers, gigatoken and quicktok, and the ratios. Beside FILE, files in the styles of
# Llama 2 and, with 128,000 pieces, of Llama 3. train: against Hugging Face tokenizers with the same components
# and SIZE pieces (16384). linear: lines of 1, 10 and 100 MB of one kind. All three by default.
# Without documents: at most MB (16) of the text below /usr/share and /usr/include. Without -t: a
# file that lucie-tok-train makes of that text. A package that cannot be installed is reported and
# left out.
set -eu
build=${LUCIE_BUILD:-build/release}
venv=build/bench-tok-venv
file='' size=16 pieces=16384 what=()
while [ $# -gt 0 ]; do
	case $1 in
	-t) file=$2 && shift 2 ;;
	-s) size=$2 && shift 2 ;;
	-n) pieces=$2 && shift 2 ;;
	encode | train | linear) what+=("$1") && shift ;;
	*) break ;;
	esac
done
[ ${#what[@]} -gt 0 ] || what=(encode train linear)
[ -x $venv/bin/python ] || python3 -m venv $venv || { echo "tokenizer: no Python"; exit 0; }
for p in tokenizers==0.23.3 gigatoken==0.10.0 quicktok-v1==0.4.0; do
	$venv/bin/pip show -q "${p%%==*}" 2>/dev/null ||
		$venv/bin/pip install -q --disable-pip-version-check "$p" >/dev/null 2>&1 ||
		echo "$p could not be installed: left out"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
docs=$work/docs.jsonl
if [ $# -gt 0 ]; then
	for f; do
		zstd -dcqf "$f"
	done
else
	find /usr/share/doc /usr/share/perl /usr/share/common-licenses /usr/include -type f -size -400k |
		LC_ALL=C sort | $venv/bin/python -c '
import json, sys
for name in sys.stdin:
    try:
        print(json.dumps({"text": open(name.rstrip("\n"), encoding="utf-8").read()}))
    except (UnicodeDecodeError, OSError, BrokenPipeError):
        pass
' 2>/dev/null
fi | $venv/bin/python -c '
import sys
left = int(float(sys.argv[1]) * 1e6)
for line in sys.stdin.buffer:
    left -= len(line)
    sys.stdout.buffer.write(line)
    if left < 0:
        break
' "$size" >"$docs"
given=given
if [ -z "$file" ]; then
	given=made
	file=$work/tokenizer.json
	"$build"/bin/lucie-tok-train -q --preset lucie-2024 --limit-alphabet 1000 --vocab-size "$pieces" -o "$file" "$docs"
fi
export RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false OMP_WAIT_POLICY=passive
export HOME=$work QUICKTOK_DATA=$work
exec $venv/bin/python tests/bench/tok_peers.py "$build" "$file" "$docs" "$work" "$pieces" "$given" "${what[@]}"
