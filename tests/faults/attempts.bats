#!/usr/bin/env bats
# Two attempts of one task at a time, as where a node only seemed dead, on a file system that grants no
# locks or that grants them on each node by itself: one is killed, the other gives the whole output.
bats_require_minimum_version 1.5.0

load ../cli/fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	records 4000 1 >in.jsonl
}

teardown() { exec 7>&- 8>&-; }

# beside FILE: the temporary files of the file.
beside() { find . -name ".$1.*.lu-tmp"; }

# attempt N DESCRIPTOR PROGRAM...: begin the attempt number N, which reads from the descriptor; wait until
# it writes. Sets pid.
attempt() {
	mkfifo "$1"
	LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT=$how "${@:3}" <"$1" 7>&- 8>&- 2>"err$1" &
	pid=$!
	eval "exec $2>$1"
	for _ in {1..200}; do
		[ "$(beside "$first" | wc -l)" -lt "$1" ] || return 0
		kill -0 $pid
		sleep 0.02
	done
	return 1
}

# both FIRST FILES PROGRAM...: FIRST is the first file that the program opens, FILES all its outputs.
both() {
	local how victim a b f first=$1 files=$2
	shift 2
	"$@" <in.jsonl
	mkdir want && mv $files want
	for how in nolocks locks; do
		for victim in 1 2; do
			attempt 1 7 "$@"
			a=$pid
			head -n 3000 in.jsonl >&7
			attempt 2 8 "$@"
			b=$pid
			head -n 1000 in.jsonl >&8
			if [ $victim = 1 ]; then
				kill -KILL $a
				tail -n +1001 in.jsonl >&8
			else
				kill -KILL $b
				tail -n +3001 in.jsonl >&7
			fi
			exec 7>&- 8>&-
			if [ $victim = 1 ]; then wait $b; else wait $a; fi
			wait || true
			for f in $files; do cmp "want/$f" "$f"; done
			# The next program that writes there removes what the killed one left.
			"$@" <in.jsonl
			[ -z "$(find . -name '.*.lu-tmp')" ]
			rm 1 2 $files
		done
	done
	rm -r want
}

@test "one output: the attempt that lives gives all of it" {
	both out.jsonl.zst out.jsonl.zst lucie-normalize -q -j1 --text-field lang -o out.jsonl.zst
}

@test "a set of outputs is of one attempt" {
	both s.bin 's.bin s.idx s.json s.docs.jsonl.zst' lucie-shard -q -j1 --ids --vocab-size 1000 -o s
}

@test "a run of the trainer needs no locks either" {
	fixtures shards train.ini
	lucie-train -q -c train.ini -o want
	for how in nolocks locks; do
		LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT=$how lucie-train -q -c train.ini -o $how
		cmp want/latest/weights.safetensors $how/latest/weights.safetensors
	done
}
