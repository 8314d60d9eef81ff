"""Run by train.sh: python train_peer.py BENCH_TRAIN_STEP ROUNDS SIZE...

The peers of our bf16 are two: autocast, whose weights and optimizer stay fp32 as ours do, and a model
that is bf16 as a whole, which does less and loses small updates.
"""

import contextlib
import re
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

bench, rounds, names = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
# vocabulary, hidden, layers, heads, key heads, head dimension, ffn, tied; sequences, context, micro-batches
SIZES = {
    "4x128": (8192, 128, 4, 4, 2, 32, 384, False, 8, 256, 1),
    "4x512": (8192, 512, 4, 8, 4, 64, 1536, False, 4, 512, 2),
    "2x768": (16384, 768, 2, 12, 4, 64, 2304, False, 2, 1024, 2),
    "12x768": (50304, 768, 12, 12, 12, 64, 2048, True, 4, 64, 1),
}


class Layer(nn.Module):
    def __init__(self, hidden, heads, keys, dim, ffn):
        super().__init__()
        self.heads, self.keys, self.dim = heads, keys, dim
        self.norm1, self.norm2 = nn.RMSNorm(hidden, eps=1e-5), nn.RMSNorm(hidden, eps=1e-5)
        self.qkv = nn.Linear(hidden, (heads + 2 * keys) * dim, bias=False)
        self.out = nn.Linear(heads * dim, hidden, bias=False)
        self.gate_up = nn.Linear(hidden, 2 * ffn, bias=False)
        self.down = nn.Linear(ffn, hidden, bias=False)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        qkv = self.qkv(self.norm1(x)).view(b, t, -1, self.dim).transpose(1, 2)
        qk, v = qkv[:, : -self.keys], qkv[:, -self.keys :]
        a, c = qk.chunk(2, -1)
        qk = torch.cat((a * cos - c * sin, c * cos + a * sin), -1)
        q, k = qk[:, : self.heads], qk[:, self.heads :]
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.keys < self.heads)
        x = x + self.out(o.transpose(1, 2).reshape(b, t, -1))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    def __init__(self, vocab, hidden, layers, heads, keys, dim, ffn, tied, context):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)
        self.layers = nn.ModuleList(Layer(hidden, heads, keys, dim, ffn) for _ in range(layers))
        self.norm = nn.RMSNorm(hidden, eps=1e-5)
        self.head = nn.Linear(hidden, vocab, bias=False)
        if tied:
            self.head.weight = self.embed.weight
        frequency = 1e4 ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
        angle = torch.outer(torch.arange(context), frequency)
        self.cos, self.sin = angle.cos().float(), angle.sin().float()

    def forward(self, ids):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return self.head(self.norm(x))


class Peer:
    def __init__(self, name, kind):
        *sizes, sequences, context, self.micros = SIZES[name]
        self.model = Llama(*sizes, context)
        self.cast = contextlib.nullcontext
        if kind == "autocast":
            self.cast = lambda: torch.autocast("cpu", torch.bfloat16)
        elif kind == "bf16":
            self.model.to(torch.bfloat16)
            self.model.cos, self.model.sin = self.model.cos.bfloat16(), self.model.sin.bfloat16()
        self.ids = torch.randint(sizes[0], (sequences, context))
        self.labels = torch.randint(sizes[0], (sequences * context,))
        # The fused one is PyTorch's fastest on a CPU.
        self.adam = torch.optim.AdamW(
            self.model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True
        )
        self.tokens = sequences * context * self.micros

    def step(self):
        """Tokens per second of processor time."""
        start = time.process_time()
        self.adam.zero_grad()
        for _ in range(self.micros):
            with self.cast():
                loss = F.cross_entropy(self.model(self.ids).flatten(0, 1), self.labels)
            (loss / self.micros).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        return self.tokens / (time.process_time() - start)


def product_rate(kind):
    """GFLOP/s at 1024^3. MKL, which PyTorch calls for fp32, has its fastest code for one maker's
    processors; for bf16 PyTorch calls oneDNN."""
    a, b, best = torch.randn(1024, 1024).to(kind), torch.randn(1024, 1024).to(kind), 1e9
    for _ in range(10):
        start = time.process_time()
        F.linear(a, b)
        best = min(best, time.process_time() - start)
    return 2e-9 * 1024**3 / best


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(
        "PyTorch %s: its products of 1024^3 reach %.1f GFLOP/s in fp32 here, %.1f in bf16"
        % (torch.__version__, product_rate(torch.float32), product_rate(torch.bfloat16))
    )
    for name in names:
        peers = {kind: Peer(name, kind) for kind in ("fp32", "autocast", "bf16")}
        ours, theirs, line = {"fp32": 0, "bf16": 0}, dict.fromkeys(peers, 0), {}
        for _ in range(rounds):
            for kind in ours:
                out = subprocess.run([bench, "2", name, kind], check=True, capture_output=True, text=True).stdout
                rate = float(re.search(r"([\d.]+) tokens/s", out)[1])
                if rate > ours[kind]:
                    line[kind], ours[kind] = out.strip(), rate
            for kind, peer in peers.items():
                theirs[kind] = max(theirs[kind], peer.step(), peer.step())
        for kind in ours:
            print(line[kind])
        print("  ours: bf16 %.2f times fp32" % (ours["bf16"] / ours["fp32"]))
        for kind, rate in theirs.items():
            mine = "fp32" if kind == "fp32" else "bf16"
            print("  PyTorch %-8s %9.1f tokens/s; our %s %.2f times" % (kind, rate, mine, ours[mine] / rate), flush=True)


main()
