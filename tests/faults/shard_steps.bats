#!/usr/bin/env bats
# lucie-shard killed or failing at each rename, unlink and fsync, by strace. Not in tests/cli, since
# the leak checker of the sanitizers does not run under a tracer.
bats_require_minimum_version 1.5.0

load ../cli/fixtures

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# whole PREFIX: true if it is the old shard or the new one, or if nothing of it opens.
whole() {
	local idx
	if opens "$1"; then
		lucie-check "$1" || return 1
		cat "$1".bin "$1"-*.bin 2>/dev/null >is
		cmp -s is old.bin || cmp -s is new.bin || { echo "neither the old shard nor the new one"; return 1; }
		[ -e "$1.json" ] || cmp -s is old.bin || { echo "no manifest"; return 1; }
		return 0
	fi
	# Nor does a part open by itself.
	for idx in "$1"*.idx; do
		if [ -e "$idx" ] && opens "${idx%.idx}"; then
			echo "${idx%.idx} opens"
			return 1
		fi
	done
}

@test "after a kill at any rename, unlink or fsync there is the old shard, the new one or none" {
	command -v strace || skip "strace is not installed"
	strace -o /dev/null true 2>/dev/null || skip "strace is not allowed here"
	# Equal in all sizes: only the order of the steps keeps the two apart.
	for s in 1 2; do
		records 300 $s >$s.jsonl
		lucie-shard --ids --vocab-size 1000 -o $s $s.jsonl
	done
	mv 1.jsonl old.jsonl
	mv 1.bin old.bin
	mv 2.jsonl new.jsonl
	mv 2.bin new.bin
	split="--max-tokens 500"
	for change in plain:one one:one one:split split:one split:split; do
		for call in rename unlink fsync; do
			for ((n = 1; ; n++)); do
				rm -rf x && mkdir x
				was='' is=''
				[[ $change != split:* ]] || was=$split
				[[ $change != *:split ]] || is=$split
				# shellcheck disable=SC2086 # two words or none
				lucie-shard --ids --vocab-size 1000 $was -o x/s old.jsonl
				[[ $change != plain:* ]] || rm x/s.json x/s.docs.jsonl.zst
				status=0
				# shellcheck disable=SC2086 # two words or none
				strace -f -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$n \
					lucie-shard --ids --vocab-size 1000 $is -o x/s new.jsonl || status=$?
				whole x/s >/dev/null || { echo "$change, $call $n"; return 1; }
				[ $status != 0 ] || break
			done
			[ "$n" -gt 2 ]
			[ -e x/s.json ]
			cat x/s*.bin | cmp - new.bin
		done
	done
	# A run after a kill reuses the temporary files and leaves none behind.
	rm -rf x && mkdir x
	strace -f -o /dev/null -e trace=rename -e inject=rename:signal=KILL:when=3 \
		lucie-shard --ids --vocab-size 1000 --max-tokens 250 -o x/s new.jsonl || true
	[ -n "$(find x -name '.*.lu-tmp')" ]
	lucie-shard --ids --vocab-size 1000 --max-tokens 250 -o x/s new.jsonl
	lucie-check x/s
	[ -z "$(find x -name '.*.lu-tmp')" ]
}

@test "a failed rename or fsync exits 2 and leaves no file" {
	command -v strace || skip "strace is not installed"
	strace -o /dev/null true 2>/dev/null || skip "strace is not allowed here"
	records 300 2 >new.jsonl
	for call in rename fsync; do
		for ((n = 1; ; n++)); do
			rm -rf x && mkdir x
			status=0
			strace -f -o /dev/null -e trace=$call -e inject=$call:error=EIO:when=$n lucie-shard \
				--ids --vocab-size 1000 --max-tokens 500 -o x/s new.jsonl 2>err || status=$?
			[ $status != 0 ] || break
			[ $status = 2 ]
			[ "$(wc -l <err)" = 1 ]
			[ -z "$(ls -A x)" ]
		done
		# Two parts of three files each, and the manifest.
		[ "$n" -ge 8 ]
		lucie-check x/s
	done
}

# shards NAME SEED N: N shards of 30 documents, and the bytes of all in NAME.bin.
shards() {
	local i
	for ((i = 0; i < $3; i++)); do
		records 30 $(($2 + i)) | lucie-shard --ids --vocab-size 1000 -o "$1$i"
	done
	cat "$1"?.bin >"$1.bin"
}

@test "a merge killed or failing at any step leaves the old shard, the new one or none" {
	command -v strace || skip "strace is not installed"
	strace -o /dev/null true 2>/dev/null || skip "strace is not allowed here"
	shards old 1 3
	shards new 7 2
	for how in link:signal=KILL unlink:signal=KILL link:error=EIO; do
		for ((n = 1; ; n++)); do
			rm -rf x && mkdir x
			lucie-shard --merge -o x/s old0 old1 old2
			status=0
			strace -f -o /dev/null -e trace=${how%%:*} -e inject=$how:when=$n \
				lucie-shard --merge -o x/s new0 new1 2>err || status=$?
			whole x/s >/dev/null || { echo "$how, $n"; return 1; }
			[ $status != 0 ] || break
			[[ $how == *KILL ]] || { [ $status = 2 ] && [ "$(wc -l <err)" = 1 ]; }
			lucie-shard --merge -o x/s new0 new1
			cat x/s-*.bin | cmp - new.bin
			[ "$(ls -A x | wc -l)" = 7 ]
		done
		[ "$n" -ge 4 ]
	done
	lucie-check -q old0 old1 old2 new0 new1
}
