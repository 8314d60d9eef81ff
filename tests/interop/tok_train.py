"""lucie-tok-train against Hugging Face's BpeTrainer: random texts and options, for each preset."""

import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile

from lib.texts import MARK, merge_pairs, random_texts, write_docs
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

ROUNDS = int(os.environ.get("ROUNDS", "260"))
WORD = r"[\w\u200C\u200D&&[^\p{N}]]"
WORDS = r"\u2581?%s+|[\u2581\u00A0\u202F]?[^\w\s\u200C\u200D\p{N}\u2581]+|[\s\S]" % WORD
# Seed pieces.
BASE = {"lucie": 324, "lucie-2024": 324, "bytelevel": 260, "metaspace": 260}
RUNS = 28 + 6 + 1  # merges of blank runs, which the lucie presets put last


def ours(preset, texts, options, alphabet):
    with tempfile.TemporaryDirectory() as tmp:
        name = os.path.join(tmp, "t.jsonl")
        write_docs(name, texts)
        if alphabet:
            listed = os.path.join(tmp, "alphabet")
            with open(listed, "w", encoding="utf-8") as f:
                f.writelines("U+%04X\n" % ord(c) for c in alphabet)
            options = options + ["--alphabet", listed]
        run = subprocess.run(
            ["lucie-tok-train", "-q", "-j1", "--preset", preset, *options, name], capture_output=True
        )
    if run.returncode:
        return None, run.stderr.decode()
    return run.stdout.decode(), ""


def components(preset, made):
    """The normalizer and the pre-tokenizer that training runs."""
    tok = Tokenizer.from_str(made)
    new = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if tok.normalizer is not None:
        new.normalizer = tok.normalizer
    if tok.pre_tokenizer is not None:
        new.pre_tokenizer = tok.pre_tokenizer
    if preset == "lucie":
        new.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "isolated")
    if preset == "lucie-2024":
        doc = json.loads(made)
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
    return new


def weights(new, texts, alphabet):
    """The weight of each character in the choice of the alphabet."""
    seen = {}
    for t in texts:
        if new.normalizer is not None:
            t = new.normalizer.normalize_str(t)
        for piece, _ in new.pre_tokenizer.pre_tokenize_str(t):
            for c in piece:
                seen[c] = seen.get(c, 0) + 1
    seen.update((c, sys.maxsize) for c in alphabet)
    return seen


class Case:
    """Random texts and options."""

    def __init__(self, preset, rnd):
        self.preset = preset
        self.texts = random_texts(rnd)
        self.longest = rnd.choice([0, 0, 0, 1, 2, 3, 4, 5, 8])
        self.least = rnd.choice([0, 1, 2, 2, 3, 5])
        self.alphabet = []
        self.special = []
        self.limit = 0
        seen = sorted(set("".join(self.texts)) - set("\r\0 " + MARK))
        if preset != "bytelevel" and rnd.random() < 0.4:
            self.alphabet = rnd.sample("xyzXYZéßñждю語言😀", rnd.randint(1, 12))
            self.alphabet += rnd.sample(seen, min(len(seen), rnd.randint(0, 3)))
            self.alphabet = sorted(set(self.alphabet))
        # Not for lucie, which protects its special tokens from merges; the trainer does not.
        if preset != "lucie" and rnd.random() < 0.6:
            words = " ".join(self.texts).split()
            for _ in range(rnd.randint(1, 6)):
                w = rnd.choice(words) if words and rnd.random() < 0.8 else "<%d>" % rnd.randint(0, 9)
                n = rnd.randint(1, max(1, len(w)))
                at = rnd.randint(0, max(0, len(w) - n))
                self.special.append((MARK if preset == "metaspace" and rnd.random() < 0.3 else "") + w[at : at + n])
            self.special = [s for s in dict.fromkeys(self.special) if s and not set(s) & set("\r\0\n\t0123456789") and s != MARK]
        self.spelled = False
        self.rnd = rnd

    def options(self, size):
        o = ["--vocab-size", str(size), "--min-frequency", str(self.least), "--limit-alphabet", str(self.limit)]
        o += ["--max-token-length", str(self.longest)]
        for s in self.special:
            o += ["--special-token", s]
        return o

    def run(self):
        made, why = ours(self.preset, self.texts, self.options(3000), self.alphabet)
        if made is None:
            return why
        new = components(self.preset, made)
        initial = set(pre_tokenizers.ByteLevel.alphabet()) if self.preset == "bytelevel" else set(self.alphabet)
        seen = weights(new, self.texts, initial)
        counts = sorted(seen.values(), reverse=True)
        # Limits between different counts: among equal ones Hugging Face picks at random.
        cuts = [k for k in range(max(1, len(initial)), len(counts)) if counts[k - 1] > counts[k]]
        if self.preset not in ("lucie", "bytelevel") and cuts and self.rnd.random() < 0.5:
            self.limit = self.rnd.choice(cuts)
        base = BASE[self.preset] + len(self.special)
        size = base + len(seen) + self.rnd.choice([0, 1, 10, 40, 100, 300])
        made, why = ours(self.preset, self.texts, self.options(size), self.alphabet)
        if made is None:
            return why
        model = json.loads(made)["model"]
        model["merges"] = merge_pairs(model)
        ids = sorted(model["vocab"].items(), key=lambda x: x[1])
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=self.least,
            special_tokens=[v[0] for v in ids[:base]],
            show_progress=False,
            initial_alphabet=sorted(initial),
            **({"limit_alphabet": self.limit} if self.limit else {}),
            **({"max_token_length": self.longest} if self.longest else {}),
        )
        new.train_from_iterator(self.texts, trainer)
        theirs = json.loads(new.to_str())["model"]
        if self.preset.startswith("lucie"):
            model["merges"] = model["merges"][:-RUNS]
        self.spelled = any(a + b in self.special for a, b in theirs["merges"])
        return self.compare(model, theirs, size)

    def compare(self, mine, theirs, size):
        what = " ".join(self.options(size)) + " alphabet " + "".join(self.alphabet)
        if mine["vocab"] != theirs["vocab"]:
            odd = set(mine["vocab"].items()) ^ set(theirs["vocab"].items())
            return "%s: %d pieces differ, e.g. %s; %r" % (what, len(odd), list(odd)[:4], self.texts[:2])
        for k, (a, b) in enumerate(zip(mine["merges"], theirs["merges"])):
            if a != b:
                return "%s: merge %d: %s, theirs %s; %r" % (what, k, a, b, self.texts[:2])
        if len(mine["merges"]) != len(theirs["merges"]):
            return "%s: %d merges, theirs %d" % (what, len(mine["merges"]), len(theirs["merges"]))
        return ""


def main():
    bad = 0
    print("1..%d" % len(BASE))
    pool = concurrent.futures.ThreadPoolExecutor(2)
    for n, preset in enumerate(BASE, 1):
        cases = [Case(preset, random.Random("%d %s" % (i, preset))) for i in range(ROUNDS)]
        faults = [f for f in pool.map(Case.run, cases) if f]
        # The trainer's rules are odd where a merge spells a special token: such texts must occur.
        spelled = sum(c.spelled for c in cases)
        if preset in ("lucie-2024", "metaspace") and spelled < ROUNDS / 50:
            faults.append("only %d texts spell a special token" % spelled)
        print("%sok %d - %s: %d random texts" % ("not " if faults else "", n, preset, ROUNDS))
        for f in faults[:3]:
            print("# " + f.replace("\n", "\\n"))
        bad += len(faults)
    return bad > 0


sys.exit(main())
