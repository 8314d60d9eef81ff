#!/usr/bin/env bats
# The shared rules of pipelines/mk, by tests/data/dataset.mk: a dataset of three small files.
bats_require_minimum_version 1.5.0

load fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	fixtures a.jsonl b.jsonl pages recipe.ini
	cp "$LUCIE_SRC/tests/data/dataset.mk" Makefile
	printf '[group all]\n' >recipe.ini
}

build() { make --no-print-directory "$@"; }

@test "a build ends with a plan; a second one has nothing to do" {
	build -j2
	lucie-check work/shards/all
	[ -s work/mix/plan ]
	lucie-stats work/stats/*.jsonl >table
	run -0 make -q
	run -0 make
	[ "$output" = "make: Nothing to be done for 'all'." ]
}

@test "the tokenizer is measured" {
	build tokenizer-eval >log
	grep -q '^total ' work/eval/tokenizer.txt
	grep -q ' 0 dead$' work/eval/tokenizer.txt
	grep -q '^lost  *[0-9]* scalar values' work/eval/tokenizer.txt
}

@test "the bytes do not depend on the order of the build" {
	build -j4 >log
	(cd work && find . -name '*.jsonl.zst' -o -name '*.bin' -o -name tokenizer.json | sort | xargs md5sum) >first
	rm -rf work
	build -j1 >log
	(cd work && md5sum --quiet -c ../first)
}

@test "only the source that changed is rebuilt" {
	build -j2 >log
	sed 's/"text": *"/&Another word. /' b.jsonl >b.new && mv b.new b.jsonl
	build >log
	grep -q 'normalize  b' log
	run ! grep -q 'normalize  a' log
}

@test "a failed stage leaves no target, and the next build resumes there" {
	echo 'no record' >>b.jsonl
	run ! build -j1
	[ ! -e work/normalize/b.jsonl.zst ]
	[ ! -e work/mix/plan ]
	sed -i '$d' b.jsonl
	build >log
	run ! grep -q 'normalize  a' log
	[ -s work/mix/plan ]
}

@test "RUN is put before each command" {
	echo 'echo "$*" >>commands; exec "$@"' >launch
	build RUN='bash launch' >log
	for stage in normalize lang filter dedup tok-train shard check mix; do
		grep -q "^lucie-$stage " commands || { echo "no $stage"; return 1; }
	done
}
