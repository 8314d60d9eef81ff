#!/usr/bin/env bats
# lucie-stats on what the other programs really write: files of a build, pipes, runs.
bats_require_minimum_version 1.5.0

load fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# total KEY: of the JSON object on standard input.
total() { sed 's/.*"total":{//' | grep -o "\"$1\":[0-9]*" | cut -d: -f2; }

@test "the accounting files of a build are a chain in any order, and add up" {
	fixtures a.jsonl b.jsonl pages recipe.ini
	cp "$LUCIE_SRC/tests/data/dataset.mk" Makefile
	printf '[group all]\n' >recipe.ini
	make --no-print-directory -j2 >log
	lucie-stats --chain work/stats/*.jsonl >table
	[ "$(grep -o '^lucie-[a-z]*\( --[a-z]*\)*' table | xargs)" = "lucie-import lucie-normalize lucie-lang lucie-filter lucie-dedup --exact lucie-dedup --near lucie-shard lucie-mix --plan" ]
	find work/stats -name '*.jsonl' | sort -r | xargs lucie-stats --chain | cmp - table
	lucie-stats --json --by-file work/stats/*.jsonl >json
	[ $(($(total in <json) + $(total repeated <json))) = \
		$(($(total out <json) + $(total dropped <json) + $(total held_out <json))) ]
	[ "$(total unread <json)" = 0 ]
	# A file that is missing is a break.
	rm work/stats/dedup-exact.jsonl
	run -1 lucie-stats --chain work/stats/*.jsonl
}

@test "programs connected by pipes are a chain, with filter before and after dedup" {
	fixtures a.jsonl b.jsonl
	cat a.jsonl b.jsonl | lucie-normalize --stats s | lucie-dedup --exact --stats s |
		lucie-filter --stats s | lucie-lang --stats s >x.jsonl
	lucie-stats --chain s >table
	grep -q '^total ' table
	lucie-filter --stats s2 -o f1 a.jsonl
	lucie-dedup --exact --stats s2 -o d f1
	lucie-filter --stats s2 -o f2 d
	lucie-stats --chain s2 >table
	grep -q '^lucie-filter, pass 2 ' table
}

@test "a page is made from a run alone, and again with the same bytes" {
	fixtures run
	lucie-stats --metrics run --html 1.html >table </dev/null
	grep -q '^run  *[0-9]' table
	grep -q 'Gradient norm' 1.html
	grep -q '\[model\]' 1.html
	sleep 1
	TZ=Asia/Tokyo lucie-stats --metrics run/metrics.jsonl --html 2.html >table </dev/null
	cmp 1.html 2.html
	# Nothing is loaded from elsewhere, and there are no scripts.
	run -1 grep -iE 'https?:|<script|<link|@import|url\(| src=' 1.html
}

@test "what cannot be exported to TensorBoard is said in one sentence, and nothing is half written" {
	fixtures run
	run -2 lucie-stats --tensorboard board a.jsonl
	[[ "${lines[0]}" == "lucie-stats: --tensorboard needs --metrics"* ]]
	run -2 lucie-stats --metrics none --tensorboard board
	[ ! -e board ]
	: >file
	run -2 lucie-stats --metrics run --tensorboard file
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *file* ]]
	lucie-stats --metrics run --tensorboard board >table
	[ "$(find board -type f | wc -l)" = 1 ]
	# It cannot be replaced in a folder that nobody may write to, and stays as it is.
	[ "$(id -u)" != 0 ] || return 0
	chmod a-w board/run
	echo '{"step":4,"loss":1}' >>run/metrics.jsonl
	cp -R board before
	run -2 lucie-stats --metrics run --tensorboard board
	diff -r board before
}
