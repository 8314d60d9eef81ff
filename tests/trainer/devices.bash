# Training on the emulated GPU (tests/kernels/emu), for bats files that `load` it.

# How far losses may be from the CPU's, relatively; norms a hundred times as far (near). The two add in
# another order, in fp32 with both types, and bf16 rounds what differs to 8 bits now and then: measured
# are 6e-9 and 6e-5.
export TOLERANCE_FP32=1e-6 TOLERANCE_BF16=1e-3

# emulated COMMAND...: with the emulated GPU, and no others, in place of the real ones. Pages stay open to
# the host, which is faster, unless LK_EMU_PROTECT says otherwise.
emulated() {
	PATH=$LUCIE_BUILD/emu/bin:$PATH LK_EMU_PROTECT=${LK_EMU_PROTECT-0} \
		LK_EMU_DEVICES=${LK_EMU_DEVICES-8} FAKE_NCCL_EAGER=1 \
		LUCIE_NCCL=${LUCIE_NCCL-$LUCIE_BUILD/tests/trainer/fake_nccl.so} "$@"
}

# gpus N KEY=VALUE...: N ranks with these settings in the folder run.
gpus() {
	local n=$1 s set=()
	shift
	[ -e "$LUCIE_BUILD/tests/trainer/fake_nccl.so" ] || [ "$n" = 1 ] || {
		[ "${CI-}" != true ] || { echo "no NCCL in this build" && return 1; }
		skip "no NCCL in this build"
	}
	for s; do set+=(--set "$s"); done
	rm -rf run
	# A receive that runs where it is queued would keep the rank from sending.
	LK_EMU_LATE=1 LK_EMU_QUERY=0 emulated ranks "$n" -q -c base.ini "${set[@]}" -o run
}

# device_setup: shards and base.ini, of five steps of a tiny model.
device_setup() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES=
	fixtures shards
	cat >base.ini <<-END
		[train]
		steps = 5
		context = 16
		micro_batch = 1
		global_batch = 5
		lanes = 4
		valid_every = 4
		valid_samples = 3
		lr = 3e-3
		warmup = 10
		clip = 2
		$(sizes 4)
		[data]
		train = shards/demo
		valid = shards/demo
		tokenizer = tokenizer.json
		[parallel]
		hash_every = 3
		[checkpoint]
		every = 0
	END
}
