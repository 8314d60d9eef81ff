"""The files of lucie-tok-train in the oldest and the newest version of Hugging Face tokenizers that
lucie-tok-train(1) names: each loads them, encodes as lucie-tok-encode and decodes alike."""

import json
import os
import random
import subprocess
import sys
import tempfile

from lib.texts import random_texts, write_docs

OLD = os.path.join(sys.prefix, "old")
HARD = "  a|l'eau\t\tb|«\u00a0œuvre\u00a0» 2024|\u2581x|語言 👍🏽|#version 3|<s>|\n\n\nx|"
# Prints the version, then for each text its ids and what they decode to.
CLIENT = """
import json, sys, tokenizers
tok = tokenizers.Tokenizer.from_file(sys.argv[1])
print(tokenizers.__version__)
for text in json.load(sys.stdin):
    ids = tok.encode(text).ids
    print(json.dumps([ids, tok.decode(ids)]))
"""
PRESETS = {
    "lucie": [],
    "lucie-2024": [],
    "bytelevel": ["--special-token", "a b"],
    "metaspace": ["--special-token", "a b", "--punctuation", "split", "--digits", "single", "--form", "nfkc"],
}


def client(path, name, texts):
    env = {**os.environ, "PYTHONPATH": path}
    p = subprocess.run([sys.executable, "-c", CLIENT, name], input=json.dumps(texts), env=env, capture_output=True, text=True)
    if p.returncode:
        return "?", p.stderr.strip().split("\n")[-1]
    version, *lines = p.stdout.strip().split("\n")
    return version, [json.loads(line) for line in lines]


def ours(tmp, name, texts):
    docs = os.path.join(tmp, "texts.jsonl")
    write_docs(docs, texts)
    made = ["lucie-tok-encode", "-t", name, "--add", "template", "--special", "parse", "--allow-doubled", docs]
    encoded = subprocess.run(made, capture_output=True, check=True).stdout.decode()
    return [json.loads(line)["ids"] for line in encoded.splitlines()]


def main():
    rnd = random.Random(19)
    texts = [t for _ in range(40) for t in random_texts(rnd)] + ["#version " * 9 + "x#versions " * 9]
    probes = [t.replace("\0", "") for t in texts[:60]] + HARD.split("|")
    failed = 0
    print("1..%d" % (2 * len(PRESETS)))
    for n, (preset, options) in enumerate(PRESETS.items()):
        with tempfile.TemporaryDirectory() as tmp:
            docs, name = os.path.join(tmp, "docs.jsonl"), os.path.join(tmp, "tokenizer.json")
            write_docs(docs, texts)
            subprocess.run(["lucie-tok-train", "-q", "-n", "900", "--preset", preset, *options, "-o", name, docs], check=True)
            want = ours(tmp, name, probes)
            new = client("", name, probes)
            for k, (what, (version, got)) in enumerate([("newest", new), ("oldest", client(OLD, name, probes))], 1):
                why = got if isinstance(got, str) else ""
                if not why and what == "oldest" and not version.startswith("0.19."):
                    why = "version " + version
                if not why and [ids for ids, _ in got] != want:
                    why = "other ids than lucie-tok-encode"
                if not why and got != new[1]:
                    why = "other texts than version " + new[0]
                print("%sok %d - %s: the %s tokenizers, %s" % ("not " if why else "", 2 * n + k, preset, what, version))
                if why:
                    print("# " + why)
                    failed += 1
    return failed > 0


sys.exit(main())
