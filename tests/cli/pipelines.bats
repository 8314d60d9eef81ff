#!/usr/bin/env bats
# The shared rules of pipelines/mk, by tests/data/dataset.mk: a dataset of three small files, and what
# of it is built anew when flags change.
bats_require_minimum_version 1.5.0

load fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	fixtures a.jsonl b.jsonl pages recipe.ini train.ini
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

# stages GOAL [VARIABLE=VALUE]...: the stages that a build runs, with the file where there is one.
stages() {
	build "$@" >log 2>&1 || {
		cat log
		return 1
	}
	sed -nE 's/^  ([a-z-]+) +(.*)/\1 \2/p' log
}

@test "changed flags rebuild the stages that have them, and what follows" {
	build -j2 >log
	stricter='--preset gopher --set min_words=3 --set min_stop_words=off'
	stages plan FILTER_FLAGS="$stricter" >ran
	[ "$(grep -c '^filter ' ran)" = 3 ]
	run ! grep -E '^(normalize|lang) ' ran
	grep -q '^exact ' ran
	# The same flags again: nothing to do, and make -q says so.
	run -0 make -q plan FILTER_FLAGS="$stricter"
	build plan >log
	stages plan TOKENIZER_FLAGS='--vocab-size 401' >ran
	[ "$(cut -d' ' -f1 ran | tr '\n' ' ')" = 'tokenizer shard check mix ' ]
	build plan >log
	stages plan SHARD_FLAGS="--holdout valid=0.3" >ran
	[ "$(cut -d' ' -f1 ran | tr '\n' ' ')" = 'shard check mix ' ]
	build plan >log
	stages plan MIX_FLAGS='--seed 1' >ran
	[ "$(cut -d' ' -f1 ran | tr '\n' ' ')" = 'mix ' ]
}

@test "flags of one file rebuild that file alone" {
	build -j2 >log
	echo 'work/lang/b.jsonl.zst: LANG_FLAGS = --max-bytes 1K' >>Makefile
	stages plan >ran
	[ "$(grep -E '^(normalize|lang|filter) ' ran | tr '\n' ' ')" = 'lang b filter b ' ]
}

@test "a changed recipe, a source that is gone and another version of the toolkit rebuild" {
	build -j2 >log
	sleep 0.1 # files of one tick of the clock count as equally old
	printf '[mix]\nmax_epochs = 3\n[group all]\n' >recipe.ini
	[ "$(stages plan | cut -d' ' -f1)" = mix ]
	sed -i 's/^SOURCES := a b pages/SOURCES := a pages/' Makefile
	[ "$(stages plan | head -1)" = 'exact 2 files' ]
	stages plan TOOLKIT=0.0.1 >ran
	[ "$(grep -c '^normalize ' ran)" = 2 ]
}

@test "programs that are not found are named" {
	run -2 make BIN=/nowhere PATH=/usr/bin:/bin
	[[ $output == *"lucie-normalize not found"*BIN* ]]
}

