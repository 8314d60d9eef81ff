"""The files of lucie-export beside the weights, read by Hugging Face transformers, with marks that do not exist."""

import itertools
import json
import os
import subprocess
import sys
import tempfile

from transformers import AutoConfig, AutoTokenizer, GenerationConfig

BIN = os.path.join(os.environ["LUCIE_BUILD"], "bin")
MARKS = {"bos": "<s>", "eos": "</s>", "pad": "<pad>"}
INI = """
[model]
preset = tiny
[data]
train = shard
tokenizer = marks.json
[train]
steps = 1
context = 8
micro_batch = 2
global_batch = 2
"""
done = 0


def ok(name, passed, why=""):
    global done
    done += 1
    print(f"{'ok' if passed else 'not ok'} {done} - {name}")
    if not passed:
        print(f"# {why}")


def tool(name, *args):
    subprocess.run([os.path.join(BIN, name), "-q", *args], check=True)


def tokenizer_without(lacks):
    t = json.load(open("all.json"))
    for mark in lacks:
        new = f"<{mark}-x>"
        for a in t["added_tokens"]:
            a["content"] = new if a["content"] == MARKS[mark] else a["content"]
        vocab = t["model"]["vocab"]
        if MARKS[mark] in vocab:
            vocab[new] = vocab.pop(MARKS[mark])
    t["post_processor"] = None
    json.dump(t, open("marks.json", "w"))
    return t["model"]["vocab"]


def main():
    with open("docs.jsonl", "w") as f:
        for i in range(20):
            print(json.dumps({"id": i, "text": "La rivière traverse le village %d." % i}), file=f)
    with open("run.ini", "w") as f:
        f.write(INI)
    tool("lucie-tok-train", "--vocab-size", "400", "-o", "all.json", "docs.jsonl")
    for n in range(4):
        for lacks in itertools.combinations(MARKS, n):
            vocab = tokenizer_without(lacks)
            tool("lucie-shard", "--add", "none", "-t", "marks.json", "-o", "shard", "docs.jsonl")
            subprocess.run(["rm", "-rf", "run", "hf"], check=True)
            tool("lucie-train", "-c", "run.ini", "-o", "run")
            tool("lucie-export", "-o", "hf", "run")
            config, tok = AutoConfig.from_pretrained("hf"), AutoTokenizer.from_pretrained("hf")
            generation = GenerationConfig.from_pretrained("hf")
            for mark, text in MARKS.items():
                want = None if mark in lacks else vocab[text]
                got = [getattr(c, mark + "_token_id") for c in (config, generation, tok)]
                ok(f"without {' '.join(lacks) or 'nothing'}: {mark} is {want}", got == [want] * 3, got)
    print(f"1..{done}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
    sys.exit(0)
