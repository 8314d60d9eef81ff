#!/usr/bin/env bats
# Shards that are cut while a program has them open: one sentence and exit status 2, no signal, no
# output.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	export OMP_WAIT_POLICY=passive
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures run
	for ((i = 0; i < 300; i++)); do cat a.jsonl; done >many.jsonl
	lucie-shard -q -t tokenizer.json -o big many.jsonl
	head -n 2 a.jsonl | lucie-shard -q -t tokenizer.json -o small -
	sed 's,^train = .*,train = cut,; s,^steps = .*,steps = 100000,' train.ini >cut.ini
	sed 's,^train = .*,train = small,; s,^steps = .*,steps = 300,' train.ini >small.ini
	printf '[mix]\nmeasure = tokens\ntotal = 1000\n[group all]\nshare = 100%%\n' >all.ini
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	for f in big.*; do cp "$f" "cut${f#big}"; done
	rm -rf out .out* err cut-run
}

# wait_for COMMAND...: until it is true, or the program has ended
wait_for() {
	for ((i = 0; i < 6000; i++)); do
		"$@" && return 0
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.01
	done
	return 1
}

maps() { grep -qs "/$1\.bin" "/proc/$pid/maps"; }

# cut_during FILE SIZE COMMAND...: cut a file of the shard `cut` when the program has mapped it and
# waits for the ledger, which is a pipe; then give it the ledger.
cut_during() {
	local file=$1 size=$2
	shift 2
	mv cut.docs.jsonl.zst ledger
	mkfifo cut.docs.jsonl.zst
	"$@" >stdout 2>err 3>&- &
	pid=$!
	wait_for maps cut || { cat err; return 1; }
	truncate -s "$size" "$file"
	timeout 60 bash -c 'cat ledger >cut.docs.jsonl.zst'
	rc=0
	wait "$pid" || rc=$?
	rm cut.docs.jsonl.zst
	refused "$1" "$file"
	[ ! -s stdout ]
}

# refused PROGRAM FILE
refused() {
	cat err >&2
	[ "$rc" = 2 ]
	[ "$(wc -l <err)" = 1 ]
	grep -qE "^$1: (checkpoint: )?${2//./\\.}: was cut .*while it was read; restore it and start again$" err
}

@test "an index is cut under lucie-trace, lucie-eval and lucie-mix" {
	cut_during cut.idx 4096 lucie-trace --sources -o out cut
	[ ! -e out ]
	[ -z "$(find . -name '.out*')" ]
	setup
	cut_during cut.idx 0 lucie-trace --range 0:100000 cut
	setup
	cut_during cut.idx 4096 lucie-eval -q run cut
	setup
	cut_during cut.idx 4096 lucie-mix -q --plan -c all.ini -o out cut
	[ ! -e out ]
}

@test "tokens are cut in the middle of training" {
	lucie-train -q -j1 -c cut.ini -o cut-run 2>err 3>&- &
	pid=$!
	wait_for maps cut
	truncate -s 0 cut.bin
	rc=0
	wait "$pid" || rc=$?
	refused lucie-train cut.bin
}

@test "tokens that are missing from the last page are not trained on as zeros" {
	[ "$(stat -c %s small.bin)" -lt 4096 ]
	lucie-train -q -j1 -c small.ini -o cut-run 2>err 3>&- &
	pid=$!
	wait_for maps small
	truncate -s 100 small.bin
	rc=0
	wait "$pid" || rc=$?
	refused lucie-train small.bin
}
