#!/usr/bin/env python3
"""Make tests/data/rotary.tsv: the frequencies of rotary positions by Hugging Face's transformers, for
test_rotary.c.

    python3 -m venv venv
    venv/bin/pip install -r tests/interop/requirements-torch.txt
    venv/bin/python tests/trainer/make_rotary_golden.py >tests/data/rotary.tsv

A line is a case: rope_type ("none" for its default), dim, theta, factor, low_freq_factor,
high_freq_factor, original_max_position_embeddings, with 0 for what the type has not, and dim / 2
frequencies in fp32, with nine digits.
"""

from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

CASES = [
    ("none", 128, 500000, 0, 0, 0, 0),
    ("linear", 64, 10000, 4, 0, 0, 0),
    # Llama 3.1, 3.2 of one billion parameters, Lucie-7B's shape, and factors of no beauty.
    ("llama3", 128, 500000, 8, 1, 4, 8192),
    ("llama3", 64, 500000, 32, 1, 4, 8192),
    ("llama3", 128, 20000000, 8, 1, 4, 4096),
    ("llama3", 96, 10000, 3.5, 1.25, 7.5, 777),
]


def frequencies(kind, dim, theta, factor, low, high, original):
    rope = {"rope_type": "default" if kind == "none" else kind, "rope_theta": float(theta)}
    if factor:
        rope["factor"] = float(factor)
    if original:
        rope |= {"low_freq_factor": float(low), "high_freq_factor": float(high),
                 "original_max_position_embeddings": original}
    config = LlamaConfig(hidden_size=4 * dim, num_attention_heads=4, head_dim=dim,
                         max_position_embeddings=131072, rope_parameters=rope)
    return LlamaRotaryEmbedding(config).inv_freq.tolist()


for case in CASES:
    print(*case, *("%.9g" % f for f in frequencies(*case)), sep="\t")
