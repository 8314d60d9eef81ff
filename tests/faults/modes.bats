#!/usr/bin/env bats
# Fault injection in every mode and step of tests/cli/modes.bash: an allocation or a call on a file fails,
# or the disk is full. The program then exits with status 2 after one line and leaves no file that is
# not whole, or it can do without and its output is complete. Some calls spread over all are tried, and
# the last ones, which put the outputs in place; FAULTS=all tries every call.
bats_require_minimum_version 1.5.0

load ../cli/modes
shopt -s extglob

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	kinds
	local row o
	while read -r row; do $row -q; done < <(for o in exact near count shard; do "${o}_steps" 2 0.jsonl 1.jsonl; done)
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

# rows: one of each step, and the modes that faults.bats does not have, with their outputs in the
# folder o.
rows() {
	local o row
	for o in exact near count shard; do "${o}_steps" 2 0.jsonl 1.jsonl; done | sort -su -k1,3 |
		sed -E 's,-o \S+,-o o/x,; s,--removed \S+,--removed o/log,'
	for row in "${modes[@]/%IN/0.jsonl 3.jsonl}"; do
		[[ $row != lucie-@(lang\ 0*|import\ pages|trace\ *|tok-encode\ *|tok-decode\ *|tok-eval\ *) ]] || continue
		[[ $row = *"-o o/"* || $row = *"--signatures o/"* ]] || ! takes "${row%% *}" output || [[ $row = *--dry-run* ]] || row+=" -o o/x"
		[[ $row != *@(targets.ini|a.signatures)* ]] || row=${row/0.jsonl 3.jsonl/a.jsonl}
		echo "$row"
	done
}

# with_fault KIND N WORD...: run the words; call N of the kind fails.
with_fault() {
	local kind=$1 n=$2
	shift 2
	fresh
	LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT=$kind INJECT_N=$n INJECT_COUNT=calls \
		"$@" >stdout 2>err </dev/null
}

# numbers KIND CALLS SEED: the calls to fail.
numbers() {
	local n step=$((($2 + 1) / 2)) last=2
	[ "$1" = files ] || last=0
	[ "${FAULTS-}" != all ] || step=1
	[ "$1" != full ] || { echo $(($2 * ($3 % 7) / 7)) $(($2 - 1)); return; }
	for ((n = 1 + $3 % step; n <= $2; n += step)); do echo $n; done
	for ((n = $2 - last + 1; n <= $2; n++)); do echo $n; done
}

# try KIND SEED WORD...: report what breaks the contract.
try() {
	local kind=$1 seed=$2 calls n status f said
	shift 2
	status=0
	# Bytes are counted only where there is a bound.
	with_fault $kind "$([ $kind = full ] && echo 1000000000 || echo 0)" "$@" || status=$?
	[ $status = 0 ] || { [ $status = 1 ] && [ "$1" = lucie-check ]; } || { echo "without a fault: $(cat err)"; return; }
	local good=$status
	rm -rf good && cp -R o good && cp stdout good.stdout
	calls=$(<calls)
	[ "$calls" -gt 0 ] || [ $kind = full ] || echo "no call"
	for n in $(numbers $kind "$calls" "$seed"); do
		[ "$n" -lt "$calls" ] || [ $kind != full ] || continue
		status=0
		with_fault $kind $n "$@" || status=$?
		if [ $status = $good ]; then
			diff -rq good o >/dev/null && cmp -s stdout good.stdout || echo "$kind $n of $calls: exit $good, other output"
			continue
		fi
		one_line && [ $status = 2 ] || echo "$kind $n of $calls: exit $status: $said"
		# What is there by then, since a later file or the sync of the folder failed, is complete.
		for f in o/* o/.[!.]*; do
			[ ! -e "$f" ] || cmp -s "$f" "good/${f#o/}" || echo "$kind $n of $calls: left $f"
		done
	done
}

# all KIND: try it on every row.
all() {
	local row words seed=0 options
	while read -r row; do
		read -ra words <<<"$row"
		options=-q
		! takes "${words[0]}" threads || options+=' -j 1'
		! takes "${words[0]}" memory || options+=" -m ${least[${words[0]}]-1}"
		seed=$((seed + 1))
		try "$1" $seed "${words[@]}" $options | sed "s|^|$row: |"
	done < <(rows | wanted) >said
	cat said
	[ ! -s said ]
}

@test "a failed allocation in every mode and step" { all memory; }

@test "a failed call on a file in every mode and step" { all files; }

@test "a full disk in every mode and step" { all full; }
