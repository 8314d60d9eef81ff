#!/usr/bin/env bats
# Phases: another layout in each, in the same processes or in another number of them; a phase alone and up to
# one; the optimizer kept or reset; and steps that are left out.
# shellcheck disable=SC2034,SC2154 # pid, rc and with are shared with ranks.bash
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

# layouts NAME LAYOUT...: base.ini with a layout for each phase, as NAME.ini
layouts() {
	local name=$1 phase=1 line
	shift
	while IFS= read -r line; do
		if [[ $line = "[phase "* ]]; then
			echo "$line"
			printf '%s\n' ${!phase} | sed '/./s/^/parallel./'
			phase=$((phase + 1))
		else
			echo "$line"
		fi
	done <base.ini >"$name.ini"
}

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards
	cat >base.ini <<-END
		$(sizes 4)
		[data]
		train = shards/demo
		valid = shards/demo
		tokenizer = tokenizer.json
		[train]
		context = 16
		micro_batch = 1
		global_batch = 4
		lanes = 4
		valid_samples = 3
		lr = 3e-3
		eps = 1e-2
		[parallel]
		deadline = 60
		[checkpoint]
		every = 3
		[phase one]
		train.steps = 7
		[phase two]
		train.steps = 6
		train.context = 24
		model.rope_theta = 50000
		model.rope_scaling = llama3
		model.rope_factor = 4
		model.rope_original = 16
		[phase three]
		train.steps = 5
		train.reset_optimizer = yes
		train.schedule = wsd
		train.cooldown = 8
		train.decay_type = 1-sqrt
		train.spike = 1000
	END
	lucie-train -q -c base.ini -o whole
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run run.out err.* new
}

teardown() { kill_ranks; }

# stops N ARG...: N ranks end with 75; what rank 0 says last is in $output
stops() {
	start "$@"
	finish || true
	[ "$(printf '%s\n' "${rc[@]}" | sort -u)" = 75 ] || { echo "${rc[@]}" && said && return 1; }
	output=$(tail -n1 err.0)
}

@test "four ranks change their layout from phase to phase, and have the bits of one process" {
	layouts a 'dp=4' 'pp=2 interleave=2 zero=0' 'pp=4 stages=1_1_1_1 recompute=layer'
	sed -i 's/^parallel.stages=.*/parallel.stages = 1 1 1 1/' a.ini
	ranks 4 -q -c a.ini --set checkpoint.keep=0 -o run
	same_run whole run
	# Each checkpoint knows its phase and by which layout it was written.
	grep -q '"phase":2,"phase_name":"three",.*"phase_end":true' run/latest/manifest.json
	grep -q '"layout":{"dp":1,"tp":1,"pp":4,' run/latest/manifest.json
	grep -q '"phase_name":"two",.*"phase_end":true' run/step-00000013/manifest.json
	grep -q '"layout":{"dp":2,"tp":1,"pp":2,"zero":0,' run/step-00000013/manifest.json
	grep -q '"layout":{"dp":4,"tp":1,"pp":1,"zero":1,' run/step-00000006/manifest.json
	run ! grep phase_end run/step-0000000[36]/manifest.json run/step-00000009/manifest.json
	run ! compgen -G 'run/.step*'
}

@test "tensor parallelism may change too, to rounding" {
	layouts tp 'tp=2' 'tp=1' 'tp=2 pp=2 sequence=yes'
	ranks 4 -q -c tp.ini -o run
	near whole run 1e-6 && export_run run && export_run whole && near_weights whole.out run.out 1e-6
}

@test "killed around the ends of phases, a run that changes its layout has the same bits" {
	local i killed=0
	RANDOM=7
	layouts k 'dp=2' 'pp=2' 'dp=2 zero=0'
	for ((i = 0; killed < 5 && i < 40; i++)); do
		start 2 -q -c k.ini -o run
		# A phase ends after steps 7 and 13; start and end take some hundredths of a second.
		sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
		if kill -KILL "${pid[@]}" 2>/dev/null; then
			killed=$((killed + 1))
			finish || true
		else
			finish || grep -q 'the run is complete' err.0
			same_run whole run
			rm -rf run
		fi
	done
	ranks 2 -c k.ini -o run
	same_run whole run
}

