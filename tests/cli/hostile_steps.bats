#!/usr/bin/env bats
# Hostile files, one after the other in place of each file that a step or mode of tests/cli/modes.bash
# reads; FAULTS=all tries more offsets. The program exits 2 with one sentence that names the file and writes nothing, or its output is
# that of the whole file, since it does not need what is damaged.
bats_require_minimum_version 1.5.0

load modes
shopt -s extglob

# One row of each step and of each mode that reads more than documents.
rows() {
	local o
	for o in exact near count shard; do "${o}_steps" 2 0.jsonl 1.jsonl; done | sort -su -k1,3
	printf '%s\n' "${read_more[@]}"
}
read_more=(
	'lucie-filter --pii apply --pii-spans a.spans -o o/x a.jsonl'
	'lucie-filter --url-list hosts -o o/x 0.jsonl'
	'lucie-filter --robots robots.jsonl --agents CCBot -o o/x 0.jsonl'
	'lucie-filter --decontaminate test.jsonl -o o/x 0.jsonl'
	'lucie-filter -t tokenizer.json --tokens-per-char 1 -o o/x 0.jsonl'
	'lucie-dedup --near --against a.index --save-index o/i --clusters o/c -o o/x 0.jsonl'
	'lucie-dedup --near --from-signatures a.signatures -o o/x a.jsonl'
	'lucie-dedup --paragraphs --within -o o/x 0.jsonl'
	'lucie-mix -c recipe.ini -o o/x 0.jsonl'
	'lucie-mix -c recipe.ini --plan -o o/x s1 s2'
	'lucie-stats --documents -o o/x 0.jsonl'
	'lucie-stats --shards s1 -o o/x'
	'lucie-import -o o/x formats/word.docx formats/book.epub formats/bodies.warc.gz formats/dictionary.warc.zst'
)

# make_all FILES [CHANGE]: run all steps in the current folder, each row changed by sed; those of the
# kinds in $only.
make_all() {
	local words row o
	while read -r row; do
		read -ra words <<<"$row"
		"${words[@]}" -q || return 1
	done < <(for o in ${only:-exact near count shard}; do "${o}_steps" 2 $1; done | sed "${2-}")
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	kinds
	make_all "0.jsonl 1.jsonl"
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# damages FILE: the ways in which it is replaced, each a word.
damages() {
	echo missing empty folder
	case $1 in
	*.jsonl | *.ini | hosts) echo binary ;;
	tokenizer.json) echo binary cut:1/2 ;;
	*)
		echo binary fifo cut:1/2 less:1 flip:9/10 at:8 at:20
		[ "${FAULTS-}" != all ] || echo cut:1/9 cut:9/10 less:20 flip:1/50 flip:1/3 flip:1/2 end:1 end:30
		;;
	esac
}

# damage FILE HOW: put it in place of the file, whose bytes are in `kept`.
damage() {
	local size at byte n=${2#*:}
	size=$(stat -c %s kept)
	case $2 in
	missing) return ;;
	empty) : >"$1" ;;
	folder) mkdir "$1" ;;
	binary) head -c 5000 "$LUCIE_BUILD/bin/lucie" >"$1" ;;
	# The writer waits for a reader, which need not come.
	fifo) mkfifo "$1" && { timeout 10 sh -c 'cat kept >"$0"' "$1" 2>/dev/null 3>&- & } && writer=$! ;;
	less:*) head -c -"$n" kept >"$1" ;;
	cut:*) head -c $((size * ${n%/*} / ${n#*/})) kept >"$1" ;;
	*)
		case $2 in
		at:*) at=$((n < size ? n : size - 1)) ;;
		end:*) at=$((n < size ? size - n : 0)) ;;
		*) at=$((size * ${n%/*} / ${n#*/})) ;;
		esac
		cp kept "$1"
		byte=$(od -An -tu1 -j$at -N1 kept)
		printf "\\$(printf %o $((byte ^ 64)))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
		;;
	esac
}

# run_row ROW: with its output in o/x, and what it says in err.
run_row() {
	local words
	fresh
	read -ra words <<<"$1"
	# Nothing waits for a pipe forever.
	[ "${how-}" != fifo ] || words=(timeout 10 "${words[@]}")
	"${words[@]}" -q >/dev/null 2>err </dev/null
}

# in_o ROW: the row with -o o/x.
in_o() { sed -E 's,-o \S+,-o o/x,; s,--removed \S+,--removed o/log,' <<<"$1"; }

