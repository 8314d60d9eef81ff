#!/usr/bin/env bats
# Instruction tuning, preference tuning and distillation: every layout trains like one process, a run that
# was stopped goes on with the reference that it began with, and what cannot be is one sentence.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

# talks N: conversations of several lengths; pairs N: a good and a bad answer each.
talks() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) {
		for (q = a = ""; length(q) <= i % 7;) { q = q "u"; a = a " yes" }
		printf "{\"messages\":[{\"role\":\"user\",\"content\":\"%s %d\"},", q, i
		printf "{\"role\":\"assistant\",\"content\":\"%d%s\"}]}\n", i * i, a } }'
}
pairs() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) {
		for (a = ""; length(a) <= 3 * (i % 5);) a = a " no"
		printf "{\"prompt\":\"is it %d?\",\"chosen\":\"%d yes\",", i, i
		printf "\"rejected\":\"%d%s\"}\n", i, a } }'
}

# What each objective sets besides base.ini.
sft=(--set data.train=chat --set data.rows=packed)
dpo=(--set data.train=pref --set data.rows=document --set train.objective=dpo --set train.beta=0.5)
kl=(--set data.train=shards/demo --set train.teacher=big --set train.teacher_weight=0.7)

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards b.jsonl
	cat >t.jinja <<-'END'
		{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}
	END
	talks 60 | lucie-shard --chat --chat-template t.jinja -t tokenizer.json -o chat -
	pairs 30 | lucie-shard --preference --chat-template t.jinja -t tokenizer.json -o pref -
	cat >base.ini <<-END
		$(sizes 3)
		[data]
		train = shards/demo
		tokenizer = tokenizer.json
		[train]
		steps = 12
		context = 32
		micro_batch = 2
		global_batch = 8
		lanes = 4
		lr = 3e-3
		warmup = 16
		clip = 2
		eps = 1e-3
		[parallel]
		hash_every = 5
		[checkpoint]
		every = 0
	END
	lucie-train -q -c base.ini --set train.steps=30 --set train.seed=3 -o big
	lucie-eval big --teacher 12 --name big --context 32 shards/demo >said
	lucie-train -q -c base.ini "${sft[@]}" -o sft
	lucie-train -q -c base.ini "${dpo[@]}" -o dpo
	lucie-train -q -c base.ini "${kl[@]}" -o kl
	mv pref.logp-* kept
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run pref.logp-*
}

teardown() { kill_ranks; }

# number RUN STEP MEMBER: of the line of a step.
number() {
	grep "^{\"step\":$2,\"phase\"" "$1/metrics.jsonl" | sed "s/.*\"$3\":\([-0-9.e]*\).*/\1/"
}

# same NAME N KEY=VALUE...: N ranks with these settings end with the bits of the run NAME.
same() {
	local name=$1 n=$2 s set=()
	local -n objective=$1
	shift 2
	for s; do set+=(--set "$s"); done
	rm -rf run pref.logp-*
	ranks "$n" -q -c base.ini "${objective[@]}" "${set[@]}" -o run && same_run "$name" run
}

@test "the objectives do what the tests need" {
	# Loss ln 2 and margin 0 before the first update, then they move.
	[[ "$(number dpo 1 loss)" == 0.693147180559945* ]]
	[ "$(number dpo 1 margin)" = 0.0 ]
	[ "$(number dpo 1 accuracy)" = 0.0 ]
	awk -v a="$(number dpo 12 margin)" -v b="$(number dpo 12 accuracy)" 'BEGIN {
		exit !(a > 0.1 && b > 0.5) }'
	for run in sft kl; do
		awk -v a="$(number $run 1 loss)" -v b="$(number $run 12 loss)" 'BEGIN {
			exit !(b < a - 0.2) }'
	done
	# Some tokens are no targets.
	[ "$(number sft 1 targets)" -lt "$(number sft 1 tokens)" ]
	grep -q 'windows of 32 tokens that begin every 16: 16 or more tokens before each' said
}

@test "data parallelism and pipelines have the bits of one process" {
	for name in sft dpo kl; do
		same $name 2
		same $name 2 parallel.pp=2
		same $name 4 parallel.pp=2 parallel.zero=0 parallel.recompute=layer
	done
	same dpo 4
	# The reference is computed by all, with the same bits.
	cmp kept pref.logp-*
	# Weights in bf16 have one name, wherever those in fp32 are.
	local half=("${dpo[@]}" --set train.dtype=bf16 --set train.warmup=0 --set train.steps=1)
	rm -rf run pref.logp-*
	lucie-train -q -c base.ini "${half[@]}" -o run
	rm -rf run
	ranks 2 -q -c base.ini "${half[@]}" -o run
	[ "$(compgen -G 'pref.logp-*' | wc -l)" = 1 ]
	run ! cmp -s kept pref.logp-*
}