@test "where a phase needs another number of ranks, the run stops and says how many" {
	layouts n 'dp=2' 'dp=0 pp=4' 'dp=1'
	stops 2 -c n.ini -o run
	grep -q 'phase two needs a multiple of 4 ranks: the run will stop before it' err.0
	[[ "$output" == "lucie-train: stopped after phase one: checkpoint run/step-00000007 written; phase two needs a multiple of 4 ranks: start the same command with so many" ]]
	# Neither that number nor another is taken now, and nothing changes.
	cp -R run before
	start 2 -q -c n.ini -o run
	finish || true
	[ "${rc[*]}" = '2 2' ]
	[ "$(said)" = "lucie-train: phase two: parallel.tp 1 x pp 4 = 4 does not divide the number of ranks: 2 processes were started, start a multiple of 4" ]
	diff -r before run
	stops 4 -q -c n.ini -o run
	start 4 -q -c n.ini -o run
	finish || true
	[ "$(said)" = "lucie-train: phase three: parallel.tp 1 x pp 1 x dp 1 = 1 ranks, but 4 processes were started: start 1, or set parallel.dp to 4" ]
	ranks 1 -q -c n.ini -o run
	same_run whole run
}

@test "a layout of a later phase that nothing can train is refused before the first" {
	layouts bad 'dp=1' 'tp=3' 'dp=1'
	run -2 lucie-train -q -c bad.ini -o new
	[[ "$output" == *"phase two: "*"parallel.tp"* ]]
	layouts bad 'dp=1' 'pp=2 stages=9' 'dp=1'
	run -2 lucie-train -q -c bad.ini -o new
	[[ "$output" == *"phase two: "*"stages"* ]]
	[ ! -e new ]
}

@test "--until stops after a phase, and the command without it goes on" {
	run -0 lucie-train -c base.ini --until two -o run
	[[ "$output" == *"phase two is complete; the command without --until goes on with phase three" ]]
	[ "$(readlink run/latest)" = step-00000013 ]
	run -0 lucie-train -c base.ini --until one -o run
	[ "$(readlink run/latest)" = step-00000013 ]
	run -2 lucie-train -c base.ini --until four -o run
	[[ "$output" == "lucie-train: --until: unknown phase 'four' (known: one, two, three)" ]]
	lucie-train -q -c base.ini -o run
	same_run whole run
}

@test "phases added to a run, complete or stopped, give the bytes of a run that had them from the start" {
	sed '/^\[phase two\]/,$d' base.ini >first.ini
	sed '/^\[phase three\]/,$d' base.ini >second.ini
	lucie-train -q -c first.ini -o run
	run -0 lucie-train -c second.ini -o run
	[[ "${lines[0]}" == "lucie-train: phase two is added to the run, behind one" ]]
	[[ "$output" == *"phase two: steps 8 to 13, samples of 24 tokens"* ]]
	ranks 2 -q -c base.ini -o run
	same_run whole run
	diff whole/config.ini run/config.ini
	# What is added stays, and nothing else is taken.
	run -2 lucie-train -c second.ini -o run
	[[ "$output" == *"config.ini: phase 'three' is in the run and not here (phases can be added behind"* ]]
	sed 's/^.phase two/[phase other/' base.ini >other.ini
	run -2 lucie-train -c other.ini -o run
	[[ "$output" == *"phase 2 is 'two' in the run and 'other' now (phases can be added behind"* ]]
	diff whole/config.ini run/config.ini
}

# The weights of a run as they are at the end.
weights() { export_run "$1" && sha256sum <"$1.out/model.safetensors"; }

