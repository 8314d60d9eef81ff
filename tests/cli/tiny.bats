#!/usr/bin/env bats
# pipelines/tiny on a few documents and in a few steps: its five phases, the table and the page; and the
# same run killed again and again.
bats_require_minimum_version 1.5.0

setup_file() {
	[ "$LUCIE_CONFIG" = release ] || return 0
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 tiny=$LUCIE_SRC/pipelines/tiny
	cd "$BATS_FILE_TMPDIR" || return 1
	# Documents of ten lines each, from the sentences of the fixtures in the same language.
	cat >lines.awk <<-'AWK'
		{
			lang = member($0, "lang")
			n = split(member($0, "text"), s, /[.] /)
			for (i = 1; i < n; i++) line[lang, count[lang]++] = s[i] "."
		}
		END {
			split("fr en de es it", code, " ")
			for (d = 0; d < 120; d++) {
				lang = code[1 + d % 5]
				text = ""
				for (i = 0; i < 10; i++) text = text line[lang, random(count[lang])] "\\n"
				printf "{\"text\":\"%s\",\"lang\":\"%s\",\"source\":\"maint-guide\",\"license\":\"CC0-1.0\"}\n", text, lang
			}
		}
	AWK
	awk -f "$tiny/record.awk" -f lines.awk -v seed=1 "$LUCIE_SRC"/tests/data/[ab].jsonl >near.jsonl
	sed -E 's/^preset = .*/preset = tiny/; s/context = 1024/context = 128/; s/context = 256/context = 64/
		s/steps = .*/steps = 6/; s/warmup = .*/warmup = 8/; s/@ [0-9]+ (.*) @ [0-9]+/@ 8 \1 @ 16/
		s/valid_samples = .*/valid_samples = 4/; s/every = .*/every = 4/' "$tiny/train.ini" >train.ini
	build report >log 2>&1 || { cat log; return 1; }
}

setup() {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	cd "$BATS_FILE_TMPDIR" || return 1
}

teardown() {
	[ -z "${pid-}" ] || { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
}

build() {
	make --no-print-directory -f "$tiny/Makefile" BIN= NEAR=near.jsonl D=work TRAIN_CONFIG=train.ini HOLD=6 \
		VOCABULARY=600 ECHOES=300 APART=60 CONTEXT=128 "$@"
}

@test "five phases, a table of what each has changed, a page" {
	grep -o '"phase":"[a-z]*"' work/eval/phases.jsonl | cut -d'"' -f4 | paste -sd' ' >phases
	[ "$(cat phases)" = 'main extension annealing sft dpo' ]
	grep -q '^{"phase":"dpo",.*"judged by":"pairs","loss before":0.69.*"margin before":"[-+]' work/eval/phases.jsonl
	run ! grep -q ': *[,}]\|nan' work/eval/phases.jsonl
	grep -q '^dpo .* -> ' log
	grep -q 'dpo' work/report.html
	run -0 build -q report
}

@test "killed again and again, the run ends on the same bytes" {
	local i rc kills=0
	RANDOM=5
	for ((i = 0; i < 12; i++)); do
		(cd work && exec lucie-train -q -c ../train.ini --set checkpoint.every=1 -o ../killed) &
		pid=$!
		sleep "0.$((RANDOM % 25 + 10))"
		kill -KILL "$pid" 2>/dev/null || true
		rc=0
		wait "$pid" || rc=$?
		[ $rc = 0 ] || { [ $rc = 137 ] && kills=$((kills + 1)); }
	done
	pid=
	[ $kills -gt 0 ]
	(cd work && lucie-train -q -c ../train.ini --set checkpoint.every=1 -o ../killed)
	diff <(grep -v '"set"' killed/metrics.jsonl | sort -u) <(grep -v '"set"' work/run/metrics.jsonl | sort -u)
	diff -r killed/latest/ work/run/latest/
}