@test "tensor parallelism differs by rounding alone" {
	for name in sft dpo kl; do
		local -n objective=$name
		rm -rf run pref.logp-*
		ranks 2 -q -c base.ini "${objective[@]}" --set parallel.tp=2 \
			--set parallel.sequence=yes -o run
		run ! same_run $name run
		# Rewards are differences, and small: what is relative to them says little.
		rm -rf bare && cp -R $name bare
		sed -i 's/"margin":.*"rejected":[^,]*,//' bare/metrics.jsonl run/metrics.jsonl
		near bare run 1e-6
	done
}

@test "a run goes on with the reference of its beginning" {
	lucie-train -q -c base.ini "${dpo[@]}" --set checkpoint.every=5 -o run
	rm -rf run/step-00000012 && ln -sfn step-00000010 run/latest
	lucie-train -q -c base.ini "${dpo[@]}" --set checkpoint.every=5 -o run
	diff <(steps dpo) <(steps run)
	cmp dpo/latest/weights.safetensors run/latest/weights.safetensors
	grep -q "\"reference\":\"$(basename pref.logp-* | cut -d- -f2)\"" run/step-*/manifest.json
	# Without it there is no way to go on.
	rm -rf run/step-00000012 pref.logp-* && ln -sfn step-00000010 run/latest
	run -2 lucie-train -q -c base.ini "${dpo[@]}" --set checkpoint.every=5 -o run
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"pref.logp-"*" is missing, the reference that this phase began with"* ]]
	# Another run with the same weights reads what is there.
	cp kept "pref.logp-$(grep -ho '"reference":"[0-9a-f]*' run/step-*/manifest.json | head -1 |
		cut -d'"' -f4)"
	rm -rf run
	lucie-train -c base.ini "${dpo[@]}" -o run 2>said
	run ! grep -q 'reference logp-.*: log p of' said
	same_run dpo run
}

@test "the reference is kept in the run where the shards' folder cannot be written to" {
	# Root writes everywhere.
	[ "$(id -u)" != 0 ] || return 0
	mkdir locked && cp pref.* locked && chmod a-w locked
	lucie-train -c base.ini "${dpo[@]}" --set data.train=locked/pref -o run 2>said
	chmod u+w locked
	compgen -G "run/0-pref.logp-*"
	grep -q 'locked/pref cannot be written to' said
}

@test "a damaged reference is refused" {
	lucie-train -q -c base.ini "${dpo[@]}" -o run
	printf x | dd of="$(echo pref.logp-*)" bs=1 seek=100 conv=notrunc status=none
	rm -rf run
	run -2 lucie-train -q -c base.ini "${dpo[@]}" -o run
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"pref.logp-"*": damaged: its checksum differs; remove it" ]]
}

@test "a model that is its own teacher has nothing to learn" {
	lucie-eval big --teacher 64 --name self --context 32 shards/demo >/dev/null
	lucie-train -q -c base.ini --set train.init=big/latest --set data.rows=document \
		--set train.teacher=self --set train.steps=1 --set train.warmup=0 -o run
	awk -v a="$(number run 1 loss)" -v b="$(number run 1 norm)" 'BEGIN {
		exit !(a < 1e-5 && a > -1e-5 && b < 1e-4) }'
	# In short windows it sees less, and says nearly the same: rows that are off by one token are ten times
	# as far.
	rm -rf run
	lucie-eval big --teacher 64 --name self --context 8 shards/demo >/dev/null
	lucie-train -q -c base.ini --set train.init=big/latest --set data.rows=document \
		--set train.teacher=self --set train.steps=1 --set train.warmup=0 -o run
	awk -v a="$(number run 1 loss)" 'BEGIN { exit !(a > 1e-9 && a < 1e-5) }'
	# Whatever is computed at once, the rows are the same.
	lucie-eval big --teacher 64 --name self --context 32 shards/demo >/dev/null
	lucie-eval big --teacher 64 --name other --batch 3 --context 32 shards/demo >/dev/null
	cmp shards/demo.self.teacher shards/demo.other.teacher
}

