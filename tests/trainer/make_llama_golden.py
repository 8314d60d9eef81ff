#!/usr/bin/env python3
"""Make tests/data/llama: what Hugging Face's Llama and PyTorch's AdamW compute, for test_golden.c.

    python3 -m venv venv
    venv/bin/pip install -r tests/interop/requirements-torch.txt
    venv/bin/python tests/trainer/make_llama_golden.py tests/data/llama

Each folder is a model in Hugging Face's form, config.json and model.safetensors (in bf16: these are
the values that the computation starts from), with files of inputs and results beside it. A row is a
token of a micro-batch.

    ids, labels     U8 [micro-batches][sequences][tokens], of all steps in order
    weight          F32, likewise: of each label
    places          U8, likewise: of each token in its document; absent: a sequence is one document
    micro           I32 [1]: micro-batches of a step
    log_p           F32 [rows]: of the labels of the first micro-batch, before the first step
    rows, logits    I32 [n], F32 [n][vocab]: of some rows of its first sequence
    loss            F64 [steps]: the sum of weight * -log p over the sum of the weights
    grad.TENSOR     F32: the gradient of the first step's loss, elements 0, stride, 2 stride ...
    stride          I32 [1]
    norm, lr        F64 [steps]: of the gradient before clipping; the learning rate
    hyper           F64 [5]: beta1, beta2, eps, weight decay (of matrices alone), largest norm

Everything is computed in double precision. Two parts of transformers are replaced for that, since
they compute in fp32 whatever the type of the model: the norm, and the table of rotary positions,
whose angles are off by up to 1e-3 at position 31,000. The distance of transformers in fp32 to these
results is printed, once with the table replaced, once as it is, and with activations in bf16, by
autocast: that is what test_golden.c's limits for bf16 are measured by.
"""

import os
import sys

import torch
import torch.nn.functional as F
import transformers.models.llama.modeling_llama as llama
from safetensors.torch import save_file
from transformers import LlamaConfig

BETAS, EPS, DECAY, CLIP = (0.9, 0.95), 1e-8, 0.1, 2.5


class DoubleTable(llama.LlamaRotaryEmbedding):
    def forward(self, x, position_ids):
        dim, theta = self.config.head_dim, self.config.rope_parameters["rope_theta"]
        frequency = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
        angle = position_ids[..., None].double() * frequency
        angle = torch.cat((angle, angle), dim=-1)
        return angle.cos().to(x.dtype), angle.sin().to(x.dtype)


class DoubleNorm(llama.LlamaRMSNorm):
    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


AS_IS = (llama.LlamaRotaryEmbedding, llama.LlamaRMSNorm, torch.float32)
SINGLE = (DoubleTable, llama.LlamaRMSNorm, torch.float32)
DOUBLE = (DoubleTable, DoubleNorm, torch.float64)


def build(config, kind, weights=None):
    llama.LlamaRotaryEmbedding, llama.LlamaRMSNorm, dtype = kind
    model = llama.LlamaForCausalLM(config).to(dtype)
    for name, p in model.named_parameters():
        if weights:
            p.data.copy_(weights[name])
    return model


def random_weights(config, std, seed):
    g = torch.Generator().manual_seed(seed)
    weights = {}
    for name, p in build(config, AS_IS).named_parameters():
        x = std * torch.randn(p.shape, generator=g)
        weights[name] = (1 + x if p.dim() == 1 else x).to(torch.bfloat16)
    return weights


def random_data(config, seed, steps, micro, sequences, tokens):
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(config.vocab_size, (steps * micro, sequences, tokens + 1), generator=g)
    weight = torch.tensor([0.0, 0.5, 1.0, 1.0])[torch.randint(4, (*ids.shape[:2], tokens), generator=g)]
    # Labels without weight may be anything.
    labels = torch.where(weight > 0, ids[..., 1:], torch.zeros_like(ids[..., 1:]))
    lr = [2e-2 * min(1, (i + 1) / 3) * (1 - i / 20) for i in range(steps)]
    return {"ids": ids[..., :-1], "labels": labels, "weight": weight, "micro": micro, "lr": lr}


def logits_of(model, ids, places):
    """Each document alone, from position 0."""
    if places is None:
        return model(ids, use_cache=False).logits
    sequences = []
    for s, p in zip(ids, places):
        ends = [*(i for i in range(1, len(p)) if p[i] == 0), len(p)]
        parts = [logits_of(model, s[None, a:b], None) for a, b in zip([0, *ends], ends)]
        sequences.append(torch.cat(parts, dim=1))
    return torch.cat(sequences)


