#!/usr/bin/env bats
# lucie-dedup --near: the same bytes within any bound of memory, with any number of threads, and in
# steps with any number of parts; indexes of earlier dumps; files of clusters.
bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	# 3,000 documents of 40 words in 700 families. Some have a word or a passage of their own, so
	# that similarities lie on both sides of the threshold; ids of every kind.
	awk -v q='"' 'function word(n) {
		n = (n * 7919 + 12345) % 456976
		return sprintf("%c%c%c%c", 97 + n % 26, 97 + int(n / 26) % 26, 97 + int(n / 676) % 26,
			97 + int(n / 17576))
	}
	BEGIN {
		for (i = 1; i <= 3000; i++) {
			family = i * 31 % 700
			text = ""
			for (w = 0; w < 40; w++)
				text = text " " word(w < i % 5 ? i * 64 + w + 100000 : family * 40 + w)
			id = i % 5 == 0 ? "" : i % 5 == 1 ? q "id" q ":" i "," : q "id" q ":" q "x\\n" i q ","
			printf "{%s\"text\":\"%s\",\"source\":\"s%d\",\"date\":\"2026-01-%02d\",\"lang\":\"%s\"}\n",
				id, text, family % 3, i * 17 % 28 + 1, i % 2 ? "fr" : "en"
			if (i % 500 == 0) print ""
		}
	}' >all
	sed -n 1,1200p all >1.jsonl && sed -n 1201p all >2.jsonl && sed -n '1202,$p' all >3.jsonl
	files='1.jsonl 2.jsonl 3.jsonl'
	export files
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -s "$BATS_FILE_TMPDIR"/*.jsonl .
}

# whole OPTION...: the reference, as out, log and rejects.
whole() {
	lucie-dedup -q --near "$@" --removed log --rejects rejects -o out $files
	[ -s log ] && [ -s out ]
}

same() {
	cmp out out.s && cmp log log.s && cmp rejects rejects.s
}

# in_steps PARTS EDGES LAST [OPTION...]: in steps, as out.s, log.s and rejects.s. EDGES and LAST are
# options of the steps edges and drop, the others of sign.
in_steps() {
	local parts=$1 edges=$2 last=$3 f i drops=()
	shift 3
	rm -f ./*.sgn ./*.met ./*.gst ./*.edg ./*.mbr ./*.drp out.s log.s rejects.s
	for f in $files; do lucie-dedup --step sign "$@" -o "$f.sgn" "$f" || return 1; done
	for ((i = 1; i <= parts; i++)); do
		lucie-dedup --step meet --part "$i/$parts" -o "$i.met" ${files//.jsonl/.jsonl.sgn} || return 1
	done
	for f in $files; do lucie-dedup --step fetch -o "$f.gst" "$f.sgn" ./*.met || return 1; done
	for ((i = 1; i <= parts; i++)); do
		lucie-dedup --step edges $edges --part "$i/$parts" -o "$i.edg" ./*.gst || return 1
	done
	lucie-dedup --step link -o roots ./*.edg || return 1
	for f in $files; do lucie-dedup --step gather -o "$f.mbr" "$f.sgn" roots || return 1; done
	for ((i = 1; i <= parts; i++)); do
		lucie-dedup --step settle --part "$i/$parts" -o "$i.drp" ./*.mbr || return 1
		drops+=(--drops "$i.drp")
	done
	for f in $files; do
		lucie-dedup -q --step drop $last "${drops[@]}" --removed l --rejects r -o o "$f" || return 1
		cat o >>out.s && cat l >>log.s && cat r >>rejects.s
	done
}

@test "near: the same bytes for any -m and -j" {
	for how in "" "--keep newest:date --cluster-size" "--by lang --verify 0.5" \
		"--exact --keep longest"; do
		whole $how
		cp log first
		for m in "-m 1" "-m 1M -j 2" "-j 1" "-m 1G -j 3"; do
			lucie-dedup -q --near $how $m --removed log.s --rejects rejects.s -o out.s $files
			same
		done
	done
}

@test "near in steps: the same bytes as one run, for any number of parts" {
	whole
	in_steps 1 "" ""
	same
	whole --keep newest:date --by lang --verify 0.5 --cluster-size
	in_steps 3 "--verify 0.5" --cluster-size --keep newest:date --by lang
	same
}

@test "steps: files that do not belong together are refused, damaged ones too" {
	in_steps 2 "" ""
	lucie-dedup --step sign --bands 7 -o other.sgn 1.jsonl
	run -2 lucie-dedup --step meet -o x 2.jsonl.sgn other.sgn
	[[ $output == "lucie-dedup: other.sgn: made with 'near, bands 7"* ]]
	run -2 lucie-dedup --step meet -o x 2.jsonl.sgn 2.jsonl.sgn
	[[ $output == *"given twice"* ]]
	run -2 lucie-dedup --step meet --bands 7 -o x 2.jsonl.sgn
	[ "${lines[0]}" = "lucie-dedup: --step meet takes no --bands and --rows" ]
	run -2 lucie-dedup --step fetch -o x 2.jsonl.sgn 1.met
	[ "$output" = "lucie-dedup: part 2 of 2 is missing beside 1.met" ]
	run -2 lucie-dedup --step gather -o x other.sgn 1.jsonl.sgn
	[[ $output == *"and one of --step link is needed" ]]
	head -n 2 1.jsonl >4.jsonl
	lucie-dedup --step sign -o 4.sgn 4.jsonl
	run -2 lucie-dedup --step fetch -o x 4.sgn ./*.met
	[[ $output == *"4.sgn: not among the files that "*" was made from" ]]
	run -2 lucie-dedup --step settle --verify 0.5 -o x ./*.mbr
	[ "${lines[0]}" = "lucie-dedup: --step settle takes no --verify" ]
	run -2 lucie-dedup --step settle --clusters x -o x ./*.mbr
	[ "${lines[0]}" = "lucie-dedup: --step settle takes no --clusters, --against and --save-index" ]
	run -2 lucie-dedup --step edges -o x
	[[ $output == *"name them, standard input will not do" ]]
	for f in 1.jsonl.sgn 1.met 1.jsonl.gst 1.edg roots 1.jsonl.mbr; do
		size=$(stat -c %s "$f")
		# Within the sections: the last kilobyte is the footer of the small ones.
		printf '\377' | dd of="$f" bs=1 seek=$((size / 3)) conv=notrunc status=none
	done
	run -2 lucie-dedup --step meet -o x ./*.sgn
	run -2 lucie-dedup --step edges -o x ./*.gst
	[[ $output == *"1.jsonl.gst: damaged, make it again" ]]
	run -2 lucie-dedup --step link -o x ./*.edg
	[[ $output == *"1.edg: damaged, make it again" ]]
	run -2 lucie-dedup --step settle -o x ./*.mbr
	[[ $output == *"1.jsonl.mbr: damaged, make it again" ]]
	[ ! -e x ]
}

# The documents that are removed from the second dump are named with one of the first.
@test "--save-index and --against: survivors of earlier dumps, sizes add up" {
	head -n 500 1.jsonl >0.jsonl
	lucie-dedup -q --near --save-index a.idx -o a.out 0.jsonl
	lucie-dedup -q --near --against a.idx --save-index b.idx.zst --removed log --clusters clusters \
		-o b.out 2.jsonl 3.jsonl
	grep -q '"file":"3.jsonl","line":[0-9]*,"kept_id":[^,]*,"kept_file":"0.jsonl"' log
	grep -q '"kept_file":"3.jsonl"' log
	# Nothing new in what has been seen: every document meets its twin in the index.
	run -0 lucie-dedup -q --near --against b.idx.zst a.out b.out
	[ -z "$output" ]
	# All that was read stands behind a document of the index.
	total=$(cat 0.jsonl 2.jsonl 3.jsonl | grep -c text)
	lucie-dedup -q --near --against b.idx.zst --removed last --clusters members -o none a.out b.out
	[ ! -s none ]
	sizes=$(sed 's/.*"cluster_size":\([0-9]*\).*/\1/' members | paste -sd+ | bc)
	[ "$sizes" = $((total + $(cat a.out b.out | wc -l))) ]
	# The same bytes within a bound, and with the index read from several files.
	lucie-dedup -q --near -m 1 --against a.idx --save-index c.idx.zst --removed log.s \
		--clusters clusters.s -o b.out.s 2.jsonl 3.jsonl
	cmp log log.s && cmp b.out b.out.s && cmp b.idx.zst c.idx.zst && cmp clusters clusters.s
}

