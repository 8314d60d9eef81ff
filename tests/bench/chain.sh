#!/usr/bin/env bash
# The data chain from .jsonl.zst to a shard: each stage on one core, then all of them on two.
# tests/bench/chain.sh [DOCUMENTS.jsonl.zst]; without a file, Debian's French manual pages. Prints MB
# of the text that comes in for each second: of processor time for the stages, of elapsed time for the
# chain; and what a stage writes for each MB that comes in, and its peak memory.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PWD/${LUCIE_BUILD:-build/release}/bin:$PATH
[[ ${LUCIE_BUILD-} != /* ]] || PATH=$LUCIE_BUILD/bin:$PATH
# shellcheck source=tests/bench/french.sh disable=SC1091
. tests/bench/french.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
docs=${1-}
if [ -z "$docs" ]; then
	docs=$work/docs.jsonl.zst
	french "$work/docs.jsonl"
	zstd -q --rm "$work/docs.jsonl"
fi
docs=$(realpath "$docs")
cd "$work"
export OMP_WAIT_POLICY=passive
text=$(lucie-stats --documents --json "$docs" | grep -o '"bytes":[0-9]*' | awk -F: '{ n += $2 } END { print n }')
awk -v n="$text" 'BEGIN { printf "%.1f MB of text\n", n / 1e6 }'
grep -m1 "model name" /proc/cpuinfo || true
lucie-tok-train -q --vocab-size 32000 -o tok.json <(zstd -dcq "$docs" | awk 'NR % 20 == 0')

# stage NAME COMMAND...: the command with its accounting in stats/NAME.
mkdir stats
stage() {
	local name=$1
	shift
	"$@" -q --stats "stats/$name"
	# In MB of the text that came into the chain, whatever the stages before have dropped.
	awk -v name="$name" -v text="$text" -v all="$(wc -c <docs.jsonl)" '
	function num(key) { match($0, "\"" key "\":[0-9.]+"); return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0 }
	{
		match($0, /"in":\{[^}]*\}/); in_ = substr($0, RSTART, RLENGTH)
		match(in_, /"bytes":[0-9]+/); bytes = substr(in_, RSTART + 8, RLENGTH - 8)
		mb = text / 1e6 * bytes / all
		printf "%-10s %8.1f MB/s a core %8.1f MB in %8.2f s %8.0f MB memory\n", name,
			mb / num("cpu_s"), mb, num("cpu_s"), num("rss_bytes") / 1e6
	}' "stats/$name"
}
zstd -dcq "$docs" >docs.jsonl
one=(-j1)
stage normalize lucie-normalize "${one[@]}" -o n.jsonl "$docs"
stage lang lucie-lang "${one[@]}" -o l.jsonl n.jsonl
stage filter lucie-filter "${one[@]}" --preset gopher -o f.jsonl l.jsonl
stage exact lucie-dedup "${one[@]}" -m 512M --exact -o e.jsonl f.jsonl
stage near lucie-dedup "${one[@]}" -m 512M --near -o d.jsonl e.jsonl
stage shard lucie-shard "${one[@]}" -t tok.json -o s d.jsonl

chain() {
	lucie-normalize -q -j1 "$docs" | lucie-lang -q -j1 | lucie-filter -q -j1 --preset gopher |
		lucie-dedup -q -j1 -m 512M --exact | lucie-dedup -q -j1 -m 512M --near |
		lucie-shard -q -j2 -t tok.json -o p
}
cpus=$(taskset -pc $$ | sed 's/.*: //; s/\([0-9]*\)[-,]\([0-9]*\).*/\1,\2/')
export -f chain
export docs
TIMEFORMAT='%R %U %S'
{ time taskset -c "$cpus" bash -c chain; } 2>elapsed
# What other programs take of the cores counts in the elapsed time only.
awk -v text="$text" '{
	printf "%-10s %8.1f MB/s on two cores, by pipes, in %.2f s; %.2f s of processor time, %.1f MB/s at best\n",
		"chain", text / 1e6 / $1, $1, $2 + $3, text / 1e6 / (($2 + $3) / 2) }' elapsed
cmp s.bin p.bin
cmp s.idx p.idx
