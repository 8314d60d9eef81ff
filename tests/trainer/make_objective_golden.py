#!/usr/bin/env python3
"""Make tests/data/llama/small/{sft,dpo,dpo-norm,distill,mixture}.safetensors for test_objective_golden.c.

    venv/bin/pip install trl
    venv/bin/python tests/trainer/make_objective_golden.py tests/data/llama/small

in a venv as make_llama_golden.py describes it, whose model in that folder these files go with. Rows
are tokens of a micro-batch, as there.

    ids, labels     U8 [1][sequences][tokens]; padding is 0
    weight          F32, likewise: 1 for targets
    loss            F64 [1]: of sft the mean over targets, of dpo over pairs, else over tokens
    grad.TENSOR     F32: its gradient, elements 0, stride, 2 stride ...
    stride          I32 [1]
    reference       F64 [sequences]: of dpo, the frozen log p; sequences 2k and 2k + 1 are a pair
    beta            F64 [1]
    chosen, rejected, accuracy      F64 [1]: of dpo, as TRL logs them
    top             U8 [1][sequences][tokens][N]: of distillation, the teacher's tokens
    top_logp        F32, likewise
    teacher         F64 [1]: its share of the loss

sft is what transformers computes of labels that are -100 where they are no targets. dpo is TRL's, by its
trainer's own compute_loss() with the loss types sigmoid and sigmoid_norm; the frozen model is another
one. Of sigmoid_norm TRL logs rewards that are not normalised, so only the loss is compared. Distillation
is autograd's of the formula in kernels/lk.h.
"""

import math
import os
import sys
import tempfile

import torch
import torch.nn.functional as F
from make_llama_golden import DOUBLE, build, write
from safetensors.torch import load_file
from transformers import LlamaConfig

PAIRS, TOKENS, TOP, STRIDE = 3, 20, 5, 11


def model_of(folder, noise=0):
    config = LlamaConfig.from_pretrained(folder)
    weights = load_file(folder + "/model.safetensors")
    g = torch.Generator().manual_seed(5)
    for name in weights:
        weights[name] = weights[name].double()
        weights[name] += noise * torch.randn(weights[name].shape, generator=g, dtype=torch.float64)
    return build(config, DOUBLE, weights)


