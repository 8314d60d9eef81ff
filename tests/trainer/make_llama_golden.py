#!/usr/bin/env python3
"""Make tests/data/llama-golden.json: logits of Hugging Face's Llama for our weights.

    python3 -m venv venv
    venv/bin/pip install 'transformers==4.46.3' flax jax 'numpy<2.3' safetensors
    venv/bin/python tests/trainer/make_llama_golden.py build/release/bin >tests/data/llama-golden.json

lucie-export writes the initial weights of an untrained model; transformers' FlaxLlamaForCausalLM,
the same model as the PyTorch one on a much smaller library, computes the logits. Two parts of it
are replaced: the table of rotary positions, which has a fixed base of 10000 and angles rounded to
fp32 (ours are double), and the default precision of products. tests/trainer/test_golden.c
initialises the same weights and compares.
"""

import json
import os
import subprocess
import sys
import tempfile

import jax
import jax.numpy as jnp
import numpy as np
import transformers.models.llama.modeling_flax_llama as flax_llama
from transformers import FlaxLlamaForCausalLM

CONTEXT, VOCAB, SEED = 2048, 48, 5
THETA = 500000
POSITIONS = [0, 1, 2, 63, 64, 1000, 2047]
INI = f"""
[model]
vocab = {VOCAB}
hidden = 32
layers = 2
heads = 4
kv_heads = 2
ffn = 56
rope_theta = {THETA}
init_std = 0.25
[data]
train = none
[train]
steps = 1
context = {CONTEXT}
seed = {SEED}
"""


def double_table(num_pos, dim):
    angle = np.outer(np.arange(num_pos), THETA ** (-np.arange(0, dim, 2) / dim))
    angle = np.concatenate((angle, angle), axis=-1)
    table = np.concatenate((np.sin(angle)[:, None, :], np.cos(angle)[:, None, :]), axis=-1)
    return jnp.array(table.astype(np.float32))


def main():
    programs = sys.argv[1]
    jax.config.update("jax_default_matmul_precision", "highest")
    flax_llama.create_sinusoidal_positions = double_table
    ids = [(i * 13 + i * i // 7 + i // 50) % VOCAB for i in range(CONTEXT)]
    with tempfile.TemporaryDirectory() as folder:
        run, model = os.path.join(folder, "run"), os.path.join(folder, "model")
        os.mkdir(run)
        with open(os.path.join(run, "config.ini"), "w") as f:
            f.write(INI)
        subprocess.run(
            [os.path.join(programs, "lucie-export"), "--init", "--dtype", "f32", "-o", model, run],
            check=True,
        )
        llama = FlaxLlamaForCausalLM.from_pretrained(model, from_pt=True, dtype=jnp.float32)
        logits = np.asarray(llama(np.array([ids])).logits)[0]
    rows = [[round(float(x), 6) for x in logits[p]] for p in POSITIONS]
    print('{"positions":' + json.dumps(POSITIONS) + ',"logits":[')
    print(",\n".join(json.dumps(r, separators=(",", ":")) for r in rows))
    print("]}")


if __name__ == "__main__":
    main()
