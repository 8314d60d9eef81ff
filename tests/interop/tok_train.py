"""lucie-tok-train learns what Hugging Face's BpeTrainer learns: on random texts, each preset."""

import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

ROUNDS = int(os.environ.get("ROUNDS", "75"))
MARK = "\u2581"
WORD = r"[\w\u200C\u200D&&[^\p{N}]]"
BORDERS = r"\u2581?%s+|[\u2581\u00A0\u202F]?[^\w\s\u200C\u200D\p{N}\u2581]+|[\s\S]" % WORD
LETTERS = [
    "ab",
    "abcd e",
    "abcdefghij  \n\t",
    "éàçù'’ lqu«»\u00a0\u202f!?;:",
    "e\u0301a\u0300\u0327 \u00e9n",
    "0123456789 .,-/x²½",
    "语言模型日本語 ab",
    "👍🏽👩\u200d🚀❤\ufe0f ok",
    "{}[]()<>=_*#\"' if\n    ",
    "\u2581 \u2581a\r\u0000b",
]


def text(rnd):
    letters = rnd.choice(LETTERS) + (rnd.choice(LETTERS) if rnd.random() < 0.5 else "")
    words = ["".join(rnd.choices(letters, k=rnd.randint(1, 8))) for _ in range(rnd.randint(2, 40))]
    weight = [1 / (i + 1) for i in range(len(words))]
    return [
        " ".join(rnd.choices(words, weight, k=rnd.randint(0, 60))) for _ in range(rnd.randint(1, 8))
    ]


def ours(preset, texts, options):
    with tempfile.TemporaryDirectory() as tmp:
        name = os.path.join(tmp, "t.jsonl")
        with open(name, "w", encoding="utf-8") as f:
            for t in texts:
                f.write(json.dumps({"text": t}, ensure_ascii=False) + "\n")
        run = subprocess.run(
            ["lucie-tok-train", "-q", "--preset", preset, *options, name], capture_output=True
        )
    if run.returncode:
        return None, run.stderr.decode()
    return run.stdout.decode(), ""


def theirs(preset, made, texts, vocab_size, min_frequency, limit, longest):
    """The same components, with an empty model; then their own training."""
    tok = Tokenizer.from_str(made)
    doc = json.loads(made)
    vocab = sorted(doc["model"]["vocab"].items(), key=lambda x: x[1])
    base = 4 + 256 * (preset != "bytelevel")
    if preset.startswith("lucie"):
        base += 40 + 14 + 10
    seeds = [v[0] for v in vocab[:base]]
    new = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if tok.normalizer is not None:
        new.normalizer = tok.normalizer
    if tok.pre_tokenizer is not None:
        new.pre_tokenizer = tok.pre_tokenizer
    if preset == "lucie":
        new.pre_tokenizer = pre_tokenizers.Split(Regex(BORDERS), "isolated")
    if preset == "lucie-2024":
        doc["normalizer"]["normalizers"] = doc["normalizer"]["normalizers"][:-2]
        new.normalizer = Tokenizer.from_str(json.dumps(doc)).normalizer
        new.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Metaspace(MARK, "first"),
                pre_tokenizers.Split(Regex(MARK + r"?[^\w\s" + MARK + "]+"), "isolated"),
                pre_tokenizers.Split(Regex(r"[\n\t]"), "isolated"),
                pre_tokenizers.Digits(True),
            ]
        )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=seeds,
        show_progress=False,
        **({"limit_alphabet": limit} if limit else {}),
        **({"max_token_length": longest} if longest else {}),
        **({"initial_alphabet": pre_tokenizers.ByteLevel.alphabet()} if preset == "bytelevel" else {}),
    )
    new.train_from_iterator(texts, trainer)
    model = json.loads(new.to_str())["model"]
    return model["vocab"], [tuple(m) for m in model["merges"]]


def one(preset, rnd):
    texts = text(rnd)
    longest = rnd.choice([0, 0, 0, 2, 3, 5])
    min_frequency = rnd.choice([0, 1, 2, 2, 3])
    vocab_size = {"lucie": 324, "lucie-2024": 324, "bytelevel": 260, "metaspace": 260}[preset]
    vocab_size += rnd.choice([60, 90, 120, 400])
    options = ["-n", str(vocab_size), "--min-frequency", str(min_frequency)]
    options += ["--max-token-length", str(longest), "--limit-alphabet", "0"]
    made, why = ours(preset, texts, options)
    if made is None:
        return why
    vocab, merges = theirs(preset, made, texts, vocab_size, min_frequency, 0, longest)
    model = json.loads(made)["model"]
    mine = [tuple(m) for m in model["merges"]]
    if preset.startswith("lucie"):
        mine = mine[: len(mine) - (28 + 6 + 1)]
    if model["vocab"] != vocab:
        odd = set(vocab.items()) ^ set(model["vocab"].items())
        return "%s: %d pieces differ, e.g. %s; %r" % (" ".join(options), len(odd), list(odd)[:4], texts[:2])
    if mine != merges:
        k = next((i for i, (a, b) in enumerate(zip(mine, merges)) if a != b), min(len(mine), len(merges)))
        return "%s: merge %d: %s, theirs %s" % (" ".join(options), k, mine[k : k + 2], merges[k : k + 2])
    return ""


def limited(rnd):
    """limit_alphabet, where no tie lets Hugging Face choose at random."""
    for _ in range(200):
        texts = text(rnd)
        made, _ = ours("lucie-2024", texts, ["-n", "2000", "--limit-alphabet", "0"])
        seen = {}
        doc = json.loads(made)
        doc["normalizer"]["normalizers"] = doc["normalizer"]["normalizers"][:-2]
        norm = Tokenizer.from_str(json.dumps(doc)).normalizer
        for t in texts:
            t = norm.normalize_str(t).replace(" ", MARK)
            for c in t if not t or t[0] == MARK else MARK + t:
                seen[c] = seen.get(c, 0) + 1
        counts = sorted(seen.values(), reverse=True)
        cut = [k for k in range(3, len(counts)) if counts[k - 1] > counts[k]]
        if not cut:
            continue
        limit = rnd.choice(cut)
        options = ["-n", "460", "--min-frequency", "1", "--limit-alphabet", str(limit)]
        made, why = ours("lucie-2024", texts, options)
        if made is None:
            return why
        vocab, merges = theirs("lucie-2024", made, texts, 460, 1, limit, 0)
        model = json.loads(made)["model"]
        if model["vocab"] != vocab:
            return "limit %d: pieces differ %r" % (limit, texts[:3])
        if [tuple(m) for m in model["merges"][:-35]] != merges:
            return "limit %d: merges differ %r" % (limit, texts[:3])
        return ""
    return "no text without a tie"


def main():
    bad = 0
    presets = ["lucie", "lucie-2024", "bytelevel", "metaspace"]
    print("1..%d" % (len(presets) + 1))
    for n, preset in enumerate(presets, 1):
        rnd = random.Random(20240700 + n)
        faults = [f for f in (one(preset, rnd) for _ in range(ROUNDS)) if f]
        print("%sok %d - %s: %d random texts" % ("not " if faults else "", n, preset, ROUNDS))
        for f in faults[:3]:
            print("# " + f.replace("\n", "\\n"))
        bad += len(faults)
    rnd = random.Random(7)
    faults = [f for f in (limited(rnd) for _ in range(ROUNDS // 5)) if f]
    print("%sok %d - limit_alphabet" % ("not " if faults else "", len(presets) + 1))
    for f in faults[:3]:
        print("# " + f.replace("\n", "\\n"))
    return bad + len(faults) > 0


sys.exit(main())
