"""lucie-export's models in transformers and, where llama-cpp-python is installed, in llama.cpp: the ids of texts, the
log p of each token, and greedy continuations.

    build/torch-venv/bin/pip install -r tests/interop/requirements-torch.txt llama-cpp-python==0.3.36
    make check TESTS=torch_export

The script runs with transformers 4 as well, and without PyTorch: then it compares ids and configurations alone. Texts
are those of tests/data and, where it is there, ../shared/reference/lucie.
"""

import json
import os
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
import transformers
from transformers import AutoConfig, AutoTokenizer, GenerationConfig

try:
    import torch
except ImportError:
    torch = None
try:
    import llama_cpp
    import numpy as np
except ImportError:
    llama_cpp = None

SRC = os.path.abspath(os.environ.get("LUCIE_SRC", "."))
BIN = os.path.join(os.path.abspath(os.environ["LUCIE_BUILD"]), "bin")
PUBLISHED = os.path.join(SRC, "../shared/reference/lucie")
PROMPT, TOKENS, CONTEXT = "La rivière traverse", 100, 128
INI = f"""
[model]
hidden = 48
layers = 3
heads = 4
kv_heads = 2
ffn = 96
init_std = 0.2
[train]
steps = 20
context = {CONTEXT}
micro_batch = 2
global_batch = 2
lr = 1e-2
"""
MODELS = {
    "plain": [],
    "tied": ["model.tied=yes"],
    "linear": ["model.rope_scaling=linear", "model.rope_factor=2"],
    "llama3": ["model.rope_scaling=llama3", "model.rope_factor=8", "model.rope_original=16", "model.rope_theta=5e5"],
}
TEMPLATE = "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
done = 0


def ok(name, passed, why=""):
    global done
    done += 1
    print(f"{'ok' if passed else 'not ok'} {done} - {name}")
    if why:
        print(f"# {why}")


def tool(name, *args):
    run = subprocess.run([os.path.join(BIN, name), "-q", *args], check=True, stdout=subprocess.PIPE)
    return run.stdout.decode()


def make_model(name, tokenizer, *settings):
    shard = os.path.join(SRC, "tests/data/a.jsonl")
    tool("lucie-shard", "-t", tokenizer, "-o", name + ".shard", shard)
    with open("run.ini", "w") as f:
        f.write(INI)
    sets = [f"data.train={name}.shard", f"data.tokenizer={tokenizer}", *settings]
    tool("lucie-train", "-c", "run.ini", *[w for s in sets for w in ("--set", s)], "-o", name + ".run")
    tool("lucie-export", "--dtype", "f32", "-o", name, "--gguf", name + ".gguf", name + ".run")


def texts():
    for name in ("a.jsonl", "b.jsonl"):
        for line in open(os.path.join(SRC, "tests/data", name)):
            yield json.loads(line)["text"]


def check_ids(name, golden):
    """Every text has the ids that lucie-tok-encode gives it, or that are published."""
    tok = AutoTokenizer.from_pretrained(name)
    bad = [text for text, ids in golden if tok(text)["input_ids"] != ids]
    ok(f"{name}: ids of {len(golden)} texts", not bad, f"{type(tok).__name__}, {len(bad)} differ {bad[:1]}")
    config, generation = AutoConfig.from_pretrained(name), GenerationConfig.from_pretrained(name)
    for mark in ("bos", "eos", "pad"):
        got = [getattr(c, mark + "_token_id") for c in (tok, config, generation)]
        ok(f"{name}: {mark}", len(set(got)) == 1 and got[0] is not None, got)


def our_ids(tokenizer):
    with open("texts.jsonl", "w") as f:
        for text in texts():
            print(json.dumps({"text": text}), file=f)
    # The tokenizer's own template, as transformers adds it.
    lines = tool("lucie-tok-encode", "-t", tokenizer, "--add", "template", "texts.jsonl").splitlines()
    return [(text, json.loads(line)["ids"]) for text, line in zip(texts(), lines)]


def continuation(name):
    line = tool("lucie-generate", "--json", "--temperature", "0", "-n", str(TOKENS), "--dtype", "fp32", "-p", PROMPT, name)
    return json.loads(line)


