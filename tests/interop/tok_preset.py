"""The presets against Hugging Face's libraries: lucie-2024 equals their trainer's file as rewritten by
the original; all files load in tokenizers and transformers, and encode and decode alike there."""

import json
import os
import random
import subprocess
import sys
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"

from lib.texts import LETTERS, MARK, merge_pairs, random_texts, write_docs
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

PUBLISHED = "../shared/reference/lucie/"
ROUNDS = int(os.environ.get("ROUNDS", "60"))
ESCAPED_MARK = "\ufdd0"
# The 18 joiners, in the original's order, and those that its expressions escape.
JOINERS = "\n\t([{/<'\u2019\"\u00ab\u201c\u2018\u201a\u2039\u2014\u2013\u2015"
ESCAPED = "\n\t([{"
HARD = (
    "|  |         x| x |\n|\n\n\nx|\t \t|a\r\nb\r\n|\r|\ufeffabc|x\u00a0y|«\u00a0Mot\u00a0»|« Mot »|(\u00a0x|a'\u00a0b|( \u0301|(\u0301"
    "| \u0301|<\u0338|a\u0327\u0301|\u1112\u1161\u11ab|\uac00\u11a8|\u2581|\u2581\u2581a| \u2581 |(\u2581|👩\u200d🚀❤\ufe0f|🇫🇷🇧🇪"
    "|می\u200cخواهم|l'été à Paris, aujourd’hui|((((  ((((x|''' ' x|1999 ½ ²|\u0958\u2126\u212b|if (x) {\n\t\treturn y;\n\t}\n"
    "|def f(x):\n    return x + 1\n|\x00|(\x00x|<0x41>|<unused5>|¿Qué? ¡Sí!|Straße, „Wörter“ und »mehr«|N° 1 000 km/h"
).split("|")


def run(*args):
    p = subprocess.run(args, capture_output=True)
    if p.returncode:
        raise RuntimeError(" ".join(args) + ": " + p.stderr.decode())
    return p.stdout.decode("utf-8")


def train(tmp, preset, texts, *options):
    docs = os.path.join(tmp, "docs.jsonl")
    write_docs(docs, texts)
    return run("lucie-tok-train", "-q", "--preset", preset, *options, docs)


# --- lucie-2024 ---------------------------------------------------------------------------


def runs(blank, most):
    return [blank * n for n in range(1, most + 1)]


def run_merges(blank, most):
    pairs = [(a, b) for a in range(1, most) for b in range(1, most) if a + b <= most]
    return [[blank * a, blank * b] for a, b in sorted(pairs, key=lambda p: (-p[0], -p[1]))]


def original(texts, o):
    """Their trainer, then the original's changes to its file."""
    tok = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    chain = {"nfc": [normalizers.NFC()], "nfkc": [normalizers.NFKC()], "none": []}[o["form"]]
    chain.append(normalizers.Replace(Regex(r"[\r\x00]"), ""))
    for c in JOINERS:
        look = ("\\" if c in ESCAPED else "") + c + r"(?=[ \w])"
        chain.append(normalizers.Replace(Regex(look), c + " "))
    tok.normalizer = normalizers.Sequence(chain)
    splits = [pre_tokenizers.Metaspace(MARK, "first")]
    if o["punctuation"] == "split":
        splits.append(pre_tokenizers.Split(Regex(MARK + r"?[^\w\s" + MARK + "]+"), "isolated"))
    splits.append(pre_tokenizers.Split(Regex(r"[\n\t]"), "isolated"))
    if o["digits"] == "single":
        splits.append(pre_tokenizers.Digits(True))
    tok.pre_tokenizer = pre_tokenizers.Sequence(splits)
    tok.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(MARK, "always"), decoders.Fuse()]
        + [decoders.Replace(c + " ", c) for c in JOINERS]
    )
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 0)]
    )
    added = ["<s>", "</s>", "<unk>", "<pad>"] + o["special"]
    special = added + ["<0x%02X>" % i for i in range(256)] + ["<unused%d>" % i for i in range(o["reserve"])]
    blanks = list(zip([MARK, "\t", "\n"], o["runs"]))
    for blank, most in blanks:
        special += runs(blank, most)
    if o["digits"] == "single":
        special += "0123456789"
    more = {}
    if o["longest"]:
        more["max_token_length"] = o["longest"]
    tok.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=o["size"],
            min_frequency=o["least"],
            limit_alphabet=o["limit"],
            initial_alphabet=o["alphabet"],
            special_tokens=special,
            show_progress=False,
            **more,
        ),
    )
    doc = json.loads(tok.to_str())
    doc["added_tokens"] = doc["added_tokens"][: len(added)]
    doc["pre_tokenizer"] = None
    doc["normalizer"]["normalizers"] += [
        {"type": "Prepend", "prepend": " "},
        {"type": "Replace", "pattern": {"Regex": "[ \\u00A0]"}, "content": MARK},
    ]
    last = [m for blank, most in blanks for m in run_merges(blank, most)]
    doc["model"]["merges"] = [m for m in doc["model"]["merges"] if m not in last] + last
    return doc


