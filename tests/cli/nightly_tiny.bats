#!/usr/bin/env bats
# pipelines/tiny in its full length: what each phase must have changed, and the same run killed twenty
# times at random. Half an hour, and the packages of the demonstration; `make check TESTS=nightly_tiny`.
bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	make --no-print-directory -f "$LUCIE_SRC/pipelines/tiny/Makefile" BIN= D=work report >log 2>&1 || {
		cat log
		return 1
	}
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

teardown() {
	[ -z "${pid-}" ] || { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
}

# value PHASE NAME: a member of the phase's line in the table, without quotes and sign of percent.
value() {
	grep "\"phase\":\"$1\"" work/eval/phases.jsonl | grep -o "\"$2\":\"\?[-+0-9.]*" | tr -d '"' | cut -d: -f2
}
# less A B: A < B
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 < b + 0) }' || { echo "$1 is not less than $2"; return 1; }; }

@test "every phase changes what it is judged by" {
	local phase
	cat work/eval/phases.jsonl
	for phase in main extension annealing sft dpo; do
		less "$(value $phase after)" "$(value $phase 'loss before')"
	done
	less "$(value main needles)" 50
	less 89 "$(value extension needles)"
	less 50 "$(value sft language)"
	less 50 "$(value sft password)"
	less "$(value dpo 'margin before')" "$(value dpo 'margin after')"
}

@test "killed twenty times, the run ends on the same bytes" {
	local i config=$LUCIE_SRC/pipelines/tiny/train.ini
	RANDOM=11
	for ((i = 0; i < 20; i++)); do
		(cd work && exec lucie-train -q -c "$config" --set checkpoint.every=20 -o ../killed) &
		pid=$!
		sleep $((RANDOM % 30 + 3))
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
	done
	pid=
	(cd work && lucie-train -q -c "$config" --set checkpoint.every=20 -o ../killed)
	diff <(grep -v '"set"' killed/metrics.jsonl | sort -u) <(grep -v '"set"' work/run/metrics.jsonl | sort -u)
	diff -r killed/latest/ work/run/latest/
}