def check_torch(name):
    tok = AutoTokenizer.from_pretrained(name)
    model = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32).eval()
    ours = continuation(name)
    prompt = tok(PROMPT)["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([prompt + ours["ids"]])).logits[0]
    log_p = logits.log_softmax(-1)
    at = [log_p[len(prompt) - 1 + i] for i in range(len(ours["ids"]))]
    off = max(abs(float(p[k]) - q) for p, k, q in zip(at, ours["ids"], ours["log_p"]))
    ok(f"{name}: log p of {len(at)} tokens as in transformers", off < 1e-4, f"largest difference {off:.1e}")
    # Where two tokens are as likely as rounding can tell, either is right.
    worse = max(float(p.max() - p[k]) for p, k in zip(at, ours["ids"]))
    ok(f"{name}: each is transformers' most likely one", worse < 1e-4, f"{worse:.1e}")
    return prompt, ours["ids"], logits.numpy()


def check_llama_cpp(name, prompt, ours, logits):
    model = llama_cpp.Llama(name + ".gguf", n_ctx=256, logits_all=True, verbose=False, type_k=0, type_v=0, flash_attn=False)
    model.eval(prompt)
    ids = []
    while len(ids) < len(ours):
        ids.append(int(np.argmax(model.scores[model.n_tokens - 1])))
        model.eval([ids[-1]])
    ok(f"{name}: llama.cpp continues alike for {len(ours)} tokens", ids == ours, ids[:10])
    off = abs(np.array(model.scores[: len(logits)]) - logits).max()
    ok(f"{name}: llama.cpp's logits", off < 1e-3, f"largest difference {off:.1e}")


def check_llama_cpp_ids(name, golden):
    """Of normalized text llama.cpp's ids are the same; of raw text only where nothing is normalized."""
    model = llama_cpp.Llama(name + ".gguf", vocab_only=True, verbose=False)
    normalizer = AutoTokenizer.from_pretrained(name).backend_tokenizer.normalizer
    special = [a["content"] for a in json.load(open(name + "/tokenizer.json"))["added_tokens"]]
    golden = [(text, ids) for text, ids in golden if not any(s in text for s in special)]
    raw, normal = 0, 0
    for text, ids in golden:
        shown = normalizer.normalize_str(text).replace("\u2581", " ")[1:] if normalizer and text else text
        raw += model.tokenize(text.encode(), add_bos=True, special=True) == ids
        normal += model.tokenize(shown.encode(), add_bos=True, special=True) == ids
    ok(f"{name}: llama.cpp's ids of normalized texts", normal == len(golden), f"{normal} of {len(golden)}; of raw texts {raw}")


def check_published():
    """The published tokenizer and the texts beside it."""
    tokenizer = os.path.join(PUBLISHED, "tokenizer.json")
    if not os.path.exists(tokenizer):
        print("# ../shared/reference/lucie is not there")
        return
    golden = [json.loads(line) for line in open(os.path.join(PUBLISHED, "golden_encodings.jsonl"))]
    golden = [(g["text"], g["ids"]) for g in golden]
    make_model("published", tokenizer, "train.steps=1")
    check_ids("published", golden)
    if llama_cpp:
        check_llama_cpp_ids("published", golden)


def check_chat():
    with open("chat.jinja", "w") as f:
        f.write(TEMPLATE)
    tool("lucie-tok-train", "--vocab-size", "420", "--special-token", "<|im_start|>", "--special-token", "<|im_end|>",
        "-o", "chat.json", os.path.join(SRC, "tests/data/a.jsonl"))
    make_model("chatty", "chat.json", "train.steps=1")
    tool("lucie-export", "--chat-template", "chat.jinja", "-o", "chat", "chatty.run")
    tok = AutoTokenizer.from_pretrained("chat")
    got = tok.apply_chat_template([{"role": "user", "content": "Où ?"}], tokenize=False)
    ok("a chat template is used", got == "<s><|im_start|>user\nOù ?<|im_end|>\n", got)
    end = tok.convert_tokens_to_ids("<|im_end|>")
    stop = GenerationConfig.from_pretrained("chat").eos_token_id
    ok("the end of a turn ends a generation", stop == [tok.eos_token_id, end], stop)


def main():
    print(f"# transformers {transformers.__version__}, torch {torch and torch.__version__}, "
        f"llama-cpp-python {llama_cpp and llama_cpp.__version__}")
    if torch:
        torch.set_num_threads(1)
    tool("lucie-tok-train", "--vocab-size", "400", "-o", "own.json", os.path.join(SRC, "tests/data/a.jsonl"))
    for name, settings in MODELS.items():
        make_model(name, "own.json", *settings)
        if torch:
            prompt, ids, logits = check_torch(name)
            if llama_cpp:
                check_llama_cpp(name, prompt, ids, logits)
    for preset in ("lucie", "lucie-2024", "bytelevel", "metaspace"):
        tool("lucie-tok-train", "--preset", preset, "--vocab-size", "500", "-o", preset + ".json", os.path.join(SRC, "tests/data/a.jsonl"))
        make_model(preset, preset + ".json", "train.steps=1")
        golden = our_ids(preset + ".json")
        check_ids(preset, golden)
        if llama_cpp:
            check_llama_cpp_ids(preset, golden)
    check_chat()
    check_published()
    print(f"1..{done}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
    sys.exit(0)