@test "train, export and report; changed settings start the training over and keep the run" {
	build -j2 report export >log 2>&1
	[ -s work/report.html ]
	[ -s work/model/model.safetensors ]
	[ "$(lucie-generate -q -n 3 work/model | wc -c)" -gt 0 ]
	run -0 make -q report export
	# The accounting files come in the order of the pipeline.
	run -0 grep -oE '^lucie-[a-z]+( --[a-z]+)?' work/stages.txt
	[ "${lines[*]}" = "lucie-import lucie-normalize lucie-lang lucie-filter lucie-dedup --exact \
lucie-dedup --near lucie-shard lucie-mix --plan" ]
	# In whatever order they are named, no document is missing between stages.
	lucie-stats --chain work/stats/*.jsonl >/dev/null
	cp work/run/metrics.jsonl before
	stages report TRAIN_FLAGS='--set train.steps=6' >ran
	grep -q '^train ' ran
	run ! grep -E '^(shard|mix|tok-eval) ' ran
	grep -q 'run.old' log
	cmp before work/run.old/metrics.jsonl
	[ "$(grep -c '"lr"' work/run/metrics.jsonl)" = 6 ]
	echo >>train.ini
	[ "$(stages train TRAIN_FLAGS='--set train.steps=6' | cut -d' ' -f1)" = train ]
}

@test "nothing is held out, and the report does without scores" {
	build report SHARD_FLAGS= >log 2>&1
	run ! grep -q 'Held-out documents' work/report.html
	[ ! -s work/eval/scores.jsonl ]
}

@test "in files and parts, and with stages joined by pipes: the same documents, tokenizer and account" {
	local d
	build -j2 plan >log
	build -j3 plan D=three SPLIT=3 >log
	run -0 make -q plan D=three SPLIT=3
	build -j1 plan D=fused SPLIT=1 FUSE=yes >log
	grep -q 'fused  *pages' log
	run -0 make -q plan D=fused SPLIT=1 FUSE=yes
	for d in three fused; do
		cmp <(zstd -qdc work/dedup/near.jsonl.zst) <(zstd -qdc $d/near/{a,b,pages}.jsonl.zst)
		cmp work/tokenizer.json $d/tokenizer.json
		cmp work/filter/b.jsonl.zst $d/filter/b.jsonl.zst
		lucie-check $d/shards/all
		diff <(lucie-stats --chain work/stats/*.jsonl | sed -E 's/ +/ /g; /^(stage|total)/!d' | cut -d' ' -f1-5) \
			<(lucie-stats --chain $d/stats/*.jsonl | sed -E 's/ +/ /g; /^(stage|total)/!d' | cut -d' ' -f1-5)
	done
	[ ! -e fused/lang ]
	cmp <(cat three/shards/*.bin) <(cat fused/shards/*.bin)
	# A stage that fails in the middle of a pipe leaves no file, whatever comes behind it.
	printf '#!/bin/bash\ncat >/dev/null; exit 3\n' >lucie-lang && chmod +x lucie-lang
	run ! build -k FUSE=yes SPLIT=1 D=broken BIN="$PWD" broken/filter/{a,pages}.jsonl.zst
	[ "$(find broken/filter -type f | wc -l)" = 0 ]
	[[ "$output" != *Deleting* ]]
	# What holds for a target that is not made is not passed over.
	echo 'work/lang/b.jsonl.zst: LANG_FLAGS = --max-bytes 1K' >>Makefile
	sed -i 's|^work/lang|$(D)/lang|' Makefile
	run -2 build FUSE=yes plan
	[[ "$output" == *'FUSE=yes makes no such target'* ]]
}

@test "objects come by pipes and go as whole files, the last one says so" {
	zstd -q a.jsonl && gzip b.jsonl
	cat >Makefile <<-'END'
		D := work
		all: put
		include $(LUCIE_SRC)/pipelines/mk/settings.mk
		OBJECTS ?= a.jsonl.zst b.jsonl.gz
		IN = bash -c 'cat $(1)$(CUT)'
		READ = lucie-normalize $(ONE)
		PUT = bash -c 'mkdir -p "store/$$(dirname "$$2")" && cp "$$1" "store/$$2" && echo "$$2" >>order' put $(1) $(2)
		include $(MK)/objects.mk
		include $(MK)/stages.mk
		CLEAN = $(OBJECTS:%=$(D)/filter/%.jsonl.zst)
		PUT_FILES = $(CLEAN) $(D)/shards/all.json
		TOKENIZER_FLAGS = --vocab-size 400
		include $(MK)/corpus.mk
	END
	build -j2 FUSE=yes >log
	(cd store && sha256sum --quiet -c shards/all.json.ok filter/a.jsonl.zst.jsonl.zst.ok)
	[ "$(tail -n2 order | paste -sd' ')" = 'shards/all.json shards/all.json.ok' ]
	opens store/shards/all
	run -0 make -q FUSE=yes
	# A copy that breaks off with status 0, one of nothing, one that is not compressed.
	head -c 300 a.jsonl.zst >cut && : >none && printf '{"text":"x"}\n' >plain
	for f in cut none plain; do
		for fuse in yes ''; do
			run -2 build OBJECTS=$f work/filter/$f.jsonl.zst FUSE=$fuse
			[ ! -e work/filter/$f.jsonl.zst ]
			[[ "$output" != *'Deleting'* ]]
		done
	done
	[[ "$output" == *'plain: not compressed'* ]]
}

@test "hidden files and folders are sources like others" {
	mkdir -p raw/.folder raw/plain
	echo a >raw/.file.txt
	echo b >raw/.folder/b.txt
	echo c >raw/plain/c.txt
	[ "$(bash "$LUCIE_SRC/pipelines/mk/sources" raw lists | tr '\n' ' ')" = "_.folder files plain " ]
	grep -qx $'member\t.file.txt' lists/files
	# The second time nothing is new, and no list is lost.
	[ "$(bash "$LUCIE_SRC/pipelines/mk/sources" raw lists | wc -l)" = 3 ]
}

@test "SIGTERM to make reaches the program of a recipe that forwards" {
	cat >f.mk <<-END
	SHELL := bash
	.SHELLFLAGS := -eu -o pipefail -c
	.RECIPEPREFIX := >
	all:
	> . $LUCIE_SRC/pipelines/mk/forward; \\
	> forward bash -c 'trap "echo told; exit 75" TERM; touch ready; sleep 5 & wait' || exit \$\$?
	END
	make -f f.mk >log 2>&1 3>&- &
	pid=$!
	while [ ! -e ready ]; do sleep 0.05; done
	kill -TERM $pid
	wait $pid || true
	grep -qx told log
}

# two_datasets: a plan here, and the same in the folder two, for trainings of a few micro-batches a step.
two_datasets() {
	sed -i 's/^micro_batch.*/micro_batch = 1\nlanes = 2/' train.ini
	build -j2 plan >log
	mkdir "$BATS_TEST_TMPDIR.two" && cp -a . "$BATS_TEST_TMPDIR.two" && mv "$BATS_TEST_TMPDIR.two" two
}

