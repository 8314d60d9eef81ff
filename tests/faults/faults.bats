#!/usr/bin/env bats
# One allocation or one system call fails, each in turn: a program says so in one line, exits with
# status 2 and leaves no file, or it did not need it and the output is whole.
# FAULTS=all tries every call; otherwise the first 40 of each kind and then 40 spread over the rest.
bats_require_minimum_version 1.5.0

load ../cli/contract

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	contract_data
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	broken=() through=() tried=0
}

# with_fault KIND N PROGRAM: runs it on its fixture with -o dir/out/f.
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

places() {
	local calls=$1 n
	for ((n = 1; n <= calls; n++)); do
		if [ "${FAULTS-}" = all ] || [ "$n" -le 40 ] || [ $((n % ((calls + 39) / 40))) = 0 ]; then
			echo "$n"
		fi
	done
}

try() {
	local kind=$1 p=$2 calls n status
	with_fault "$kind" 0 "$p" || { echo "without a fault: exit $?: $(cat dir/err)"; return; }
	rm -rf good && cp -R dir/out good && cp dir/stdout good.stdout
	calls=$(cat dir/calls)
	[ "$calls" -gt 0 ] || echo "no call is counted"
	for n in $(places "$calls"); do
		status=0
		with_fault "$kind" "$n" "$p" || status=$?
		if [ $status = 0 ]; then
			[ -s dir/stdout ] || [ -s good.stdout ] || {
				settle_times dir/out/f && settle_times good/f
				diff -rq good dir/out >/dev/null || echo "call $n of $calls: exit 0, other output"
			}
			cmp -s dir/stdout good.stdout || echo "call $n of $calls: exit 0, other standard output"
			continue
		fi
		[ $status = 2 ] || echo "call $n of $calls: exit $status: $(head -2 dir/err)"
		[ "$(wc -l <dir/err)" = 1 ] || echo "call $n of $calls: $(wc -l <dir/err) lines: $(head -3 dir/err)"
		leftover=$(find dir/out -name '*.lu-tmp')
		[ -z "$leftover" ] || echo "call $n of $calls: left $leftover"
	done
}

@test "each allocation" {
	check() { try memory "$1"; }
	each check
}

@test "each read, write, rename and close" {
	check() { try files "$1"; }
	each check
}
