"""The counts, losses and dead pieces of lucie-tok-eval against Hugging Face tokenizers."""

import json
import os
import subprocess
import sys
import tempfile
import unicodedata

from tokenizers import Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers as pre
from tokenizers import trainers

MARK = "\u2581"
DOCS = [
    ("fr", "L'été, la rivière traverse le village d'est en ouest ; «\u00a0au printemps\u00a0» elle monte.\n\n\tLe pont\u202f: 3 arches."),
    ("fr", "Le menuisier pose ses outils sur l'établi et choisit une planche de chêne."),
    ("en", "The river crosses the village from east to west.  It isn't deep: 1.5 m (5 feet).\r\nfoo_bar(x) != None"),
    ("de", "Größere Straßen führen über die Brücke; im Frühjahr steigt der Fluß. 日本語 👩\u200d🚀"),
    (None, ""),
    (None, " \x1c \u3000 a\u200bb\u0085c\u2028d \x00"),
]
LANGS = ["fr", "en", "de", None]


def train(tok, byte_level=False):
    special = ["<s>", "<unk>"] + ([] if byte_level else ["<0x%02X>" % i for i in range(256)])
    tok.train_from_iterator(
        [text for _, text in DOCS] * 3,
        trainers.BpeTrainer(
            vocab_size=800,
            special_tokens=special,
            show_progress=False,
            initial_alphabet=pre.ByteLevel.alphabet() if byte_level else [],
        ),
    )
    doc = json.loads(tok.to_str())
    doc["added_tokens"] = [a for a in doc["added_tokens"] if not a["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(doc))


def tokenizers():
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    t.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    yield "llama2", train(t)
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre.ByteLevel(False)
    t.decoder = decoders.ByteLevel()
    yield "gpt2", train(t, True)
    # Trained with another normalizer and pre-tokenizer than it is used with: some pieces are dead.
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex("[\\r\\x00]"), "")])
    t.pre_tokenizer = pre.Metaspace(MARK, "always")
    t = train(t)
    t.pre_tokenizer = pre.Digits(True)
    t.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex("[\\r\\x00]"), ""), normalizers.Prepend(" ")]
        + [normalizers.Replace(Regex("[ \\u00A0]"), MARK)]
    )
    t.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(MARK, "always"), decoders.Fuse()])
    yield "lucie", t


def run(*args, answers=(0,)):
    p = subprocess.run(["lucie-tok-eval", "-q", "--json", *args], capture_output=True)
    if p.returncode not in answers:
        raise RuntimeError("%s: exit %d: %s" % (args, p.returncode, p.stderr.decode()))
    return json.loads(p.stdout)


def ids(tok, text):
    return tok.encode(text, add_special_tokens=False).ids


def table(files, toks, docs):
    got = run(*(x for f in files for x in ("-t", f)), docs)
    want = []
    for lang in LANGS:
        texts = [text for la, text in DOCS if la == lang]
        for f, t in zip(files, toks):
            rows = [t.encode(text, add_special_tokens=False) for text in texts]
            want.append({
                "group": lang or "none",
                "tokenizer": f,
                "documents": len(texts),
                "characters": sum(map(len, texts)),
                "bytes": sum(len(text.encode()) for text in texts),
                "words": sum(len(text.split()) for text in texts),
                "tokens": sum(len(r.ids) for r in rows),
                "unknown": sum(r.tokens.count("<unk>") for r in rows),
            })
    rows = [{k: r[k] for k in want[0]} for r in got["rows"]]
    key = lambda r: (r["group"], r["tokenizer"])
    if sorted(rows, key=key) != sorted(want, key=key):
        return "ours %s theirs %s" % (sorted(rows, key=key), sorted(want, key=key))
    for r in got["rows"]:
        if r["tokens"] and abs(r["characters_per_token"] - r["characters"] / r["tokens"]) > 1e-12:
            return "ratio of %s" % r
    return ""


def lossless(file, tok):
    fault = ""
    for first, last in ((0, 0x24FF), (0x2F00, 0x30FF), (0xF900, 0xFFFF), (0x2F800, 0x2FA1F)):
        got = run("-t", file, "--lossless", "--code-points", "%X-%X" % (first, last), answers=(0, 1))["tokenizers"][0]
        ours = {}
        for r in got["ranges"]:
            for c in range(r["from"], r["to"] + 1):
                for k in r["contexts"]:
                    ours[c, k] = "normalised" if r["fate"] == "normalised" else "lost"
        lossy = {c["context"] for c in got["lost_contexts"]}
        theirs = {}
        for k, around in enumerate(got["contexts"]):
            trip = lambda text: tok.decode(ids(tok, text), skip_special_tokens=False)
            if (trip(around["before"] + around["after"]) != around["before"] + around["after"]) != (k in lossy):
                fault = "context %r" % around
            if k in lossy:
                continue
            for c in range(first, last + 1):
                text = around["before"] + chr(c) + around["after"]
                back = trip(text)
                if back != text:
                    same = unicodedata.normalize("NFC", back) == unicodedata.normalize("NFC", text)
                    theirs[c, k] = "normalised" if same else "lost"
        for at in sorted(ours.keys() | theirs.keys()):
            if ours.get(at) != theirs.get(at):
                return "U+%04X in context %d: ours %s theirs %s" % (*at, ours.get(at), theirs.get(at))
    return fault


def dead(file, tok):
    got = run("-t", file, "--dead", answers=(0, 1))["tokenizers"][0]
    pieces = {p["id"]: p for p in got["pieces"]}
    around = ["", " ", "a", "e", ".", "1", "\n", "Ж", "語", "\U0001f600"]
    for i, p in pieces.items():
        if p["reason"] == "not found":
            return "nothing is proved for %s" % p
        for base in {p["piece"], p["piece"].replace(MARK, " "), tok.decode([i])}:
            for before in around:
                for after in around:
                    if i in ids(tok, before + base + after):
                        return "%s is live in %r" % (p, before + base + after)
    # The others must be given by some text, and the training text gives many of them.
    seen = {i for _, text in DOCS for i in ids(tok, text)}
    if seen & pieces.keys():
        return "%s are live in the training text" % (seen & pieces.keys())
    total = sum(got[k] for k in ("live", "added", "unknown", "bytes", "reserved", "dead", "not_found"))
    if total != tok.get_vocab_size():
        return "%d pieces of %d" % (total, tok.get_vocab_size())
    return "" if pieces or not file.endswith("lucie.json") else "no piece with U+00A0 is dead"


def main():
    n = bad = 0
    with tempfile.TemporaryDirectory() as tmp:
        docs = os.path.join(tmp, "docs.jsonl")
        with open(docs, "w", encoding="utf-8") as f:
            for lang, text in DOCS:
                f.write(json.dumps({"text": text, **({"lang": lang} if lang else {})}) + "\n")
        files, toks, checks = [], [], []
        for name, tok in tokenizers():
            tok.encode_special_tokens = True
            file = os.path.join(tmp, name + ".json")
            tok.save(file)
            files.append(file)
            toks.append(tok)
            checks.append((name + ": losses", lossless, file, tok))
            checks.append((name + ": dead pieces", dead, file, tok))
        checks.append(("the table", table, files, toks, docs))
        for name, check, *args in checks:
            try:
                fault = check(*args)
            except RuntimeError as e:
                fault = str(e)
            n += 1
            print("%sok %d - %s" % ("not " if fault else "", n, name))
            if fault:
                print("# " + fault[:3000].replace("\n", "\\n"))
                bad += 1
    print("1..%d" % n)
    return bad > 0


sys.exit(main())