def compare(got, want):
    """Describe the first component that differs."""
    if list(got) != list(want):
        return "members: %s, theirs %s" % (list(got), list(want))
    for part in want:
        if part != "model" and got[part] != want[part]:
            return "%s: %s, theirs %s" % (part, got[part], want[part])
    ours, theirs = ({**f["model"], "merges": merge_pairs(f["model"])} for f in (got, want))
    if list(ours["vocab"].items()) != list(theirs["vocab"].items()):
        odd = set(ours["vocab"].items()) ^ set(theirs["vocab"].items())
        return "vocab: %d differ: %s" % (len(odd), sorted(odd, key=lambda x: x[1])[:6])
    if ours["merges"] != theirs["merges"]:
        k = [a == b for a, b in zip(ours["merges"] + [None], theirs["merges"] + [None])].index(False)
        return "merge %d: %s, theirs %s" % (k, ours["merges"][k : k + 2], theirs["merges"][k : k + 2])
    if list(ours.items()) != list(theirs.items()):
        return "model: %s, theirs %s" % tuple({k: m[k] for k in m if k not in ("vocab", "merges")} for m in (ours, theirs))
    return ""


DEFAULTS = {
    "form": "nfc",
    "punctuation": "split",
    "digits": "single",
    "special": [],
    "reserve": 40,
    "runs": [8, 4, 2],
    "longest": 0,
    "least": 2,
    "limit": 1000,
    "alphabet": [],
    "size": 8000,
}


def against_original(texts, o):
    options = ["--vocab-size", str(o["size"]), "--min-frequency", str(o["least"]), "--limit-alphabet", str(o["limit"])]
    options += ["--max-token-length", str(o["longest"]), "--reserve", str(o["reserve"])]
    options += ["--runs", ",".join(map(str, o["runs"])), "--digits", o["digits"], "--punctuation", o["punctuation"]]
    options += ["--form", o["form"]]
    for s in o["special"]:
        options += ["--special-token", s]
    with tempfile.TemporaryDirectory() as tmp:
        if o["alphabet"]:
            name = os.path.join(tmp, "alphabet")
            with open(name, "w", encoding="utf-8") as f:
                f.writelines("U+%04X\n" % ord(c) if c in "\r\n" or ord(c) % 2 else c + "\n" for c in o["alphabet"])
            options += ["--alphabet", name]
        got = json.loads(train(tmp, "lucie-2024", texts, *options))
    fault = compare(got, original(texts, o))
    return fault and "%s: %s; %r" % (" ".join(options), fault, texts[:2])


def random_original(rnd):
    texts = random_texts(rnd)
    o = dict(DEFAULTS)
    if rnd.random() < 0.6:
        o["form"] = rnd.choice(["nfc", "nfc", "nfkc", "none"])
        o["punctuation"] = rnd.choice(["split", "keep"])
        o["digits"] = rnd.choice(["single", "keep"])
        o["special"] = rnd.choice([[], ["<|a|>"], ["<b>", "[x]"]])
        o["reserve"] = rnd.choice([0, 3, 40])
        o["runs"] = rnd.choice([[8, 4, 2], [1, 1, 1], [0, 0, 0], [3, 0, 5], [16, 8, 4]])
        o["longest"] = rnd.choice([0, 0, 2, 4, 6])
    if rnd.random() < 0.5:
        # The original's way: as many characters as the limit allows, and no others.
        o["alphabet"] = sorted(set(rnd.choices("abcdeé«»'’()\u00a0\u202f .,;/= lqu½语\n", k=rnd.randint(1, 20))))
        o["limit"] = rnd.choice([len(o["alphabet"]), 1000])
    if rnd.random() < 0.3:
        texts.append(rnd.choice("\r\0") + texts[0])
    o["least"] = rnd.choice([0, 1, 2, 2, 3])
    o["size"] = 400 + rnd.choice([60, 150, 400])
    return against_original(texts, o)


