# The command-line contract of lucie(7): the table of programs and the functions shared by
# contract.bats, hostile.bats, tests/faults and tests/tsan. setup_file and setup below serve a file
# that defines none of its own.
# shellcheck shell=bash disable=SC2034

load "$LUCIE_SRC/tests/cli/fixtures"

# Arguments of each program on small data. IN is replaced by the input files. A program with OUT
# writes there, all others write to standard output. Which clauses of the contract apply follows
# from the program's own table of options.
declare -gA how=(
	[lucie]='help'
	[lucie-normalize]='IN'
	[lucie-lang]='IN'
	[lucie-filter]='--preset gopher IN'
	[lucie-dedup]='--exact --near IN'
	[lucie-mix]='-c recipe.ini IN'
	[lucie-tok-train]='--vocab-size 400 IN'
	[lucie-tok-encode]='-t tokenizer.json IN'
	[lucie-tok-decode]='-t tokenizer.json IN'
	[lucie-tok-eval]='-t tokenizer.json IN'
	[lucie-shard]='-t tokenizer.json -o OUT IN'
	[lucie-check]='-v shards/demo'
	[lucie-trace]='shards/demo --token 100'
	[lucie-stats]='IN'
	[lucie-import]='IN'
	[lucie-plan]='-c plan.ini --cluster dgx-h100 --gpus 8'
	[lucie-train]='-q -c train.ini -o OUT'
	[lucie-eval]='run IN'
	[lucie-generate]='run'
	[lucie-export]='run -o OUT'
)
# IN of programs that do not read documents.
declare -gA input=(
	[lucie-tok-decode]=ids
	[lucie-stats]=accounts
	[lucie-import]=pages/garden.html
)
# Input of several slabs, where it is not big.jsonl.
declare -gA more=([lucie-eval]=a.jsonl)
# Programs that need at least one document.
needs_input=' lucie-tok-train lucie-tok-eval lucie-eval lucie-stats lucie-mix '

# contract_data: make the fixtures and larger data in the current folder.
contract_data() {
	fixtures a.jsonl b.jsonl recipe.ini pages tokenizer.json shards run plan.ini
	# Several slabs of distinct documents.
	awk '{ for (i = 0; i < 500; i++) {
		s = $0
		sub(/"id": "/, "&" i "-", s)
		sub(/"text": "/, "&" i * 7919 % 10007 " " NR * 31 + i " ", s)
		print s
	} }' a.jsonl >big.jsonl
	LC_ALL=C sort -t- -k2 big.jsonl -o big.jsonl
	lucie-tok-encode -t tokenizer.json big.jsonl >ids
	seq 3000 | sed 's/.*/{"tool":"lucie-x","version":"1","args":[],"in":{"docs":2,"bytes":20},"out":{"docs":1,"bytes":&},"dropped":{"short":1},"repeated":0,"time":{"wall_s":0.1,"cpu_s":0.1,"rss_bytes":1}}/' >accounts
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	contract_data
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	broken=()
	through=()
	tried=0
}

# programs: all of them, or those named by LUCIE_ONLY="lucie-x lucie-y".
programs() {
	local p
	for p in ${LUCIE_ONLY:-"$LUCIE_BUILD"/bin/*}; do echo "${p##*/}"; done
}

# takes PROGRAM OPTION: true if the program has the long option.
takes() { "$1" --print-options | cut -f2 | grep -qx -- "$2"; }
# Conditions for `each`: what kind of program it is.
writes_stdout() { [[ "${how[$1]-}" != *OUT* && -n "${how[$1]-}" ]]; }
reads_files() { [[ "${how[$1]-}" == *IN* ]]; }
reads_documents() { reads_files "$1" && takes "$1" rejects && [ -z "${input[$1]-}" ]; }
# The small and the large input of a program.
fixture_of() { echo "${input[$1]-a.jsonl}"; }
large_of() { echo "${more[$1]-${input[$1]-big.jsonl}}"; }

# each FUNCTION [CONDITION]...: call FUNCTION PROGRAM FOLDER for each program that meets all
# conditions. What FUNCTION prints is a violation; fails if there is one, or no such program.
each() {
	local f=$1 p c said
	shift
	for p in $(programs); do
		for c; do $c "$p" || continue 2; done
		tried=$((tried + 1))
		rm -rf dir && mkdir dir
		said=$($f "$p" dir 2>&1) || said+=" (exit $?)"
		[ -z "$said" ] || broken+=("$p: $said")
	done
	printf '%s\n' "${broken[@]}"
	[ "$tried" -gt 0 ] || [ -z "${LUCIE_ONLY-}" ] || skip "concerns none of $LUCIE_ONLY"
	[ ${#broken[@]} = 0 ] && [ "$tried" -gt 0 ]
}

# command_of PROGRAM IN OUT [EXTRA]...: set the array `cmd` to the command line.
command_of() {
	local p=$1 in=$2 out=$3 word files
	shift 3
	cmd=("$p" "$@")
	read -ra files <<<"$in"
	for word in ${how[$p]}; do
		case $word in
		IN) cmd+=("${files[@]}") ;;
		OUT) cmd+=("$out") ;;
		*) cmd+=("$word") ;;
		esac
	done
}

# to_file PROGRAM IN [EXTRA]...: run with -o dir/out where there is -o, standard output discarded.
to_file() {
	local p=$1 in=$2 cmd
	shift 2
	if writes_stdout "$p" && takes "$p" output; then set -- -o dir/out "$@"; fi
	command_of "$p" "$in" dir/out "$@"
	"${cmd[@]}" >/dev/null 2>err
}

# drop_times RUN: remove what may differ between equal runs: durations of steps, date and machine.
drop_times() {
	[ ! -f "$1/timing.jsonl" ] ||
		sed -Ei '/"machine":/d; s/"([a-z_]*seconds|tokens_per_s|gflops)":[^,}]*//g' "$1/timing.jsonl"
}

# result PROGRAM IN FOLDER [EXTRA]...: run the program with all its output in FOLDER and standard
# error in `err`. An empty IN is standard input.
result() {
	local p=$1 in=$2 dir=$3 cmd
	shift 3
	mkdir -p "$dir"
	command_of "$p" "$in" "$dir/out" "$@"
	cmd=("${through[@]}" "${cmd[@]}")
	if writes_stdout "$p"; then "${cmd[@]}" >"$dir/out" 2>err; else "${cmd[@]}" 2>err; fi || return
	drop_times "$dir/out"
}

# same A B WHAT: report WHAT unless both folders hold the same bytes.
same() { diff -rq "$1" "$2" >/dev/null || echo "$3 gives other bytes"; }

nothing_in() { find "$1" -mindepth 1 | sed 's/^/left behind: /'; }

# trouble STATUS FOLDER [WORDS]: report unless the exit status is 2, `err` is one line with WORDS in
# it, and FOLDER is empty.
trouble() {
	[ "$1" = 2 ] || echo "exit status $1 instead of 2"
	[ "$(wc -l <err)" = 1 ] || echo "standard error has $(wc -l <err) lines: $(head -3 err)"
	[ -z "${3-}" ] || grep -qe "$3" err || echo "no '$3' in: $(cat err)"
	nothing_in "$2"
}
