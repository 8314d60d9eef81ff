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
	# Few documents, which do not fit all the same.
	seq 300 | awk '{ printf "{\"id\":%d,\"text\":\"one two three four %d\"}\n", $1, $1 % 2 ? 1 : $1 * 1001 }' >in.near
	lucie-dedup -q --near --save-index in.idx -o /dev/null in.near
	lucie-dedup --step sign -o in.sgn in.near
	lucie-dedup --step meet -o in.met in.sgn
	lucie-dedup --step fetch -o in.gst in.sgn in.met
	lucie-dedup --step edges -o in.edg in.gst
	lucie-dedup --step link -o in.rot in.edg
	lucie-dedup --step gather -o in.mbr in.sgn in.rot
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
	[ "$calls" -gt 10 ] || echo "$1: $calls calls"
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

@test "near within 1 MB, against an index, with all files: a failed call" {
	[ -z "$(try --near -m 1 --against in.idx --save-index dir/idx --clusters dir/clusters \
		--removed dir/log in.near | tee /dev/stderr)" ]
}

@test "the steps of near deduplication: a failed call" {
	{
		try --step sign -m 1 in.near
		try --step meet -m 1 in.sgn
		try --step fetch -m 1 in.sgn in.met
		try --step edges -m 1 in.gst
		try --step link -m 1 in.edg
		try --step gather -m 1 in.sgn in.rot
		try --step settle -m 1 in.mbr
	} | tee /dev/stderr | grep . && return 1
	true
}