@test "RANKS changes nothing but the times: the same run, scores, samples and report" {
	local f
	two_datasets
	build -j1 report TITLE=x >log 2>&1
	run ! grep 'ranks over' log
	build -C two -j1 train RANKS=2 >log 2>&1
	grep -q '2 ranks over ' log
	run -0 build -C two -q train RANKS=1
	cmp work/run/metrics.jsonl two/work/run/metrics.jsonl
	# The page shows times, too.
	cp work/run/timing.jsonl two/work/run
	build -C two -j1 report RANKS=2 TITLE=x >log 2>&1
	for f in run/config.ini run/latest/weights.safetensors report.html stages.txt eval/scores.jsonl \
		eval/samples.txt; do
		cmp work/$f two/work/$f
	done
}

@test "a number of ranks that is none is refused; a rank that fails is the status of all" {
	build -j2 plan >log
	run -2 build train RANKS=two
	[[ "$output" == *"RANKS=two: not a number of ranks from 1"* ]]
	ranks() { bash "$LUCIE_SRC/pipelines/mk/ranks" "$@"; }
	run -0 ranks 3 true
	run -5 ranks 3 bash -c 'case $LUCIE_RANK in 0) exit 75 ;; 1) exit 5 ;; 2) exit 6 ;; esac'
	run -75 ranks 3 bash -c 'exit $((LUCIE_RANK == 1 ? 75 : 0))'
	run -0 ranks 2 bash -c 'echo $LUCIE_RANK of $LUCIE_SIZE at $LUCIE_RENDEZVOUS, $LUCIE_LOCAL_RANK'
	[ "$(sort <<<"$output" | tr '\n' ';')" = '0 of 2 at 127.0.0.1, 0;1 of 2 at 127.0.0.1, 1;' ]
}

# stop_after STEP [VARIABLE=VALUE]: train, and send SIGTERM to make; until the trainer has gone.
stop_after() {
	local pid
	make --no-print-directory train "${@:2}" >log 2>&1 3>&- &
	pid=$!
	until grep -qs "\"step\":$1," work/run/metrics.jsonl; do
		kill -0 $pid || { cat log && return 1; }
		sleep 0.05
	done
	kill -TERM $pid
	run ! wait $pid
	# make itself does not wait.
	for _ in {1..1200}; do
		[ -e work/run/trainer.lock ] || return 0
		sleep 0.05
	done
	cat log
	return 1
}

@test "SIGTERM to make stops all ranks with a checkpoint, and another number of them goes on" {
	local step
	sed -i 's/^steps.*/steps = 1000000\nschedule = constant/; s/^every.*/every = 0/' train.ini
	two_datasets
	stop_after 5 RANKS=2
	grep -q '2 ranks over ' log
	step=$(readlink work/run/latest)
	stop_after $((10#${step#step-} + 5))
	step=$(readlink work/run/latest)
	cd two
	lucie-train -q -c train.ini --set data.train=work/mix/plan --set data.valid= \
		--set data.tokenizer=work/tokenizer.json --set train.steps=$((10#${step#step-})) -o whole
	cmp whole/latest/weights.safetensors ../work/run/latest/weights.safetensors
}