@test "a step without a target is said and updates nothing" {
	# Rows end before the answers.
	lucie-train -c base.ini --set data.train=chat --set data.rows=document \
		--set train.context=4 --set train.steps=2 -o run 2>said
	[ "$(grep -c 'no token of its 8 samples is a target of training' said)" = 2 ]
	[ "$(number run 2 loss)" = 0.0 ]
	[ "$(number run 2 norm)" = 0.0 ]
}

# refused TEXT KEY=VALUE...: one sentence.
refused() {
	local text=$1 s set=()
	shift
	for s; do set+=(--set "$s"); done
	run -2 lucie-train -q -c base.ini "${set[@]}" -o run
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == *"$text"* ]]
	[ ! -e run ]
}

@test "what cannot be is one sentence" {
	refused 'train.objective = dpo needs shards of preferences' train.objective=dpo
	refused 'the shards hold preferences' data.train=pref data.rows=document
	refused 'train.micro_batch = 1 is odd' train.objective=dpo train.micro_batch=1
	refused 'train.beta has no effect without train.objective = dpo' train.beta=1
	# A weight of 0 is not the default.
	refused 'train.beta = 0 would' train.objective=dpo train.beta=0
	refused 'train.teacher_weight has no effect' train.teacher_weight=0
	refused 'train.teacher has no effect with train.teacher_weight = 0' train.teacher=big \
		train.teacher_weight=0
	refused 'train.length_normalized has no effect' train.length_normalized=yes
	refused 'train.teacher_weight has no effect without train.teacher' train.teacher_weight=0.5
	refused 'train.teacher has no effect with train.objective = dpo' train.objective=dpo \
		train.teacher=big
	refused 'shards/demo.small.teacher: there is no such file' train.teacher=small
	cp shards/demo.big.teacher shards/demo.alien.teacher
	printf 0123456789abcdef | dd of=shards/demo.alien.teacher bs=1 seek=40 conv=notrunc \
		status=none
	refused 'its teacher has the tokenizer 0123456789abcdef' train.teacher=alien
	rm shards/demo.alien.teacher
	run -2 lucie-eval big --teacher 65 shards/demo
	[[ "$output" == *"--teacher 65 is not one of 1 to 64" ]]
	run -2 lucie-eval big --teacher 0 shards/demo
	[[ "$output" == *"--teacher 0 is not one of 1 to 64" ]]
	run -2 lucie-eval big --teacher 4 --rejects r shards/demo
	[[ "${lines[0]}" == *"--teacher takes shards, and measures nothing" ]]
	run lucie-eval big --name x shards/demo
	[ "$status" != 0 ]
	[[ "${lines[0]}" == *"--name is for --teacher" ]]
}

@test "a shard that is made again with other answers is not compared with the old ones" {
	pairs 8 >pairs.jsonl
	again() {
		lucie-shard --preference --chat-template t.jinja -t tokenizer.json -o remade "$1"
		rm -rf run
		lucie-train -q -c base.ini "${dpo[@]}" --set data.train=remade --set train.steps=1 --set train.warmup=0 -o run
	}
	again pairs.jsonl
	sed 's/ yes/ indeed/' pairs.jsonl >others.jsonl
	run -2 again others.jsonl
	[[ "$output" == *"remade.logp-"*": is of the shard before it was made again with other tokens; remove it" ]]
	rm remade.logp-*
	again others.jsonl
	[[ "$(number run 1 margin)" = 0.0 ]]
	rm -r remade.* run
}

@test "a teacher's file is of the tokens that it read" {
	tac b.jsonl >c.jsonl
	lucie-shard -t tokenizer.json -o remade b.jsonl
	lucie-eval -q big --teacher 2 --name t --context 32 remade
	lucie-train -q -c base.ini --set data.train=remade --set train.teacher=t \
		--set train.steps=1 --set train.warmup=0 -o run
	lucie-shard -t tokenizer.json -o remade c.jsonl
	rm -r run
	refused 'remade.t.teacher: is of the shard before it was made again' data.train=remade \
		train.teacher=t
	rm remade.*
}

@test "lucie-check reads what a teacher has said" {
	lucie-check shards/demo
	cp shards/demo.big.teacher shards/demo.hurt.teacher
	printf '\377' | dd of=shards/demo.hurt.teacher bs=1 seek=3000 conv=notrunc status=none
	run -1 lucie-check shards/demo
	[[ "$output" == *"shards/demo.hurt.teacher: damaged: "* ]]
	rm shards/demo.hurt.teacher
}
