#!/usr/bin/env bash
# Benchmark of data parallelism: two ranks of one run against two runs of one process side by side,
# which share the machine's memory in the same way. One thread each; in turn; the median step counts.
#
#	tests/bench/train_ranks.sh [ROUNDS [STEPS]]	3 rounds of 5 steps
set -eu
build=$(realpath "${LUCIE_BUILD:-build/release}")
rounds=${1:-3} steps=${2:-5}
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A shard of one document.
python3 -c '
import array, random, struct
n = 300000
rnd = random.Random(1)
array.array("H", (rnd.randrange(16384) for _ in range(n))).tofile(open("shard.bin", "wb"))
with open("shard.idx", "wb") as f:
    f.write(b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 8, 1, 2))
    f.write(struct.pack("<iqqq", n, 0, 0, 1))
'
cat >run.ini <<END
[model]
vocab = 16384
hidden = 768
layers = 2
heads = 12
kv_heads = 4
ffn = 2304
[data]
train = shard
[train]
steps = $steps
context = 1024
micro_batch = 2
global_batch = 4
lanes = 2
[checkpoint]
every = 0
END

# rate RUN: tokens a second of the median step, the first left out.
rate() {
	sed -n 's/.*"step":\([0-9]*\).*"tokens_per_s":\([0-9.]*\).*/\1 \2/p' "$1/timing.jsonl" |
		sort -k2n | awk '$1 > 1 { r[n++] = $2 } END { print r[int(n / 2)] }'
}

train() {
	"$build"/bin/lucie-train -q -c run.ini --set parallel.dp="$1" --set train.global_batch="$2" -o "$3"
}

for ((i = 1; i <= rounds; i++)); do
	train 1 4 a &
	train 1 4 b
	wait $!
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	export LUCIE_SIZE=2 LUCIE_RENDEZVOUS=127.0.0.1:$port
	LUCIE_RANK=0 train 2 8 both &
	LUCIE_RANK=1 train 2 8 both
	wait $!
	unset LUCIE_SIZE LUCIE_RENDEZVOUS
	awk -v i="$i" -v a="$(rate a)" -v b="$(rate b)" -v both="$(rate both)" 'BEGIN {
		printf "round %d: two runs %.0f + %.0f tokens/s, two ranks %.0f: %.2f\n", i, a, b, both, both / (a + b)
	}'
	rm -rf a b both
done
