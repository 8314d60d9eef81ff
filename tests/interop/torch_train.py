"""lucie-train's steps against PyTorch: the same weights, tokens and settings, Hugging Face's Llama and torch.optim.AdamW."""

import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

BIN = os.path.join(os.environ["LUCIE_BUILD"], "bin")
VOCAB, CONTEXT, MICRO, STEPS = 64, 48, 2, 10
LR, LR_MIN, WARMUP, CLIP, DECAY = 1e-2, 1e-3, 12, 0.5, 0.1
RAMP, RAMP_SAMPLES = (4, 6, 8), 24
INI = f"""
[model]
vocab = {VOCAB}
hidden = 48
layers = 2
heads = 4
kv_heads = 2
ffn = 80
rope_theta = 10000
init_std = 0.1
tied = %(tied)s
[data]
train = shard
shuffle = no
[train]
steps = {STEPS}
context = {CONTEXT}
micro_batch = {MICRO}
global_batch = {RAMP[-1]}
ramp = {RAMP[0]} {RAMP[1] - RAMP[0]} {RAMP_SAMPLES}
lr = {LR}
lr_min = {LR_MIN}
warmup = {WARMUP}
clip = {CLIP}
weight_decay = {DECAY}
%(more)s
"""
done = 0


def ok(name, passed, why=""):
    global done
    done += 1
    print(f"{'ok' if passed else 'not ok'} {done} - {name}")
    if why:
        print(f"# {why}")


def tool(name, *args):
    subprocess.run([os.path.join(BIN, name), "-q", *args], check=True)


def make_shard(tokens):
    """One document, of pairs that a model can learn."""
    rnd = np.random.default_rng(3)
    ids = rnd.integers(0, VOCAB, tokens)
    ids[1::2] = (ids[::2][: len(ids[1::2])] * 5 + 3) % VOCAB
    ids.astype("<u2").tofile("shard.bin")
    with open("shard.idx", "wb") as f:
        f.write(b"MMIDIDX\0\0" + np.array([1], "<u8").tobytes() + b"\x08")
        f.write(np.array([1, 2], "<u8").tobytes() + np.array([tokens], "<i4").tobytes())
        f.write(np.array([0], "<i8").tobytes() + np.array([0, 1], "<i8").tobytes())
    return torch.from_numpy(ids)


def batches():
    """Samples of each step."""
    consumed = 0
    for _ in range(STEPS):
        ramp = min(consumed * (len(RAMP) - 1) // RAMP_SAMPLES, len(RAMP) - 1)
        yield RAMP[ramp] if consumed <= RAMP_SAMPLES else RAMP[-1]
        consumed += RAMP[ramp] if consumed <= RAMP_SAMPLES else RAMP[-1]


def rate(consumed, total):
    if consumed <= WARMUP:
        return LR * consumed / WARMUP
    part = (consumed - WARMUP) / (total - WARMUP)
    return LR_MIN + (LR - LR_MIN) * (1 + math.cos(math.pi * part)) / 2


def train(model, ids):
    """Loss, rate and norm of each step."""
    groups = [
        {"params": [p for p in model.parameters() if p.dim() == 2], "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8)
    consumed, total = 0, sum(batches())
    for batch in batches():
        rows = [ids[s * CONTEXT : s * CONTEXT + CONTEXT + 1] for s in range(consumed, consumed + batch)]
        rows = torch.stack(rows)
        consumed += batch
        logits = model(rows[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        adam.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        for group in adam.param_groups:
            group["lr"] = rate(consumed, total)
        adam.step()
        yield loss.item(), rate(consumed, total), norm.item()


def compare(name, ids, more="", tied="no"):
    with open("run.ini", "w") as f:
        f.write(INI % {"more": more, "tied": tied})
    subprocess.run(["rm", "-rf", "run", "start", "end"], check=True)
    tool("lucie-train", "-c", "run.ini", "-o", "run")
    tool("lucie-export", "--init", "--dtype", "f32", "-o", "start", "run")
    tool("lucie-export", "--dtype", "f32", "-o", "end", "run")
    lines = [json.loads(line) for line in open("run/metrics.jsonl")]
    ours = [(s["loss"], s["lr"], s["norm"]) for s in lines if "loss" in s]
    model = LlamaForCausalLM.from_pretrained("start", dtype=torch.float32)
    theirs = list(train(model, ids))
    off = [max(abs(a[i] - b[i]) / abs(b[i]) for a, b in zip(ours, theirs)) for i in range(3)]
    ok(f"{name}: {STEPS} steps", len(ours) == len(theirs) == STEPS, f"{len(ours)}, {len(theirs)}")
    ok(f"{name}: losses", off[0] < 1e-5, f"largest relative difference {off[0]:.1e}")
    ok(f"{name}: it learns", theirs[-1][0] < theirs[0][0] - 0.1, f"{theirs[0][0]:.3f} to {theirs[-1][0]:.3f}")
    ok(f"{name}: learning rates", off[1] < 1e-7, f"largest relative difference {off[1]:.1e}")
    ok(f"{name}: norms of the gradients", off[2] < 1e-4, f"largest relative difference {off[2]:.1e}")
    weights, far = load_file("end/model.safetensors"), 0
    for key, p in model.state_dict().items():
        if key in weights:
            far = max(far, ((weights[key] - p).norm() / p.norm()).item())
    ok(f"{name}: weights at the end", far < 1e-4, f"largest relative distance {far:.1e}")


def main():
    torch.set_num_threads(1)
    ids = make_shard(CONTEXT * sum(batches()) + 1)
    compare("a model", ids)
    compare("with a tied head", ids, tied="yes")
    compare("recomputed", ids, more="[parallel]\nrecompute = layer")
    print(f"1..{done}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
    sys.exit(0)
