"""lucie-generate against transformers' generate() and, with a GGUF file, llama.cpp, on one model.

    python tests/interop/torch_generate.py MODEL [MODEL.gguf]

MODEL is a folder of lucie-export --dtype f32. Greedy continuations are equal, with and without a
repetition penalty; log p is that of transformers; sampled tokens are among those that its top-k, top-p
and min-p keep. Prints the speed of each. By hand: needs torch, transformers and, for the rest,
llama-cpp-python.
"""

import json
import subprocess
import sys
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation import logits_process as lp

TOKENS, THREADS = 100, "2"
PROMPTS = ["The sea", "La mer", "In the beginning", "Le fichier", "A long time ago", "Die Stadt"]
PROMPTS += ["Usage: ", "Il était une fois", "1, 2, 3,", "The file", "Copyright", "El sol"] + PROMPTS[:4]
torch.set_num_threads(int(THREADS))


def lucie(model, *args, prompts=PROMPTS):
    cmd = ["lucie-generate", "-q", "-j", THREADS, "--json", "--lines", *args, model, "-"]
    p = subprocess.run(cmd, input="\n".join(prompts) + "\n", capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    return [json.loads(line) for line in p.stdout.splitlines()]


def seconds(model, *args, prompts=PROMPTS):
    """Of TOKENS steps, without loading: a run of many less one of few."""
    best = {}
    for _ in range(3):
        for n in (1, TOKENS):
            start = time.monotonic()
            lucie(model, "-n", str(n), "--temperature", "0", *args, prompts=prompts)
            took = time.monotonic() - start
            best[n] = min(best.get(n, took), took)
    return max(best[TOKENS] - best[1], 1e-9)


def main():
    path = sys.argv[1]
    tok = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    bos = model.config.bos_token_id

    def ids_of(text):
        ids = tok(text, add_special_tokens=False).input_ids
        return ([] if bos is None else [bos]) + ids

    def greedy(text, **how):
        ids = torch.tensor([ids_of(text)])
        out = model.generate(ids, max_new_tokens=TOKENS, do_sample=False, **how)[0, ids.shape[1] :]
        eos = model.generation_config.eos_token_id
        return [i for i in out.tolist() if i != eos]

    for penalty in (1.0, 1.3):
        got = lucie(path, "-n", str(TOKENS), "--temperature", "0", "--repetition-penalty", str(penalty))
        same = [g["ids"] == greedy(p, repetition_penalty=penalty) for g, p in zip(got, PROMPTS)]
        print(f"penalty {penalty}: {sum(same)} of {len(same)} greedy continuations equal transformers'")
        assert sum(same) == len(same)

    got = lucie(path, "-n", "40", "--temperature", "0.9", "--top-k", "50", "--top-p", "0.9", "--min-p", "0.02")
    keep = [lp.TemperatureLogitsWarper(0.9), lp.TopKLogitsWarper(50), lp.TopPLogitsWarper(0.9), lp.MinPLogitsWarper(0.02)]
    worst, tokens = 0.0, 0
    for g, p in zip(got, PROMPTS):
        ids = torch.tensor([ids_of(p) + g["ids"]])
        with torch.no_grad():
            logits = model(ids).logits[0].double()
        for i, (token, log_p) in enumerate(zip(g["ids"], g["log_p"])):
            row = logits[len(ids[0]) - len(g["ids"]) - 1 + i][None]
            worst = max(worst, abs(torch.log_softmax(row, -1)[0, token].item() - log_p))
            for k in keep:
                row = k(None, row)
            assert row[0, token] > -float("inf"), (p, i)
            tokens += 1
    print(f"{tokens} sampled tokens are kept by transformers; log p differs by {worst:.1e} at most")
    assert worst < 1e-4

    one = seconds(path, prompts=PROMPTS[:1])
    many = seconds(path, "--batch", "16")
    print(f"lucie-generate: {TOKENS / one:.0f} tokens/s alone, {16 * TOKENS / many:.0f} in a batch of 16")
    tok.pad_token_id = model.config.pad_token_id or model.config.eos_token_id
    tok.padding_side = "left"
    for n in (1, 16):
        batch = tok.pad({"input_ids": [ids_of(p) for p in PROMPTS[:n]]}, return_tensors="pt")
        best = 1e9
        for _ in range(3):
            start = time.monotonic()
            model.generate(**batch, max_new_tokens=TOKENS, min_new_tokens=TOKENS, do_sample=False)
            best = min(best, time.monotonic() - start)
        print(f"transformers: {n * TOKENS / best:.0f} tokens/s in a batch of {n}")
    if len(sys.argv) > 2:
        import llama_cpp

        l = llama_cpp.Llama(sys.argv[2], n_ctx=256, n_threads=int(THREADS), verbose=False)
        same, best = 0, 1e9
        got = lucie(path, "-n", str(TOKENS), "--temperature", "0")
        for g, p in zip(got, PROMPTS):
            l.reset()
            start, out = time.monotonic(), []
            for token in l.generate(ids_of(p), temp=0.0, repeat_penalty=1.0):
                if len(out) == TOKENS or token == l.token_eos():
                    break
                out.append(token)
            if len(out) == TOKENS:
                best = min(best, time.monotonic() - start)
            same += out == g["ids"]
        print(f"llama.cpp: {TOKENS / best:.0f} tokens/s alone; {same} of {len(PROMPTS)} continuations equal")
        assert same == len(PROMPTS)


if __name__ == "__main__":
    main()