@test "a phase alone starts from the weights that it is given, with and without the optimizer before" {
	local reset want
	run -2 lucie-train -q -c base.ini --phase two -o new
	[[ "$output" == "lucie-train: --phase two: it is not the first phase: give the weights that it starts from, --set train.init=DIR" ]]
	[ ! -e new ]
	rm -rf one reset.* alone
	lucie-train -q -c base.ini --phase one -o one
	for reset in no yes; do
		lucie-train -q -c base.ini --until two --set phase.two.train.reset_optimizer=$reset \
			-o reset.$reset
	done
	lucie-train -q -c base.ini --phase two --set train.init=one/latest -o alone
	# Weights alone have no moments: it is as if they had been reset.
	[ "$(weights alone)" = "$(weights reset.yes)" ]
	[ "$(weights alone)" != "$(weights reset.no)" ]
	grep -q '"updates":13,' reset.no/latest/manifest.json
	grep -q '"updates":6,' reset.yes/latest/manifest.json
	# Positions are scaled as the phase says, and the checkpoint says so.
	grep -q '"rope_scaling":"llama3","rope_factor":4.0,"rope_low":1.0,"rope_high":4.0,"rope_original":16,' \
		alone/latest/manifest.json
	lucie-train -q -c base.ini --phase two --set train.init=one/latest \
		--set phase.two.model.rope_factor=2 -o new
	run ! diff -q <(steps alone) <(steps new)
	# The run has this one phase from now on.
	[ "$(grep -c '^\[phase' alone/config.ini)" = 1 ]
	lucie-train -o alone
}

@test "the optimizer is kept or reset over a change of layout alike" {
	local reset
	layouts o 'dp=2' 'pp=2' 'dp=2'
	for reset in no yes; do
		rm -rf run
		ranks 2 -q -c o.ini --until two --set phase.two.train.reset_optimizer=$reset -o run
		[ -e reset.$reset ] || lucie-train -q -c base.ini --until two \
			--set phase.two.train.reset_optimizer=$reset -o reset.$reset
		same_run reset.$reset run
		cmp run/latest/adam-v.safetensors reset.$reset/latest/adam-v.safetensors
	done
}

# skips RUN FACTOR: the steps of the run that the rule leaves out, by its norms, are those that it left out.
skips() {
	python3 - "$@" <<-'END'
		import json, statistics, sys
		steps = {}
		for line in open(sys.argv[1] + "/metrics.jsonl"):
		    x = json.loads(line)
		    if "batch" in x:
		        steps[x["step"]] = x
		norms, left_out, n = [], 0, 0
		for i in sorted(steps):
		    x = steps[i]
		    limit = float(sys.argv[2]) * statistics.median(norms[-128:]) if len(norms) >= 32 else None
		    assert x.get("skipped", False) == (limit is not None and x["norm"] > limit), (x, limit)
		    left_out += x.get("skipped", False)
		    norms.append(x["norm"])
		    n += 1
		print("#", left_out, "of", n)
		assert 2 < left_out < n / 2
	END
}

@test "a step whose norm is a spike is left out, whatever the layout and after a kill" {
	local set=(--phase one --set phase.one.train.steps=120 --set phase.one.train.spike=1.15
		--set data.valid= --set checkpoint.every=20)
	rm -rf spikes
	lucie-train -c base.ini "${set[@]}" -o spikes 2>said
	skips spikes 1.15
	grep -q 'step [0-9]*: the norm [0-9.]* is more than 1.15 times the median [0-9.]* of the steps before: its update is left out' said
	# Steps count, updates do not.
	[ "$(grep -c skipped spikes/metrics.jsonl)" = \
		$((120 - $(sed -n 's/.*"updates":\([0-9]*\),.*/\1/p' spikes/latest/manifest.json))) ]
	start 2 -q -c base.ini "${set[@]}" --set parallel.pp=2 -o run
	until grep -qs '^{"step":70,' run/metrics.jsonl; do sleep 0.01; done
	kill -KILL "${pid[@]}"
	finish || true
	ranks 4 -q -c base.ini "${set[@]}" --set parallel.pp=1 -o run
	same_run spikes run
}
