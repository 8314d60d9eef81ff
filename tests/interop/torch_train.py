"""lucie-train, in one process and in layouts, against PyTorch: the same weights, tokens and settings, Hugging Face's
Llama and torch.optim.AdamW."""

import json
import math
import os
import socket
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
init_std = 0.1
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


def make_shard():
    """Documents of pairs that a model can learn; each begins with 0, which is nowhere else."""
    rnd = np.random.default_rng(3)
    left, docs = CONTEXT * sum(batches()) + 1, []
    while left > 0:
        n = min(left, int(rnd.choice([1, 2, 7, 30, 100])))
        first = rnd.integers(1, VOCAB, (n + 1) // 2)
        docs.append([0, *np.stack((first, 1 + (first * 5 + 3) % (VOCAB - 1))).T.flatten()][:n])
        left -= n
    lengths = np.array([len(d) for d in docs], "<i4")
    offsets = np.array([0, *np.cumsum(2 * lengths)[:-1]], "<i8")
    ids = np.concatenate(docs)
    ids.astype("<u2").tofile("shard.bin")
    with open("shard.idx", "wb") as f:
        f.write(b"MMIDIDX\0\0" + np.array([1], "<u8").tobytes() + b"\x08")
        f.write(np.array([len(docs), len(docs) + 1], "<u8").tobytes())
        f.write(lengths.tobytes() + offsets.tobytes())
        f.write(np.arange(len(docs) + 1).astype("<i8").tobytes())
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


def losses(model, rows, reset):
    """Of each label; with `reset` every document is computed alone."""
    if not reset:
        logits = model(rows[:, :-1], use_cache=False).logits
    else:
        parts = []
        for row in rows[:, :-1]:
            starts = [i for i in range(1, CONTEXT) if row[i] == 0]
            for a, b in zip([0, *starts], [*starts, CONTEXT]):
                parts.append(model(row[None, a:b], use_cache=False).logits[0])
        logits = torch.cat(parts)[None]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


def train(model, ids, reset):
    """Loss, rate and norm of each step."""
    groups = [
        {"params": [p for p in model.parameters() if p.dim() == 2], "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8)
    consumed, total = 0, sum(batches())
    for batch in batches():
        rows = [ids[s * CONTEXT : s * CONTEXT + CONTEXT + 1] for s in range(consumed, consumed + batch)]
        consumed += batch
        loss = losses(model, torch.stack(rows), reset)
        adam.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        for group in adam.param_groups:
            group["lr"] = rate(consumed, total)
        adam.step()
        yield loss.item(), rate(consumed, total), norm.item()


def run_ranks(ranks, sets):
    """lucie-train as so many processes."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    args = [os.path.join(BIN, "lucie-train"), "-q", "-c", "run.ini", *sets, "-o", "run"]
    started = []
    for r in range(ranks):
        env = dict(os.environ, OMP_NUM_THREADS="1")
        if ranks > 1:
            env |= {"LUCIE_RANK": str(r), "LUCIE_SIZE": str(ranks), "LUCIE_RENDEZVOUS": f"127.0.0.1:{port}"}
        started.append(subprocess.Popen(args, env=env))
    assert [p.wait() for p in started] == [0] * ranks


def compare(name, ids, *sets, ranks=1):
    sets = [word for s in sets for word in ("--set", s)]
    with open("run.ini", "w") as f:
        f.write(INI)
    subprocess.run(["rm", "-rf", "run", "start", "end"], check=True)
    run_ranks(ranks, sets)
    tool("lucie-export", "--init", "--dtype", "f32", "-o", "start", "run")
    tool("lucie-export", "--dtype", "f32", "-o", "end", "run")
    lines = [json.loads(line) for line in open("run/metrics.jsonl")]
    ours = [(s["loss"], s["lr"], s["norm"]) for s in lines if "loss" in s]
    model = LlamaForCausalLM.from_pretrained("start", dtype=torch.float32)
    theirs = list(train(model, ids, "train.reset_documents=yes" in sets))
    learns = theirs[-1][0] < theirs[0][0] - 0.1
    ok(f"{name}: {STEPS} steps, and it learns", len(ours) == STEPS and learns, f"{theirs[0][0]:.3f} to {theirs[-1][0]:.3f}")
    off = [max(abs(a[i] - b[i]) / abs(b[i]) for a, b in zip(ours, theirs)) for i in range(3)]
    ok(f"{name}: losses", off[0] < 1e-5, f"largest relative difference {off[0]:.1e}")
    ok(f"{name}: learning rates", off[1] < 1e-7, f"largest relative difference {off[1]:.1e}")
    ok(f"{name}: norms of the gradients", off[2] < 1e-4, f"largest relative difference {off[2]:.1e}")
    weights, far = load_file("end/model.safetensors"), 0
    for key, p in model.named_parameters():
        far = max(far, ((weights[key] - p).norm() / p.norm()).item())
    ok(f"{name}: weights at the end", far < 1e-4, f"largest relative distance {far:.1e}")


def main():
    torch.set_num_threads(1)
    ids = make_shard()
    compare("one process", ids)
    compare("a tied head, documents", ids, "model.tied=yes", "train.reset_documents=yes")
    compare("documents, layers again", ids, "train.reset_documents=yes", "parallel.recompute=layer")
    compare("dp 2", ids, "parallel.dp=2", "train.lanes=2", ranks=2)
    compare("pp 2, documents", ids, "parallel.pp=2", "train.reset_documents=yes", ranks=2)
    compare("tp 2, sequence, documents", ids, "parallel.tp=2", "parallel.sequence=yes", "train.reset_documents=yes", ranks=2)
    print(f"1..{done}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
    sys.exit(0)
