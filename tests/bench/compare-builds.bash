# Compares the speed of two builds on the same documents: the runs alternate, so that a machine
# whose speed swings treats both alike.
#
#   bash tests/bench/compare-builds.bash OLD NEW DOCUMENTS [ROUNDS]
#
# OLD and NEW are folders of programs (build/release/bin), DOCUMENTS a JSONL file, plain or
# compressed; 50 MB or more give steady numbers. For each workload it prints the least processor
# time of both in seconds, over ROUNDS (5) runs each with one thread, and new over old.
# shellcheck shell=bash
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,/^# shell/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
old=$(cd "$1" && pwd) new=$(cd "$2" && pwd) documents=$(realpath "$3") rounds=${4-5}
src=$(cd "$(dirname "$0")/../.." && pwd)
export LC_ALL=C OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# seconds COMMAND...: the processor time that it takes. It may write below out/.
seconds() {
	local TIMEFORMAT='%U %S'
	rm -rf out
	mkdir out
	{ time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}

# compare NAME PROGRAM ARGUMENT...
compare() {
	local name=$1 program=$2 round times
	shift 2
	times=$(for ((round = 0; round < rounds; round++)); do
		# Old and new take turns in being first.
		if ((round % 2)); then
			echo new "$(seconds "$new/$program" "$@")" old "$(seconds "$old/$program" "$@")"
		else
			echo old "$(seconds "$old/$program" "$@")" new "$(seconds "$new/$program" "$@")"
		fi
	done)
	awk -v name="$name" '
	{ for (i = 1; i < NF; i += 2) if (!($i in least) || $(i + 1) < least[$i]) least[$i] = $(i + 1) }
	END { printf "%-28s %9.3f %9.3f %8.3f\n", name, least["old"], least["new"], least["new"] / least["old"] }' <<<"$times"
}

# What the workloads read is made by the old programs.
"$old/lucie-normalize" -o docs.jsonl "$documents"
"$old/lucie-lang" -o lang.jsonl docs.jsonl
head -c 20000000 lang.jsonl | sed '$d' >part.jsonl
"$old/lucie-tok-train" -n 8192 -o t.json part.jsonl
"$old/lucie-tok-encode" -t t.json --as ids -o ids docs.jsonl
"$old/lucie-shard" -t t.json -o shard lang.jsonl
printf '[mix]\n[group french]\nlang = fr\nshare = 50%%\n[group others]\n' >recipe.ini
printf '{"tool":"x","version":"1","args":[],"in":{"docs":2,"bytes":20},"out":{"docs":2,"bytes":20},"dropped":{},"repeated":0,"time":{"wall_s":1,"cpu_s":1,"rss_bytes":1}}\n%.0s' {1..20000} >accounts

printf '%-28s %9s %9s %8s\n' workload old new new/old
compare normalize lucie-normalize -j1 docs.jsonl
compare 'normalize, nfkc and trim' lucie-normalize -j1 --form nfkc --trim --blank-lines 1 docs.jsonl
compare lang lucie-lang -j1 docs.jsonl
compare 'filter, gopher' lucie-filter -j1 --preset gopher lang.jsonl
compare 'filter, lucie-web' lucie-filter -j1 --preset lucie-web lang.jsonl
compare 'dedup, exact' lucie-dedup -j1 --exact docs.jsonl
compare 'dedup, near' lucie-dedup -j1 --near part.jsonl
compare tok-train lucie-tok-train -j1 --vocab-size 8192 part.jsonl
compare 'tok-train, bytelevel' lucie-tok-train -j1 --vocab-size 8192 --preset bytelevel part.jsonl
compare 'tok-encode, u16' lucie-tok-encode -j1 -t t.json --as u16 docs.jsonl
compare 'tok-encode, jsonl' lucie-tok-encode -j1 -t t.json docs.jsonl
compare tok-decode lucie-tok-decode -j1 -t t.json --from ids ids
compare tok-eval lucie-tok-eval -j1 -t t.json part.jsonl
compare 'tok-eval, lossless' lucie-tok-eval -j1 --lossless -t t.json
compare shard lucie-shard -j1 -t t.json -o out/x part.jsonl
compare check lucie-check -t t.json shard
compare 'trace, by source' lucie-trace shard --sources
compare 'mix, plan' lucie-mix -c recipe.ini --plan shard
compare 'stats, documents' lucie-stats -j1 --documents lang.jsonl
compare 'stats, accounts' lucie-stats accounts
compare 'import, html and man' lucie-import -j1 -s x "$src/man" "$src/tests/data/pages" "$src/tests/cases/lucie-import"
printf '[model]\npreset = tiny\n[data]\ntrain = shard\ntokenizer = t.json\n[train]\nsteps = 20\ncontext = 256\nmicro_batch = 4\nglobal_batch = 8\nlr = 1e-3\n[checkpoint]\nevery = 20\n' >train.ini
"$old/lucie-train" -q -c train.ini -o run
compare 'train, 20 steps' lucie-train -q -c train.ini -o out/run
head -c 1000000 lang.jsonl | sed '$d' >few.jsonl
compare eval lucie-eval run few.jsonl
