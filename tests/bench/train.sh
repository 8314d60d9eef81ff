#!/usr/bin/env bash
# Benchmark of a training step beside PyTorch: the same Llama in fp32 and bf16, on one core, in turn.
#
#	tests/bench/train.sh [ROUNDS [SIZE...]]		best of so many (5); sizes of bench_train_step.c
#
# PyTorch (6 GB) is installed in build/torch-venv; without it, only our rates are printed.
set -eu
build=${LUCIE_BUILD:-build/release}
rounds=${1:-5}
shift $(($# > 0))
[ $# -gt 0 ] || set -- 2x768 12x768
venv=build/torch-venv
requirements=tests/interop/requirements-torch.txt
cmp -s $venv/.ready $requirements || CI='' tests/make-venv $venv $requirements
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
if ! $venv/bin/python -c 'import torch' 2>/dev/null; then
	echo "PyTorch could not be installed: left out"
	for size; do
		"$build"/tests/bench/bench_train_step "$rounds" "$size"
	done
	exit 0
fi
exec $venv/bin/python tests/bench/train_peer.py "$build/tests/bench/bench_train_step" "$rounds" "$@"
