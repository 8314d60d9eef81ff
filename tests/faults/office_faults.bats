#!/usr/bin/env bats
# Fault injection on documents and files of many documents: an allocation or a call on a file fails, each
# in turn. The program exits with status 2 after one line, or its output is complete: nothing is lost in
# silence.
bats_require_minimum_version 1.5.0

load ../cli/contract

# import KIND N OUTPUT OPERAND...: call N of the kind fails. The time limit is outside, where it counts
# no calls of its own.
import() {
	timeout 60 env LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT="$1" INJECT_N="$2" \
		INJECT_COUNT=calls lucie-import -q -j1 -o "${@:3}" 2>err
}

# sweep KIND TRIES OPERAND...
sweep() {
	local kind=$1 tries=$2 n every=1 i status
	shift 2
	import "$kind" 0 good "$@"
	n=$(cat calls)
	[ "$n" -gt 0 ] || { echo "no call was counted" && false; }
	[ "${FAULTS-}" = all ] || every=$((n / tries + 1))
	for ((i = 1; i <= n; i += every)); do
		rm -f got
		status=0
		import "$kind" "$i" got "$@" || status=$?
		if [ $status = 0 ]; then
			cmp got good || { echo "$kind $i of $n: another output" && false; }
		else
			[ $status = 2 ] && [ "$(wc -l <err)" = 1 ] || { echo "$kind $i of $n: $status: $(cat err)" && false; }
			# It is whole if what failed is behind its last rename.
			[ ! -e got ] || cmp got good || { echo "$kind $i of $n: leaves a part" && false; }
		fi
	done
}

@test "office documents: a failed call exits 2 with one line, or does not matter" {
	mkdir in
	cp "$LUCIE_SRC"/tests/data/office/{word.docx,pandoc.odt,book.epub,page.pdf} in
	sweep memory 12 in
	sweep files 12 in
}

@test "want of memory is no damage that --max-bad accepts" {
	tar -czf in.tgz -C "$LUCIE_SRC/tests/data/tables" rows.csv lines.jsonl mail.mbox
	sweep memory 40 --max-bad 9 in.tgz
}
