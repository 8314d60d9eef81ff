#!/usr/bin/env bats
# The training of Lucie-7B, as pipelines/lucie-7b/train.ini has it: what --dry-run says of it without the
# data, against the published numbers.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	ini=$LUCIE_SRC/pipelines/lucie-7b/train.ini
}

# says PHASE KEY VALUE: in the part of the phase, the line of the key is this.
says() {
	local line
	line=$(awk -v phase="phase $1" -v key="$2" '/^(phase |all phases)/ { at = $0 }
		at == phase && index($0, key "  ") == 1 { sub(key " *", ""); print; exit }' plan)
	[ "$line" = "$3" ] || { echo "$1: $2: '$line' is not '$3'" && return 1; }
}

@test "--dry-run without data has the steps, tokens and learning rates of the original" {
	run -0 lucie-train -c "$ini" --dry-run --no-data
	echo "$output" >plan
	grep -qx 'parameters  *6706958336' plan
	says main steps 753851
	says main tokens 3121742086144
	says main samples '762144064 of 4096 tokens, 522 left over'
	says main batch '256 to 1024 samples by 64, full from step 19337'
	says main schedule 'cosine, warm-up over 2000000 samples'
	says main 'learning rate' '3.84e-08 in the first step, 0.0003 at most (step 6728), 3e-05 in the last'
	for phase in extension annealing; do
		says $phase steps 1220
		says $phase tokens 4997120000
		says $phase batch '128 samples'
		says $phase positions 'theta 2e+07'
		says $phase optimizer 'starts anew'
	done
	says extension 'learning rate' '2e-05 in the first step, 2e-05 at most (step 1), 2e-05 in the last'
	# 3e-5 (1 - n / 156,250) at 128 and at 156,160 samples
	says annealing 'learning rate' \
		'2.99754e-05 in the first step, 2.99754e-05 at most (step 1), 1.728e-08 in the last'
	says instruction steps 317
	says instruction samples '324608 of 4096 tokens, 734 left over'
	# The bubbles of 4 stages with 16 and 4 micro-batches.
	[ "$(grep -c '15.8 % if all chunks took the same time' plan)" = 2 ]
	[ "$(grep -c '42.9 % if all chunks took the same time' plan)" = 2 ]
	grep -qx 'the run stops before phase extension, to be started with 128 ranks' plan
	grep -qx 'to start 512 ranks: mpirun -np 512 lucie-train ...' plan
	# The counters of the released model, and the instruction phase.
	[ "$(awk '$1 == "steps" { n[++k] = $2 } $1 == "tokens" { t[k] = $2 }
		END { print n[1] + n[2] + n[3], t[1] + t[2] + t[3] }' OFMT=%.0f CONVFMT=%.0f plan)" = \
		'756291 3131736326144' ]
}

@test "a phase whose length depends on the data is refused without them" {
	run -2 lucie-train -c "$ini" --set phase.annealing.train.epochs=1 --dry-run --no-data
	[[ "$output" == "lucie-train: phase annealing: without the data the length of train.epochs is not known: leave out --no-data, or set train.samples" ]]
	run -2 lucie-train -c "$ini" --no-data -o run
	[[ "$output" == *"--no-data has no effect without --dry-run"* ]]
	run -2 lucie-train -c "$ini" --dry-run
	# What is there to be read, is looked for.
	[[ "$output" == *"phase main: tokenizer.json: No such file"* ]]
}