# judged STATUS FILE WHAT: report what is wrong.
judged() {
	if [ "$1" = 0 ]; then
		diff -rq good o >/dev/null || echo "$3: exit 0 with other output"
		return
	fi
	local said f
	one_line && [ "$1" = 2 ] || echo "$3: exit $1: $said"
	[[ $said = *"$2"* ]] || echo "$3: not named: $said"
	for f in o/* o/.[!.]*; do
		[ ! -e "$f" ] || echo "$3: left $f"
	done
}

@test "a file that is damaged, another or none" {
	local row word how status f
	while read -r row; do
		row=$(in_o "$row")
		run_row "$row" || echo "$row: exit $?: $(cat err)"
		rm -rf good && mv o good
		# One file of each kind.
		for word in $(tr ' ' '\n' <<<"$row" | awk '{ kind = $1; sub(/.*\./, "", kind) } !seen[kind]++'); do
			[ ! -e "$word.json" ] || word=$word.json
			[ -f "$word" ] || continue
			mv "$word" kept
			for how in $(damages "$word"); do
				damage "$word" "$how"
				status=0
				run_row "$row" || status=$?
				f=${word%.json}
				judged $status "$f" "$row: $word $how"
				[ "$how" != fifo ] || kill $writer 2>/dev/null || true
				rm -rf "$word"
			done
			mv kept "$word"
		done
	done < <(rows | wanted) >broken
	cat broken
	[ ! -s broken ]
}

# world NAME FILES [CHANGE]: a folder in which all steps have run otherwise.
world() {
	mkdir "$1" && cp tokenizer.json ?.jsonl "$1" && cd "$1" || return 1
	[ "$1" != documents ] || sed -i '1s/"text": "/&Otherwise /' [012].jsonl
	make_all "$2" "${3-}"
}

@test "a file of other documents, another order or other options, among those of a run" {
	(world documents "0.jsonl 1.jsonl")
	(world order "1.jsonl 0.jsonl")
	(world options "0.jsonl 1.jsonl" 's/step keys/& --fold/; s/step sign/& --bands 7/
		s/tok-train/& --preset metaspace/; s/--by-file/& --add none/')
	(only=near world verify "0.jsonl 1.jsonl" 's/step edges/& --verify 0.3/')
	local row word other status tried=0
	while read -r row; do
		row=$(in_o "$row")
		run_row "$row" && rm -rf good && mv o good
		for word in $row; do
			[ "$word" != o/x ] && { [ -e "documents/$word" ] || [ -e "documents/$word.json" ]; } || continue
			for other in documents order options verify; do
				[ -e "$other/$word" ] || [ -e "$other/$word.json" ] || continue
				status=0
				run_row "${row/ $word/ $other/$word}" || status=$?
				tried=$((tried + 1))
				[ $status != 0 ] || ! legitimate "$other" "$row" "$word" || continue
				judged $status "$word" "$row: $other/$word"
			done
		done
	done < <(rows | head -n -${#read_more[@]} | grep -vE 'step (keys|sign|count) |--by-file') >broken
	cat broken
	[ ! -s broken ]
	[ "$tried" -gt 70 ]
}

# legitimate WORLD ROW WORD: true if the word is not bound to the other files of the row: what is
# joined there may be of any documents, and one file has all that matters.
legitimate() {
	case $1:$2 in
	documents:*"step "@(first|meet|merge|learn)" "* | documents:*--merge*) ;;
	order:*"step "@(first|meet|merge|learn)" "* | order:*--merge*) ;;
	order:*"step gather "* | verify:*"step gather "*) [ "$3" = roots ] ;;
	*) false ;;
	esac
}

@test "a full disk, for each file that a mode writes" {
	local row word words status to said f
	for row in "${modes[@]/%IN/a.jsonl}"; do
		[[ $row != *"-o o/s "* ]] || continue # a prefix
		for word in $row STDOUT; do
			[[ $word = o/* || $word-$row = STDOUT-* && $row != *"o/"* ]] || continue
			status=0 to=/dev/null
			[ $word != STDOUT ] || to=/dev/full
			fresh
			read -ra words <<<"$row"
			"${words[@]/#$word/\/dev\/full}" -q >$to 2>err </dev/null || status=$?
			one_line && [ $status = 2 ] && [[ $said = *": No space left on device" ]] ||
				echo "$row: $word: exit $status: $said"
			for f in o/* o/.[!.]*; do
				[ ! -e "$f" ] || echo "$row: $word: left $f"
			done
		done
	done >broken
	cat broken
	[ ! -s broken ]
}