@test "--against: what is no index, or one made otherwise, is refused" {
	lucie-dedup -q --near --save-index a.idx -o a.out 2.jsonl
	try() {
		run -2 lucie-dedup --near "$@" -o x 2.jsonl
		[ ! -e x ]
	}
	try --against 1.jsonl
	[ "$output" = "lucie-dedup: 1.jsonl: not an index of lucie-dedup" ]
	try --against a.idx --against ./a.idx
	[ "$output" = "lucie-dedup: ./a.idx: given twice, it is the same file as a.idx" ]
	try --bands 7 --against a.idx
	[ "$output" = "lucie-dedup: a.idx: index of 14 bands of 8 rows, not 7 of 8" ]
	try --by lang --against a.idx
	[ "$output" = "lucie-dedup: a.idx: index made with --by '', not 'lang'" ]
	try --against a.idx --save-index a.idx
	[[ $output == *"a.idx: input file is output file" ]]
	size=$(stat -c %s a.idx)
	for at in 20 40 60 $((size / 2)) $((size - 30)) $((size - 20)) $((size - 1)); do
		cp a.idx damaged
		byte=$(dd if=a.idx bs=1 skip=$at count=1 status=none | od -An -tu1)
		printf "\\$(printf %o $((byte ^ 64)))" | dd of=damaged bs=1 seek=$at conv=notrunc status=none
		try --against damaged
		[[ $output == "lucie-dedup: damaged: "* ]]
	done
	head -c $((size - 1)) a.idx >damaged
	try --against damaged
	[ "$output" = "lucie-dedup: damaged: truncated index" ]
}

@test "--clusters: one line a cluster, which agrees with the log" {
	whole --clusters clusters
	jq -cr '. as $c | .members[] | [.id, .file, .line, $c.kept_id, $c.kept_file, $c.kept_line,
		.similarity, $c.cluster_size] | tostring' clusters | sort >from-clusters
	jq -cr '[.id, .file, .line, .kept_id, .kept_file, .kept_line, .similarity, .cluster_size]
		| tostring' log | sort >from-log
	[ -s from-log ]
	cmp from-clusters from-log
	jq -e -s 'all(.cluster_size == (.members | length) + 1)' clusters
	# A line of more than a buffer.
	yes '{"id":"the same each time","text":"one two three four five six"}' | head -n 2000 >same
	lucie-dedup -q --near --clusters large -o one same
	jq -e '.cluster_size == 2000 and (.members | length) == 1999' large
}
