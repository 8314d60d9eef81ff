#!/usr/bin/env bats
# Fault injection on office documents: an allocation or a call on a file fails, each in turn. The program
# exits with status 2 after one line, or its output is complete: no part of a document is lost in silence.
bats_require_minimum_version 1.5.0

load ../cli/contract

@test "office documents: a failed call exits 2 with one line, or does not matter" {
	mkdir in
	cp "$LUCIE_SRC"/tests/data/office/{word.docx,pandoc.odt,book.epub,page.pdf} in
	import() {
		env LD_PRELOAD="$LUCIE_BUILD/tests/faults/inject.so" INJECT="$1" INJECT_N="$2" INJECT_COUNT=calls \
			timeout 60 lucie-import -q -j1 -o "$3" in 2>err
	}
	for kind in memory files; do
		import $kind 0 good
		n=$(cat calls)
		every=1
		[ "${FAULTS-}" = all ] || every=$((n / 30 + 1))
		for ((i = 1; i <= n; i += every)); do
			rm -f got
			status=0
			import $kind "$i" got || status=$?
			if [ $status = 0 ]; then
				cmp got good || { echo "$kind $i of $n: another output" && false; }
			else
				[ $status = 2 ] && [ "$(wc -l <err)" = 1 ] || { echo "$kind $i of $n: $status: $(cat err)" && false; }
				[ ! -e got ] || { echo "$kind $i of $n: leaves a file" && false; }
			fi
		done
	done
}
