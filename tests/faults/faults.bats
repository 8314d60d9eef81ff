#!/usr/bin/env bats
# Fault injection: one allocation or system call fails, each in turn. A program then exits with
# status 2 after one line and leaves no file, or it can do without and its output is complete.
# FAULTS=all tries every call, otherwise the first 40 of each kind and 40 spread over the rest.
bats_require_minimum_version 1.5.0

load ../cli/contract

# with_fault KIND N PROGRAM: run it on its fixture, with -o dir/out/f; call N of the kind fails.
with_fault() {
	local cmd in
	in=$(fixture_of "$3")
	rm -rf dir && mkdir -p dir/out
	if writes_stdout "$3" && takes "$3" output; then
		command_of "$3" "$in" "" -q -o dir/out/f
	else
		command_of "$3" "$in" dir/out/f -q
	fi
	! takes "$3" threads || cmd+=(-j 1)
	timeout 60 env LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT="$1" INJECT_N="$2" \
		INJECT_COUNT=dir/calls "${cmd[@]}" >dir/stdout 2>dir/err </dev/null
}

# calls_to_fail CALLS: the numbers of the calls to try. Not in bash, since bats looks at each command of a
# loop, and there may be a million calls.
calls_to_fail() {
	awk -v calls="$1" -v all="${FAULTS-}" 'BEGIN {
		every = int((calls + 39) / 40)
		for (n = 1; n <= calls; n++)
			if (all == "all" || n <= 40 || n % every == 0)
				print n
	}'
}

# try KIND PROGRAM: fail one call after the other; report what breaks the contract.
try() {
	local kind=$1 p=$2 calls n status
	with_fault "$kind" 0 "$p" || { echo "without a fault: exit $?: $(cat dir/err)"; return; }
	rm -rf good && cp -R dir/out good && cp dir/stdout good.stdout
	calls=$(cat dir/calls)
	[ "$calls" -gt 0 ] || echo "no call was counted"
	for n in $(calls_to_fail "$calls"); do
		status=0
		with_fault "$kind" "$n" "$p" || status=$?
		if [ $status = 0 ]; then
			[ -s dir/stdout ] || [ -s good.stdout ] || {
				drop_times dir/out/f && drop_times good/f
				diff -rq good dir/out >/dev/null || echo "call $n of $calls: exit 0 with different output"
			}
			cmp -s dir/stdout good.stdout || echo "call $n of $calls: exit 0 with different standard output"
			continue
		fi
		[ $status = 2 ] || echo "call $n of $calls: exit $status: $(head -2 dir/err)"
		[ "$(wc -l <dir/err)" = 1 ] || echo "call $n of $calls: $(wc -l <dir/err) lines: $(head -3 dir/err)"
		leftover=$(find dir/out -name '*.lu-tmp')
		[ -z "$leftover" ] || echo "call $n of $calls: left $leftover"
	done
}

@test "a failed allocation exits 2 with one line, or does not matter" {
	check() { try memory "$1"; }
	each check
}

@test "a failed read, write, rename or close exits 2 with one line, or does not matter" {
	check() { try files "$1"; }
	each check
}
