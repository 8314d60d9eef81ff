"""Run by train.sh: python train_peer.py BENCH_TRAIN_STEP ROUNDS SIZE..."""

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
    def __init__(self, name):
        *sizes, sequences, context, self.micros = SIZES[name]
        self.model = Llama(*sizes, context)
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
            loss = F.cross_entropy(self.model(self.ids).flatten(0, 1), self.labels)
            (loss / self.micros).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        return self.tokens / (time.process_time() - start)


def product_rate():
    """GFLOP/s at 1024^3. MKL, which PyTorch calls, has its fastest code for one maker's processors."""
    a, b, best = torch.randn(1024, 1024), torch.randn(1024, 1024), 1e9
    for _ in range(10):
        start = time.process_time()
        F.linear(a, b)
        best = min(best, time.process_time() - start)
    return 2e-9 * 1024**3 / best


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("PyTorch %s: its products of 1024^3 reach %.1f GFLOP/s here" % (torch.__version__, product_rate()))
    for name in names:
        peer, ours, theirs, line = Peer(name), 0, 0, ""
        for _ in range(rounds):
            out = subprocess.run([bench, "2", name], check=True, capture_output=True, text=True).stdout
            rate = float(re.search(r"([\d.]+) tokens/s", out)[1])
            line, ours = (out.strip(), rate) if rate > ours else (line, ours)
            theirs = max(theirs, peer.step(), peer.step())
        print(line)
        print("  PyTorch: %.1f tokens/s; ours %.2f times" % (theirs, ours / theirs), flush=True)


main()
