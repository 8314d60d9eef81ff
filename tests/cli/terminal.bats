#!/usr/bin/env bats
# What is drawn on a terminal: script(1) gives the programs one.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	# slow: documents that take longer than the second after which progress is shown.
	cat >slow <<-'END'
		for i in 1 2 3 4; do
			yes '{"text":"These are some words of a text that is long enough to be one."}' | head -n 20000
			sleep 0.4
		done
	END
}

# on_terminal COLUMNS COMMANDS: run the shell commands on a terminal; what it showed is in the file
# screen, a line for each time that a line was begun or rewritten.
on_terminal() {
	TERM=xterm script -qec "stty cols $1; bash -c $(printf %q "$2")" typescript </dev/null >/dev/null
	tr '\r' '\n' <typescript | sed 's/\x1b\[K//g' >screen
}

# drawn PROGRAM COMMANDS: progress is shown, by this program of the pipeline alone; "": by none.
drawn() {
	local by
	on_terminal 100 "$2"
	by=$(grep -aoE '^lucie-[a-z-]+: [0-9.]+ MB' screen | cut -d: -f1 | sort -u | tr '\n' ' ')
	[ "$by" = "${1:+$1 }" ] || { echo "'$2': progress by '$by'" && return 1; }
}

@test "in a pipe one program owns the progress line, the last of the toolkit" {
	drawn lucie-lang 'bash slow | lucie-normalize | lucie-lang -o out'
	drawn lucie-lang 'bash slow | lucie-normalize | lucie-lang >out'
	drawn lucie-lang 'bash slow | lucie-normalize | tee copy | lucie-lang | zstd -q >out'
	drawn lucie-normalize 'bash slow | lucie-normalize | zstd -q >/dev/null'
	drawn lucie-check 'bash slow | lucie-normalize | lucie-check -'
}

@test "progress is not shown where it would be among the data, nor with -q" {
	drawn '' 'bash slow | lucie-normalize'
	drawn '' 'bash slow | lucie-normalize | lucie-lang | tail -n 1'
	drawn '' 'bash slow | lucie-normalize -q -o out'
	drawn '' 'bash slow | lucie-normalize --progress never -o out'
}

@test "the progress line fits the terminal" {
	local columns
	for columns in 40 20; do
		on_terminal $columns 'bash slow | lucie-normalize -o out'
		# The summary at the end has words of its own.
		grep -aE '^lucie-normalize: [0-9]+(\.|$)' screen >lines
		run ! grep -E ".{$columns}" lines
	done
}
