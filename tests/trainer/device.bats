#!/usr/bin/env bats
# Training on GPUs, by the emulated one and fake_nccl.c in place of NCCL: close to the CPU on one rank and
# on two, the same bits where they are promised, and one sentence where it cannot be.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks
load devices

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	device_setup
	lucie-train -q -c base.ini --set train.device=cpu -o cpu
	lucie-train -q -c base.ini --set train.device=cpu --set train.dtype=bf16 -o cpu16
	emulated lucie-train -q -c base.ini --set train.dtype=fp32 -o gpu
	emulated lucie-train -q -c base.ini -o gpu16
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run err.*
}

teardown() { kill_ranks; }

@test "a GPU trains like the CPU" {
	near cpu gpu "$TOLERANCE_FP32"
	near cpu16 gpu16 "$TOLERANCE_BF16"
	# What is automatic, as the manifest says.
	grep -q '"equality":"run"' gpu16/latest/manifest.json
	grep -q '"dtype":"bf16"' gpu16/latest/manifest.json
	grep -q '"equality":"layout"' cpu/latest/manifest.json
	grep -q '"dtype":"fp32"' cpu/latest/manifest.json
}

@test "the host waits where it must, and never touches the device's memory" {
	# Work runs when somebody waits for it, and the pages of the device are closed to the host.
	LK_EMU_PROTECT=1 LK_EMU_LATE=1 emulated lucie-train -q -c base.ini -o run
	same_run gpu16 run
}

@test "two GPUs train like one" {
	gpus 2 train.dtype=fp32
	near cpu run "$TOLERANCE_FP32"
	gpus 2 parallel.pp=2
	near cpu16 run "$TOLERANCE_BF16"
	gpus 2 parallel.tp=2 parallel.sequence=yes
	near cpu16 run "$TOLERANCE_BF16"
}

@test "with equality = layout, four GPUs have the bits of one" {
	gpus 4 parallel.equality=layout
	same_run gpu16 run
	grep -q '"equality":"layout"' run/latest/manifest.json
}

@test "10 bytes a parameter train like the CPU's, and two GPUs with the bits of one" {
	lucie-train -q -c base.ini --set train.device=cpu --set train.dtype=bf16 \
		--set train.memory=low -o low
	gpus 1 train.memory=low
	near low run "$TOLERANCE_BF16"
	rm -rf one && mv run one
	gpus 2 train.memory=low parallel.equality=layout
	same_run one run
	run ! same_run gpu16 one
}

# objective NAME KEY=VALUE...: a run with these settings on the CPU, one on the GPU and one on two, of the
# same bits; in fp32 they differ by rounding.
objective() {
	local name=$1 s set=()
	shift
	set -- train.steps=3 train.valid_every=0 "$@"
	for s; do set+=(--set "$s"); done
	lucie-train -q -c base.ini --set train.device=cpu "${set[@]}" -o "$name"
	gpus 1 train.dtype=fp32 "$@"
	sed -i 's/"margin":.*"rejected":[^,]*,//' "$name/metrics.jsonl" run/metrics.jsonl
	near "$name" run "$TOLERANCE_FP32"
	rm -rf one && mv run one
	gpus 2 train.dtype=fp32 parallel.equality=layout "$@"
	sed -i 's/"margin":.*"rejected":[^,]*,//' run/metrics.jsonl
	same_run one run
}

@test "instruction tuning, preference tuning and distillation train like the CPU" {
	printf '{%% for m in messages %%}{{ m.content }}\n{%% endfor %%}' >t.jinja
	for i in 1 2 3 4 5 6 7 8; do
		echo "{\"prompt\":\"is it $i?\",\"chosen\":\"$i yes\",\"rejected\":\"no $i no\"}"
	done >pairs.jsonl
	sed 's/"prompt":\([^,]*\),"chosen":\([^,]*\),.*/"messages":[{"role":"user","content":\1},{"role":"assistant","content":\2}]}/' \
		pairs.jsonl >talks.jsonl
	lucie-shard --preference --chat-template t.jinja -t tokenizer.json -o pref pairs.jsonl
	lucie-shard --chat --chat-template t.jinja -t tokenizer.json -o chat talks.jsonl
	lucie-eval cpu --teacher 8 --context 16 shards/demo >/dev/null
	objective sft data.train=chat data.rows=packed
	objective dpo data.train=pref data.rows=document train.objective=dpo \
		train.micro_batch=2 train.global_batch=4
	objective kl train.teacher=teacher train.teacher_weight=0.5
}

@test "a run of the CPU continues on a GPU" {
	cp -R cpu run
	emulated lucie-train -q -c base.ini --set train.device=auto --set train.dtype=fp32 \
		--set train.steps=7 -o run
	[ "$(grep -c '^{"step":[0-9]*,"phase"' run/metrics.jsonl)" = 7 ]
	grep -q '"equality":"run"' run/latest/manifest.json
}

@test "the plan of memory names the GPU" {
	emulated lucie-train -c base.ini --dry-run >plan
	grep -q '^backend  *cuda bf16$' plan
	grep -q '^one allocation of a GPU  *[0-9.]* MiB$' plan
	grep -q '^GPU  *emulated GPU$' plan
	LK_EMU_MEMORY=2 run emulated lucie-train -c base.ini -o run
	[ "$status" = 2 ]
	[[ "$output" == "lucie-train: the run needs "*" GiB of the GPU's memory, "*" are free: "* ]]
	[ "${#lines[@]}" = 1 ]
	[ ! -e run ]
}

# refused TEXT N KEY=VALUE...: so many ranks on GPUs end with this sentence, which one of them says.
refused() {
	local text=$1
	shift
	run gpus "$@"
	[ "$status" != 0 ]
	[ "$(cat err.* | grep -v ' ranks over ' | wc -l)" = 1 ]
	cat err.* | grep -qF "$text"
	[ ! -e run ]
}

@test "what cannot be is one sentence" {
	CUDA_VISIBLE_DEVICES='' run lucie-train -c base.ini --set train.device=cuda -o run
	[ "$status" = 2 ]
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == "lucie-train: train.device = cuda: "* ]]
	run lucie-train -c base.ini --set train.device=cpu --set parallel.equality=fast -o run
	[ "$status" = 2 ]
	[[ "$output" == *"parallel.equality = fast has no effect with train.device = cpu"* ]]
	LK_EMU_DEVICES=1 refused 'have the same GPU: start as many ranks as the host has GPUs' 2
	LUCIE_NCCL=/nowhere/libnccl.so refused 'LUCIE_NCCL: /nowhere/libnccl.so' 2
	NCCL_ALGO=Tree refused 'NCCL_ALGO is Tree in the environment' 2
}

@test "GPUs change their layout between phases, with the bits of one" {
	local set=(train.steps=4 parallel.equality=layout)
	cp base.ini plain.ini
	printf '%s\n' '[phase one]' train.spike=1000 '[phase two]' train.context=24 model.rope_theta=500 \
		'[phase three]' train.reset_optimizer=yes >>base.ini
	gpus 1 "${set[@]}"
	mv run alike
	gpus 2 "${set[@]}" phase.one.parallel.pp=2 phase.two.parallel.dp=2 \
		phase.three.parallel.{pp,interleave}=2
	mv plain.ini base.ini
	same_run alike run
	grep -q '"layout":{"dp":1,"tp":1,"pp":2,' run/latest/manifest.json
}