def compute(model, data):
    # Logits in bf16 are an autocast's.
    wide = torch.promote_types(next(model.parameters()).dtype, torch.float32)
    out = {"loss": [], "norm": []}
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    adam = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": DECAY}, {"params": vectors, "weight_decay": 0.0}],
        betas=BETAS,
        eps=EPS,
    )
    for step, lr in enumerate(data["lr"]):
        batches = range(step * data["micro"], (step + 1) * data["micro"])
        total = data["weight"][batches.start : batches.stop].sum().item()
        adam.zero_grad()
        out["loss"].append(0.0)
        for i in batches:
            logits = logits_of(model, data["ids"][i], data["places"][i] if "places" in data else None)
            log_p = -F.cross_entropy(logits.flatten(0, 1).to(wide), data["labels"][i].flatten(), reduction="none")
            loss = -(log_p * data["weight"][i].flatten()).sum() / total
            loss.backward()
            out["loss"][-1] += loss.item()
            if i == 0:
                out["log_p"], out["logits"] = log_p.detach(), logits.detach()[0, data["rows"]]
        if step == 0:
            out |= {"grad." + name: p.grad.clone() for name, p in model.named_parameters()}
        out["norm"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        for group in adam.param_groups:
            group["lr"] = lr
        adam.step()
    return out


def forward(model, data):
    with torch.no_grad():
        return {"logits": model(data["ids"][0], use_cache=False).logits[0, data["rows"]]}


def distance(a, b):
    logits = (a["logits"] - b["logits"]).abs().max().item()
    grads = [((a[n] - b[n]).norm() / b[n].norm()).item() for n in b if n.startswith("grad.")]
    log_p = (a["log_p"] - b["log_p"]).abs().max().item() if "log_p" in b else 0
    norms = [abs(x / y - 1) for x, y in zip(a.get("norm", []), b.get("norm", []))]
    losses = [abs(x - y) for x, y in zip(a.get("loss", []), b.get("loss", []))]
    return (
        f"logits {logits:.1e}, log p {log_p:.1e}, gradients {max(grads, default=0):.1e}, "
        f"losses {max(losses, default=0):.1e}, norms {max(norms, default=0):.1e}"
    )


def write(tensors, path):
    save_file(tensors, path)
    os.chmod(path, 0o644)


def save(path, config, weights, data, computation=compute, stride=1):
    out = computation(build(config, DOUBLE, weights), data)
    for name, kind in ("with the table replaced", SINGLE), ("as it is", AS_IS):
        print(f"{path}: fp32 {name}: {distance(computation(build(config, kind, weights), data), out)}")
    model = build(config, AS_IS, weights)
    # Around the forward pass alone: autocast keeps the weights that it has rounded until it ends.
    model.forward = torch.autocast("cpu", torch.bfloat16)(model.forward)
    print(f"{path}: bf16: {distance(computation(model, data), out)}")
    for name, x in out.items():
        if name.startswith("grad."):
            out[name] = x.flatten()[::stride].float().contiguous()
    for name in {"log_p", "logits"} & out.keys():
        out[name] = out[name].float()
    for name in {"loss", "norm"} & out.keys():
        out[name] = torch.tensor(out[name], dtype=torch.float64)
    for name in {"ids", "labels", "places"} & data.keys():
        if name == "ids" or computation is compute:
            out[name] = data[name].to(torch.uint8)
    out["rows"] = torch.tensor(data["rows"], dtype=torch.int32)
    if computation is compute:
        out["weight"] = data["weight"]
        out["micro"] = torch.tensor([data["micro"]], dtype=torch.int32)
        out["stride"] = torch.tensor([stride], dtype=torch.int32)
        out["lr"] = torch.tensor(data["lr"], dtype=torch.float64)
        out["hyper"] = torch.tensor([*BETAS, EPS, DECAY, CLIP], dtype=torch.float64)
    write(out, path + ".safetensors")


def make_model(folder, std, seed, **sizes):
    theta = sizes.pop("theta")
    config = LlamaConfig(
        rope_parameters={"rope_type": "default", "rope_theta": theta},
        rms_norm_eps=1e-5,
        attn_implementation="sdpa",
        **sizes,
    )
    weights = random_weights(config, std, seed)
    os.makedirs(folder, exist_ok=True)
    config.save_pretrained(folder)
    write(weights, folder + "/model.safetensors")
    return config, weights


def make_small(folder):
    """Grouped queries; ten steps of two micro-batches; the same packed with documents."""
    model = make_model(
        folder,
        std=0.25,
        seed=1,
        theta=1000,
        vocab_size=48,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        intermediate_size=56,
        max_position_embeddings=64,
    )
    data = random_data(model[0], seed=2, steps=10, micro=2, sequences=2, tokens=32)
    save(folder + "/steps", *model, data | {"rows": list(range(32))})

    data = random_data(model[0], seed=3, steps=1, micro=2, sequences=3, tokens=64)
    lengths = [[[64], [1, 63], [20, 1, 1, 30, 12]], [[63, 1], [7] * 9 + [1], [31, 32, 1]]]
    data["places"] = torch.tensor([[[i for n in s for i in range(n)] for s in m] for m in lengths])
    save(folder + "/documents", *model, data | {"rows": [0, 63]}, stride=3)


def make_tied(folder):
    """The head is the embedding, one key head, and heads that are wider than hidden / heads."""
    model = make_model(
        folder,
        std=0.25,
        seed=4,
        theta=1e4,
        vocab_size=29,
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=10,
        intermediate_size=22,
        max_position_embeddings=64,
        tie_word_embeddings=True,
    )
    data = random_data(model[0], seed=5, steps=3, micro=1, sequences=2, tokens=17)
    save(folder + "/steps", *model, data | {"rows": list(range(17))})


def make_long(folder):
    """Every position of a context of 4,096."""
    model = make_model(
        folder,
        std=0.18,
        seed=6,
        theta=500000,
        vocab_size=64,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        intermediate_size=64,
        max_position_embeddings=4096,
    )
    data = random_data(model[0], seed=7, steps=1, micro=1, sequences=1, tokens=4096)
    save(folder + "/context-4096", *model, data | {"rows": [0, 1, 2, 2047, *range(3996, 4004), 4095]}, stride=5)


def make_far(folder):
    """Positions around 31,000."""
    model = make_model(
        folder,
        std=0.25,
        seed=8,
        theta=500000,
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        intermediate_size=48,
        max_position_embeddings=32768,
    )
    data = random_data(model[0], seed=9, steps=1, micro=1, sequences=1, tokens=31008)
    save(folder + "/position-31000", *model, data | {"rows": [4000, 16384, *range(30996, 31008)]}, forward)


def main():
    torch.set_num_threads(1)
    for make in make_small, make_tied, make_long, make_far:
        make(os.path.join(sys.argv[1], make.__name__[len("make_") :]))


if __name__ == "__main__":
    main()
