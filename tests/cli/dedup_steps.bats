#!/usr/bin/env bats
# lucie-dedup: the same bytes within any bound of memory, with any number of threads, and in steps
# with any number of parts; which document is kept; limits; parts of documents.
bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	# 12,000 documents, of which a third are distinct, in files of several sizes; ids of every kind.
	seq 12000 | awk -v q='"' '{
		key = $1 * 7919 % 4001
		id = $1 % 5 == 0 ? "" : $1 % 5 == 1 ? q "id" q ":" $1 "," : q "id" q ":" q "x\\n" $1 q ","
		printf "{%s\"text\":\"text %d\\nof it, line two\\n\",\"source\":\"s%d\",\"date\":\"2026-01-%02d\",\"lang\":\"%s\"}\n",
			id, key, key % 3, $1 * 31 % 28 + 1, $1 % 2 ? "fr" : "en"
		if ($1 % 1000 == 0) print ""
	}' >all
	sed -n 1,5000p all >1.jsonl && sed -n 5001p all >2.jsonl && sed -n '5002,$p' all >3.jsonl
	files='1.jsonl 2.jsonl 3.jsonl'
	export files
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -s "$BATS_FILE_TMPDIR"/*.jsonl .
}

# whole OPTION...: the reference, as out, log and rejects.
whole() {
	lucie-dedup -q --exact "$@" --removed log --rejects rejects -o out $files
}

# in_steps PARTS OPTION...: the same in steps, as out.s, log.s and rejects.s.
in_steps() {
	local parts=$1 f i drops=()
	shift
	for f in $files; do
		lucie-dedup --step keys "$@" -o "$f.keys" "$f" || return 1
	done
	for ((i = 1; i <= parts; i++)); do
		lucie-dedup --step first --part "$i/$parts" -o "$i.drop" ${files//.jsonl/.jsonl.keys} || return 1
		drops+=(--drops "$i.drop")
	done
	rm -f out.s log.s rejects.s
	for f in $files; do
		lucie-dedup -q --step drop "${drops[@]}" --removed l --rejects r -o o "$f" || return 1
		cat o >>out.s && cat l >>log.s && cat r >>rejects.s
	done
}

same() {
	cmp out out.s && cmp log log.s && cmp rejects rejects.s
}

@test "exact: the same bytes for any -m and -j, with and without a log" {
	for how in "" "--keep newest:date" "--by lang" "--keep longest --key date"; do
		whole $how
		[ -s log ]
		[ -s out ]
		for m in 1 200K 1M; do
			lucie-dedup -q --exact $how -m $m -j 2 --removed log.s --rejects rejects.s -o out.s $files
			same
			lucie-dedup -q --exact $how -m $m -j 1 --rejects rejects.s -o out.s $files
			same
		done
	done
}

@test "exact in steps: the same bytes as one run, for any number of parts" {
	for how in "" "--keep newest:date" "--key date --fold --by source"; do
		whole $how
		for parts in 1 3; do
			in_steps $parts $how
			same
		done
	done
	in_steps 40
	whole
	same
}

@test "files of different builds are refused" {
	lucie-dedup --step keys -o 1.keys 1.jsonl
	lucie-dedup --step keys -o 3.keys 3.jsonl
	lucie-dedup --step keys --fold -o 3.fold 3.jsonl
	run -2 lucie-dedup --step first -o d 1.keys 3.fold
	[ "$output" = "lucie-dedup: 3.fold: made with 'exact, key text, folded', 1.keys with 'exact, key text'" ]
	run -2 lucie-dedup --step first -o d 1.keys 1.keys
	[[ $output == *"given twice"* ]]
	lucie-dedup --step first --part 1/2 -o d 1.keys 3.keys
	run -2 lucie-dedup --step drop --drops d -o o 1.jsonl
	[ "$output" = "lucie-dedup: part 2 of 2 is missing beside d" ]
	lucie-dedup --step first -o d 1.keys 3.keys
	run -2 lucie-dedup --step drop --drops d -o o 2.jsonl
	[[ $output == "lucie-dedup: 2.jsonl: not among the files of d"* ]]
	rm 3.jsonl && sed 's/line two/line 2/;q' "$BATS_FILE_TMPDIR/3.jsonl" >3.jsonl &&
		sed 1d "$BATS_FILE_TMPDIR/3.jsonl" >>3.jsonl
	run -2 lucie-dedup --step drop --drops d -o o 3.jsonl
	[ "$output" = "lucie-dedup: 3.jsonl: changed since the lists of --drops were made" ]
	run -2 lucie-dedup --step first -o o 1.jsonl
	[ "$output" = "lucie-dedup: 1.jsonl: not a file that --step keys writes" ]
	run -2 lucie-dedup --step meet -o o 1.keys
	[ "$output" = "lucie-dedup: 1.keys: written by --step keys, and one of --step sign is needed" ]
	[ ! -e o ]
	run -2 lucie-dedup --step keys --part 1/2 -o o 1.jsonl
	[ "${lines[0]}" = "lucie-dedup: --step keys takes no --part" ]
	run -2 lucie-dedup --step last -o o 1.jsonl
	[[ "${lines[0]}" == "lucie-dedup: there is no step 'last'; there are keys, "* ]]
}

@test "--keep: the newest, the highest, by priority; ties and what is missing" {
	cat >in.jsonl <<-'END'
		{"id":1,"text":"a","date":"2025","score":1,"src":"web"}
		{"id":2,"text":"a","date":"2026-02-01T00:00:00Z","score":3,"src":"book"}
		{"id":3,"text":"a","date":"2026-02-01","score":3.0,"src":"news"}
		{"id":4,"text":"a"}
		{"id":5,"text":"b"}
		{"id":6,"text":"b","date":"1999-12-31","score":-4,"src":"other"}
	END
	kept() { lucie-dedup -q --exact --keep "$1" in.jsonl | sed -E 's/.*"id":([0-9]).*/\1/' | xargs; }
	[ "$(kept first)" = "1 5" ]
	[ "$(kept newest:date)" = "2 6" ]
	[ "$(kept max:score)" = "2 6" ]
	[ "$(kept priority:src=news,web)" = "3 6" ]
	run -2 lucie-dedup --exact --keep priority:src in.jsonl
	[[ ${lines[0]} == "lucie-dedup: --keep: 'priority:src' is not priority:FIELD=A,B,C" ]]
}

