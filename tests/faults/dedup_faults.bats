#!/usr/bin/env bats
# lucie-dedup with keys that do not fit, and its steps: one call on a file fails, each in turn, or the
# disk is full. The program then exits with status 2 after one line and leaves no file, or its output
# is complete. FAULTS=all tries every call, otherwise some spread over all.
bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	# Several runs of the sorter of 1 MB.
	seq 30000 | awk '{ printf "{\"id\":%d,\"text\":\"%d\"}\n", $1, $1 * 7919 % 29959 }' >in.jsonl
	lucie-dedup --step keys -o in.keys in.jsonl
	lucie-dedup --step first -o in.drop in.keys
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -s "$BATS_FILE_TMPDIR"/in.* .
}

# with_fault N ARG...: lucie-dedup ARG... with -o dir/f; call N on a file fails.
with_fault() {
	local n=$1
	shift
	rm -rf dir && mkdir dir
	timeout 60 env LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT=files INJECT_N=$n \
		INJECT_COUNT=calls lucie-dedup -q -j 1 "$@" -o dir/f >stdout 2>err
}

# try ARG...: report what breaks the contract.
try() {
	local calls n step status f
	with_fault 0 "$@" || { echo "without a fault: $(cat err)"; return; }
	rm -rf good && cp -R dir good
	calls=$(cat calls)
	[ "$calls" -gt 20 ] || echo "$1: $calls calls"
	# Those at the end put the outputs in place.
	step=$(((calls + 14) / 15))
	[ "${FAULTS-}" != all ] || step=1
	for ((n = 1; n <= calls; n += n > calls - 12 ? 1 : step)); do
		status=0
		with_fault $n "$@" || status=$?
		if [ $status = 0 ]; then
			diff -rq good dir >/dev/null || echo "$1: call $n of $calls: exit 0, other output"
			continue
		fi
		[ $status = 2 ] || echo "$1: call $n of $calls: exit $status: $(cat err)"
		[ "$(wc -l <err)" = 1 ] || echo "$1: call $n of $calls: $(cat err)"
		# What is there by then, since a later file or the sync of the folder failed, is complete.
		for f in dir/* dir/.*; do
			[ ! -f "$f" ] || cmp -s "$f" "good/${f#dir/}" || echo "$1: call $n of $calls: left $f"
		done
	done
}

@test "exact within 1 MB: a failed call" {
	[ -z "$(try --exact -m 1 --removed dir/log in.jsonl | tee /dev/stderr)" ]
}

@test "the steps keys, first and drop: a failed call" {
	{
		try --step keys -m 1 in.jsonl
		try --step first -m 1 in.keys
		try --step drop --drops in.drop --removed dir/log in.jsonl
	} | tee /dev/stderr | grep . && return 1
	true
}