def real_texts():
    """The files of the checkout: English, French and code, some megabytes."""
    names = run("git", "ls-files", "-z", "README.md", "man", "libcommon", "trainer", "tests/data", "tests/interop").split("\0")
    out = []
    for name in filter(None, names):
        try:
            with open(name, encoding="utf-8", newline="") as f:
                out.append(f.read())
        except UnicodeDecodeError:
            pass
    return out


def published_alphabet():
    """The original's table of characters gives the alphabet of the published file."""
    with open(PUBLISHED + "tokenizer.json", encoding="utf-8") as f:
        want = json.load(f)["model"]["vocab"]
    with tempfile.TemporaryDirectory() as tmp:
        got = json.loads(train(tmp, "lucie-2024", HARD, "-n", "1400", "--alphabet", PUBLISHED + "count_unicode_characters.tsv"))
    want, got = ([p for p, i in v.items() if 324 <= i < 1324] for v in (want, got["model"]["vocab"]))
    return "" if got == want else "%d differ" % len(set(got) ^ set(want))


# --- loading ------------------------------------------------------------------------------


def hard_texts(step):
    """All characters of scripts, and a sample of the rest, after each joiner and blank."""
    points = [c for c in [*range(0, 0x3400, step), *range(0x3401, 0x110000, 601)] if not 0xD800 <= c < 0xE000]
    chars = [chr(c) for c in points if chr(c) != ESCAPED_MARK]
    out = list(HARD) + [a + t for a in JOINERS + "\u00a0 x" for t in HARD]
    for k, before in enumerate(JOINERS + "\u00a0" + " " + "x"):
        after = ["", " ", "x", "\u0301"][k % 4]
        for i in range(0, len(chars), 500):
            out.append("".join(before + c + after for c in chars[i : i + 500]))
    return out + chars[: 0x500 // step]


def against_clients(preset, options, texts, lossless):
    with tempfile.TemporaryDirectory() as tmp:
        file, docs, ids = (os.path.join(tmp, n) for n in ("tokenizer.json", "docs.jsonl", "ids.jsonl"))
        with open(file, "w", encoding="utf-8") as f:
            f.write(train(tmp, preset, [t for t in texts if len(t) < 500] + LETTERS + random_texts(random.Random(3)) * 3, *options))
        write_docs(docs, texts)
        ours = [json.loads(x)["ids"] for x in run("lucie-tok-encode", "-q", "-t", file, "--add", "bos", docs).split("\n") if x]
        with open(ids, "w") as f:
            f.writelines(json.dumps({"ids": x}) + "\n" for x in ours)
        back = [json.loads(x)["text"] for x in run("lucie-tok-decode", "-q", "-t", file, "--special", "skip", ids).split("\n") if x]
        tok = Tokenizer.from_file(file)
        trans = PreTrainedTokenizerFast(
            tokenizer_file=file, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
        )
        if len(ours) != len(texts) or len(back) != len(texts):
            return "%d and %d lines of %d" % (len(ours), len(back), len(texts))
        theirs = [e.ids for e in tok.encode_batch(texts)]
        shown = tok.decode_batch(theirs)
    form = lossless and {"nfc": normalizers.NFC(), "nfkc": normalizers.NFKC()}.get(lossless)
    for k, t in enumerate(texts):
        if ours[k] != theirs[k]:
            return "ids of %r: %s, tokenizers %s" % (t[:80], ours[k][:40], theirs[k][:40])
        if trans(t)["input_ids"] != ours[k]:
            return "ids of %r: %s, transformers %s" % (t[:80], ours[k][:40], trans(t)["input_ids"][:40])
        if back[k] != shown[k] or back[k] != trans.decode(ours[k], skip_special_tokens=True):
            return "text of %r: %r, tokenizers %r" % (t[:80], back[k][:80], shown[k][:80])
        if lossless and back[k] != (form.normalize_str(t) if form else t):
            return "%r comes back as %r" % (t[:80], back[k][:80])
    return ""


def finds_special(options):
    """Special tokens are found, also where transformers adds them."""
    with tempfile.TemporaryDirectory() as tmp:
        file, docs = (os.path.join(tmp, n) for n in ("tokenizer.json", "docs.jsonl"))
        with open(file, "w", encoding="utf-8") as f:
            f.write(train(tmp, "lucie", LETTERS, *options))
        text = "<|user|>Bonjour (\u00a0toi)<|end|> l'été<s>\n"
        write_docs(docs, [text])
        ours = json.loads(run("lucie-tok-encode", "-q", "-t", file, "--special", "parse", docs))["ids"]
        trans = PreTrainedTokenizerFast(tokenizer_file=file, additional_special_tokens=["<|user|>", "<|end|>"])
        theirs = trans(text, add_special_tokens=False)["input_ids"]
        if ours != theirs or not {4, 5, 0} <= set(ours):
            return "%s, transformers %s" % (ours, theirs)
        # The folder's second file is the one that lucie-presets(7) shows.
        with open(os.path.join(os.environ["LUCIE_SRC"], "man/man7/lucie-presets.7"), encoding="utf-8") as f:
            config = f.read().split("tokenizer_config.json <<'EOF'\n")[1].split("EOF")[0]
        with open(os.path.join(tmp, "tokenizer_config.json"), "w", encoding="utf-8") as f:
            f.write(config)
        auto = AutoTokenizer.from_pretrained(tmp)
        theirs = auto(text, add_special_tokens=False)["input_ids"]
        return "" if ours == theirs else "%s, AutoTokenizer %s" % (ours, theirs)


CLIENTS = [
    ("lucie", ["--vocab-size", "900"], "nfc"),
    ("lucie", ["--vocab-size", "900", "--runs", "0,0,0", "--limit-alphabet", "1", "--digits", "keep", "--punctuation", "keep"], "nfc"),
    ("lucie", ["--vocab-size", "1200", "--runs", "24,8,4", "--special-token", "<|a|>", "--reserve", "3", "--limit-alphabet", "60"], "nfc"),
    ("lucie", ["--vocab-size", "900", "--form", "nfkc"], "nfkc"),
    ("lucie", ["--vocab-size", "900", "--form", "none", "--max-token-length", "5"], "none"),
    ("lucie-2024", ["--vocab-size", "900"], ""),
    ("lucie-2024", ["--vocab-size", "900", "--digits", "keep", "--punctuation", "keep", "--runs", "3,1,0"], ""),
    ("bytelevel", ["--vocab-size", "700"], "none"),
    ("bytelevel", ["--vocab-size", "700", "--digits", "single", "--punctuation", "split", "--special-token", "<|a|>"], "none"),
    ("metaspace", ["--vocab-size", "900"], ""),
    ("metaspace", ["--vocab-size", "900", "--digits", "single", "--form", "nfc"], ""),
]


def main():
    tests = []
    rnd = random.Random(20240701)

    def add(name, fn, *args, rounds=1):
        faults = []
        for _ in range(rounds):
            try:
                faults.append(fn(*args))
            except RuntimeError as e:
                faults.append(str(e))
        faults = [f for f in faults if f]
        tests.append(not faults)
        print("%sok %d - %s" % ("not " if faults else "", len(tests), name))
        for f in faults[:3]:
            print("# " + f[:1500].replace("\n", "\\n"))
        sys.stdout.flush()

    add("lucie-2024 equals the original, %d random texts" % ROUNDS, random_original, rnd, rounds=ROUNDS)
    texts = real_texts()
    # Tables of charsets hold more characters than the limit; of those that are as frequent theirs takes any.
    o = {**DEFAULTS, "limit": 100000}
    add("lucie-2024 equals the original, %d KB of text" % (sum(map(len, texts)) // 1000), against_original, texts, o)
    if os.path.exists(PUBLISHED + "tokenizer.json"):
        add("lucie-2024 has the published alphabet", published_alphabet)
    else:
        tests.append(True)
        print("ok %d # SKIP no %s" % (len(tests), PUBLISHED))
    for preset, options, lossless in CLIENTS:
        hard = hard_texts(11 if tests[3:] else 1)
        add("clients of " + " ".join([preset] + options), against_clients, preset, options, hard, lossless)
    add("special tokens, AutoTokenizer", finds_special, ["--vocab-size", "600", "--special-token", "<|user|>", "--special-token", "<|end|>"])
    print("1..%d" % len(tests))
    return not all(tests)


sys.exit(main())