@test "--by: copies count only among documents of one value" {
	printf '%s\n' '{"text":"a","lang":"fr"}' '{"text":"a","lang":"en"}' '{"text":"a"}' \
		'{"text":"a","lang":null}' '{"text":"a","lang":"fr"}' '{"text":"a","lang":1}' >in.jsonl
	[ "$(lucie-dedup -q --exact --by lang in.jsonl | wc -l)" = 4 ]
	[ "$(lucie-dedup -q --exact in.jsonl | wc -l)" = 1 ]
}

@test "--most refuses what takes too much of a source, and writes nothing" {
	cat >in.jsonl <<-'END'
		{"text":"a","source":"web"}
		{"text":"a","source":"web"}
		{"text":"a","source":"web"}
		{"text":"b","source":"book"}
		{"text":"b","source":"book"}
	END
	run -2 lucie-dedup --exact --most 50% --removed log --stats stats -o out in.jsonl
	[ "$output" = "lucie-dedup: more than 50% of a source would be removed: web 66.7%; --yes allows it" ]
	[ ! -e out ]
	[ ! -e log ]
	[ ! -e stats ]
	run -0 lucie-dedup --exact --most 50% --yes -o out in.jsonl
	[ "$output" = "lucie-dedup: 1 of 2 sources lost more than half: web 66.7%" ]
	run -0 lucie-dedup --exact --most 67% -q -o out in.jsonl
	run -2 lucie-dedup --exact --most 50% in.jsonl
	[[ ${lines[0]} == *"--most needs -o FILE"* ]]
	run -2 lucie-dedup --exact --most 50 in.jsonl
	run -0 lucie-dedup -v --exact -o out in.jsonl
	[[ $output == *"web             3      2     0     1    66.7%"* ]]
}

@test "--paragraphs and --within: the same bytes for any -m; all is counted" {
	# One document in which the keys stop fitting, behind the first copies.
	seq 20000 | awk 'BEGIN { printf "{\"text\":\"" }
		{ printf "line %d\\n", $1 % 3 ? $1 : 0 } END { print "\"}" }' >4.jsonl
	files+=" 4.jsonl"
	for how in --paragraphs --within "--paragraphs --within"; do
		lucie-dedup -q $how --min-bytes 5 --stats st --rejects rejects -o out $files
		grep -qE '"in":\{"docs":12001,.*"out":\{"docs":[0-9]+,' st
		for m in 1 300K; do
			lucie-dedup -q $how --min-bytes 5 -m $m -j 2 --rejects rejects.s -o out.s $files
			cmp out out.s
			cmp rejects rejects.s
		done
	done
	printf '%s\n' '{"text":"one line\nand\n  one line \ntwo"}' '{"id":1,"text":"one line\ntwo\nthree"}' \
		'{"text":"one line\n\n"}' >in.jsonl
	lucie-dedup -q --paragraphs --min-bytes 5 --stats stats -o out in.jsonl
	diff out - <<-'END'
		{"text":"one line\nand\ntwo"}
		{"id":1,"text":"two\nthree"}
	END
	grep -q '"dropped":{"all paragraphs repeated":1},"repeated":0,"paragraphs":{"docs":3,"removed":3,"bytes":30}' stats
}
