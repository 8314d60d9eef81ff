#!/usr/bin/env bats
# Training, evaluation and generation with activations in bf16: reproducible, close to fp32, and said.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

setup_file() {
	export OMP_WAIT_POLICY=passive
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards b.jsonl
	lucie-shard -t tokenizer.json -o shards/two b.jsonl
	cat >base.ini <<-END
		[model]
		preset = tiny
		[data]
		train = shards/demo
		valid = shards/two
		tokenizer = tokenizer.json
		[train]
		steps = 120
		context = 24
		micro_batch = 2
		global_batch = 4
		lanes = 2
		lr = 3e-3
		warmup = 40
		valid_every = 60
		dtype = bf16
		[checkpoint]
		every = 40
		keep = 0
	END
	lucie-train -q -c base.ini -o half
	lucie-train -q -c base.ini --set train.dtype=fp32 -o single
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run run.out
}

# dtype RUN: the type that its last checkpoint was trained in
dtype() { sed -n 's/.*"dtype":"\([a-z0-9]*\)".*/\1/p' "$1/latest/manifest.json"; }

# loss RUN STEP: of the validation after this step
loss() { sed -n "s/^{\"step\":$2,\"valid\":\"two\",\"loss\":\([0-9.]*\),.*/\1/p" "$1/metrics.jsonl"; }

# scored ARG...: the loss that lucie-eval prints
scored() { lucie-eval -q --json "$@" | sed 's/.*"all"//; s/.*"loss":\([0-9.]*\),.*/\1/'; }

@test "the same bits for any number of threads, and with one stop" {
	lucie-train -q -j 1 -c base.ini -o run
	same_run half run
	rm -rf run
	lucie-train -q -j 3 -c base.ini -o run &
	local pid=$! i rc=0
	for ((i = 0; i < 3000; i++)); do
		grep -qs '^{"step":7,' run/metrics.jsonl && break
		sleep 0.01
	done
	kill -USR1 $pid
	wait $pid || rc=$?
	[ $rc = 75 ] || [ $rc = 0 ]
	lucie-train -q -j 2 -c base.ini -o run
	same_run half run
}

@test "the loss falls as in fp32: validation within one per cent" {
	local step
	for step in 0 60 120; do
		awk -v a="$(loss single $step)" -v b="$(loss half $step)" \
			'BEGIN { d = (b - a) / a; exit !(a > 0 && d < 0.01 && d > -0.01) }'
	done
	awk -v a="$(loss half 0)" -v b="$(loss half 120)" 'BEGIN { exit !(b < a - 1) }'
	run ! same_run single half
}

@test "evaluation computes as the run did, or as it is told" {
	local end first half single
	end=$(loss half 120)
	half=$(scored half shards/two)
	[ "${half:0:7}" = "${end:0:7}" ]
	[ "$half" = "$(scored --dtype bf16 half shards/two)" ]
	single=$(scored --dtype fp32 half shards/two)
	[ "$half" != "$single" ]
	awk -v a="$single" -v b="$half" 'BEGIN { d = (b - a) / a; exit !(d < 0.01 && d > -0.01) }'
	first=$(loss half 0)
	half=$(scored --init half shards/two)
	[ "${half:0:7}" = "${first:0:7}" ]
	lucie-eval -q --json half shards/two | grep -q '"dtype":"bf16"'
	lucie-eval -q --json --dtype fp32 half shards/two | grep -q '"dtype":"fp32"'
	# The weights are fp32, whatever computes with them.
	[ "$(scored --dtype bf16 single shards/two)" != "$(scored single shards/two)" ]
	lucie-export -q --dtype f32 -o run half
	[ "$(scored run shards/two)" = "$(scored --dtype fp32 half shards/two)" ]
}

@test "text is a function of the seed, the model and the type" {
	local a
	a=$(lucie-generate -p 'La' -n 12 --seed 4 half)
	[ "$a" = "$(lucie-generate -j 1 -p 'La' -n 12 --seed 4 --dtype bf16 half)" ]
	[[ "$a" == La* ]]
	lucie-generate -p 'La' -n 12 --temperature 0 --dtype fp32 half >/dev/null
	run -2 lucie-generate --dtype fp16 -n 2 half
	[[ "$output" == *"run|fp32|bf16"* ]]
}

@test "a run may change its type when it is started again, and says so" {
	local said
	[ "$(dtype half)" = bf16 ] && [ "$(dtype single)" = fp32 ]
	cp -r single run
	run -2 lucie-train -c base.ini --from-step 80 -o run
	[[ "$output" == *"train.dtype is 'fp32' in the run and 'bf16' now"* ]]
	said=$(lucie-train --set train.dtype=bf16 --from-step 80 -o run 2>&1)
	[[ "$said" == *"train.dtype was fp32 and is bf16"* ]]
	[ "$(dtype run)" = bf16 ]
	run ! same_run single run
	near single run 3e-3 1e-1
	# And back, from a checkpoint of before: as if nothing had happened.
	said=$(lucie-train --set train.dtype=fp32 --from-step 80 -o run 2>&1)
	[[ "$said" != *dtype* ]]
	[ "$(dtype run)" = fp32 ]
	export_run single && export_run run && diff -r -x README.md single.out run.out
	# From phase to phase it stays.
	{ cat base.ini && echo '[phase x]' && echo 'train.dtype = fp32'; } >phase.ini
	run -2 lucie-train -q -c phase.ini -o new
	[[ "$output" == *"train.dtype is the same for the whole run"* ]]
	[ ! -e new ]
}

@test "the plan of memory knows the type" {
	lucie-train -c base.ini --set model.layers=12 --set train.context=96 --dry-run >half.txt
	lucie-train -c base.ini --set model.layers=12 --set train.context=96 --set train.dtype=fp32 \
		--dry-run >single.txt
	grep -q '^backend .* bf16$' half.txt
	run ! grep bf16 single.txt
	# The copy that products read takes 2 bytes a parameter; activations take about half.
	awk '/^parameters/ { n = $2 } /^weights/ { w[FILENAME] = $2 } /^activations/ { a[FILENAME] = $2 }
		END { more = (w["half.txt"] - w["single.txt"]) * 1048576
			share = a["half.txt"] / a["single.txt"]
			print more, 2 * n, share
			exit !(more > 1.7 * n && more < 2.3 * n && share < 0.65) }' half.txt single.txt
}