def conversations(vocab):
    """Sequences of several lengths: a prompt that the two of a pair share, and an answer of targets."""
    g = torch.Generator().manual_seed(4)
    ids = torch.zeros(2 * PAIRS, TOKENS + 1, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for k in range(PAIRS):
        prompt = torch.randint(vocab, (3 + 2 * k,), generator=g)
        for s in 2 * k, 2 * k + 1:
            answer = 4 + 3 * k + s % 2 * 2
            ids[s, : len(prompt)] = prompt
            ids[s, len(prompt) : len(prompt) + answer] = torch.randint(vocab, (answer,), generator=g)
            mask[s, len(prompt) : len(prompt) + answer] = 1
    return ids, mask


def save(folder, name, model, loss, ids, mask, **more):
    model.zero_grad()
    loss.backward()
    out = {"grad." + n: p.grad.flatten()[::STRIDE].float().contiguous() for n, p in model.named_parameters()}
    out |= {"ids": ids[None, :, :-1].to(torch.uint8).contiguous()}
    out |= {"labels": ids[None, :, 1:].to(torch.uint8).contiguous(), "weight": mask[None, :, 1:].float().contiguous()}
    out["micro"], out["stride"] = (torch.tensor([x], dtype=torch.int32) for x in (1, STRIDE))
    out["loss"] = torch.tensor([loss.item()], dtype=torch.float64)
    for key, value in more.items():
        out[key] = value if torch.is_tensor(value) else torch.tensor([value], dtype=torch.float64)
    write(out, f"{folder}/{name}.safetensors")
    print(f"{name}: loss {loss.item():.6f}")


def sft(folder, ids, mask):
    model = model_of(folder)
    labels = ids.masked_fill(mask == 0, -100)
    save(folder, "sft", model, model(ids, labels=labels, use_cache=False).loss, ids, mask)


def log_p(model, ids, mask):
    with torch.no_grad():
        x = model(ids[:, :-1], use_cache=False).logits.log_softmax(-1)
    return (x.gather(2, ids[:, 1:, None])[..., 0] * mask[:, 1:]).sum(1)


def trainer_of(model, reference, kind, beta, folder):
    """TRL's trainer; of what it is given only the models and the settings matter here."""
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    from trl import DPOConfig, DPOTrainer

    words = Tokenizer(models.WordLevel({str(i): i for i in range(model.config.vocab_size)}, unk_token="0"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="0", eos_token="2", unk_token="0")
    args = DPOConfig(folder, loss_type=[kind], beta=beta, use_cpu=True, report_to=[], bf16=False, disable_tqdm=True)
    args.gradient_checkpointing = False
    row = {"prompt": "3 4", "chosen": " 5", "rejected": " 6"}
    return DPOTrainer(model, reference, args, train_dataset=Dataset.from_list([row]), processing_class=tokenizer)


def dpo(folder, name, kind, beta, ids, mask):
    model, reference = model_of(folder), model_of(folder, noise=0.05)
    frozen = log_p(reference, ids, mask)
    with tempfile.TemporaryDirectory() as room:
        trainer = trainer_of(model, reference, kind, beta, room)
        # All chosen, then all rejected.
        order = [*range(0, 2 * PAIRS, 2), *range(1, 2 * PAIRS, 2)]
        inputs = {"input_ids": ids[order], "completion_mask": mask[order]}
        inputs["attention_mask"] = torch.ones_like(ids)
        loss = trainer.compute_loss(trainer.model, inputs)
        log = {k: v[-1] for k, v in trainer._metrics["train"].items() if k.startswith("rewards/")}
    rewards = {}
    if kind == "sigmoid":
        rewards = {k: log["rewards/" + k] for k in ("chosen", "rejected")}
        rewards["accuracy"] = log["rewards/accuracies"]
    save(folder, name, model, loss, ids, mask, reference=frozen, beta=beta, **rewards)


def distill(folder, name, share, ids, mask):
    model, teacher = model_of(folder), model_of(folder, noise=0.1)
    with torch.no_grad():
        said = teacher(ids[:, :-1], use_cache=False).logits.log_softmax(-1)
    top_logp, top = said.topk(TOP)
    top, order = top.sort()
    top_logp = top_logp.gather(2, order).float()
    q = model(ids[:, :-1], use_cache=False).logits.log_softmax(-1)
    q_top, p_top = q.gather(2, top), top_logp.double()
    p_tail = 1 - p_top.exp().sum(-1)
    q_tail = q.scatter(2, top, -math.inf).logsumexp(-1)
    kl = (p_top.exp() * (p_top - q_top)).sum(-1) + p_tail * (p_tail.log() - q_tail)
    ce = -q.gather(2, ids[:, 1:, None])[..., 0]
    weight = mask[:, 1:].double()
    loss = ((share * kl + (1 - share) * ce) * weight).sum() / weight.sum()
    check = F.kl_div(q, said, log_target=True, reduction="none").sum(-1)
    assert (kl <= check + 1e-6).all(), "the tail as one event cannot be farther than its tokens"
    top = top[None].to(torch.uint8).contiguous()
    save(folder, name, model, loss, ids, mask, top=top, top_logp=top_logp[None].contiguous(), teacher=share)


def main():
    torch.set_num_threads(1)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    folder = sys.argv[1]
    ids, mask = conversations(LlamaConfig.from_pretrained(folder).vocab_size)
    sft(folder, ids, mask)
    dpo(folder, "dpo", "sigmoid", 0.1, ids, mask)
    dpo(folder, "dpo-norm", "sigmoid_norm", 2.0, ids, mask)
    everything = torch.ones_like(mask)
    distill(folder, "distill", 1.0, ids, everything)
    distill(folder, "mixture", 0.3, ids, mask)


if __name__ == "__main__":
    main()
