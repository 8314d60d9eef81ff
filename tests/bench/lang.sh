#!/usr/bin/env bash
# Language identification, one core, in one run: lu_langid_text() beside CLD2 and, where a model is
# named, fastText by themselves, each on the whole text; MB of text a second and documents that have
# the right language. Documents of 4 kB and of 1.3 kB.
# tests/bench/lang.sh [DOCUMENTS.jsonl]; without a file, Debian's French manual pages, whose language is
# taken to be French. LID_MODEL=FILE names a model, such as lid.176.ftz. Mark: 150 MB/s and 80 MB/s.
set -eu
cd "$(dirname "$0")/../.."
build=${LUCIE_BUILD:-build/release}
PATH=$PWD/$build/bin:$PATH
# shellcheck source=tests/bench/french.sh disable=SC1091
. tests/bench/french.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
docs=${1-}
if [ -z "$docs" ]; then
	docs=$work/docs.jsonl
	french "$work/all"
	head -c 20000000 "$work/all" | sed '$d; s/^{/{"lang_true":"fr",/' >"$docs"
fi
grep -m1 "model name" /proc/cpuinfo || true
for size in 4096 1300; do
	"$build/tests/bench/bench_lang" -s "$size" ${LID_MODEL:+-m "$LID_MODEL"} "$docs"
done
