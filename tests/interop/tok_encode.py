"""lucie-tok-encode and -decode give what Hugging Face tokenizers give: component by component on
random text, and on real text with files that `tokenizers` trains in the styles of known models.

By hand: tok_encode.py TOKENIZER.json|STYLE DOCUMENTS.jsonl[.zst]... compares all documents; a STYLE
(bytelevel, llama3, llama2 ...) is trained on them at PIECES (16384)."""

import glob
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers as pre
from tokenizers import trainers

ROUNDS = int(os.environ.get("ROUNDS", "300"))
MARK = "\u2581"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
LETTERS = r"\p{Lm}\p{Lo}\p{M}]"
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}" + LETTERS + r"*[\p{Ll}" + LETTERS + r"+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}" + LETTERS + r"+[\p{Ll}" + LETTERS + r"*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PARTS = (
    "the a an is of l'eau d’été «oui» foo_bar x²y ½ ①２ 1999 3.14 it's WE'LL I'D 'ſ don't naïve e\u0301a\u0327\u0301"
    " 日本語 한국어 ᄒ\u1161\u11ab 👩\u200d🚀 ❤\ufe0f می\u200cخواهم \u2581 \u2581\u2581 <s> </s> <tool> [x] <0x41> { } ( ) -- == ... !? $ + ´ HTTPServer ABC A ʰA ǅx ÀÉb'S x'RE A\u0301B Bʰ a語B \u0301A /x //\n/"
).split(" ")
BLANKS = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u202f", "\u3000", "\u0085", "", "", "\u2028", "\x00"]


def text(rnd):
    out = []
    for _ in range(rnd.randint(0, 30)):
        kind = rnd.random()
        if kind < 0.9:
            out.append(rnd.choice(PARTS))
        else:
            c = rnd.randrange(0x110000 if kind < 0.95 else 0x3000)
            out.append(chr(c) if not 0xD800 <= c < 0xE000 else "\ufffd")
        out.append(rnd.choice(BLANKS))
    s = "".join(out)
    return s[rnd.randrange(3) :] if s else s


def build(norm, pretok, dec, byte_level=False, added=(), ignore_merges=False, fallback=True, unk="<unk>", fuse=True):
    rnd = random.Random(5)
    t = Tokenizer(models.BPE(unk_token=unk, byte_fallback=fallback, fuse_unk=fuse, ignore_merges=ignore_merges))
    if norm:
        t.normalizer = norm
    if pretok:
        t.pre_tokenizer = pretok
    if dec:
        t.decoder = dec
    special = ["<s>", "</s>", "<unk>"]
    if fallback and not byte_level:
        special += ["<0x%02X>" % i for i in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=len(special) + 500,
        special_tokens=special,
        limit_alphabet=150,
        show_progress=False,
        initial_alphabet=pre.ByteLevel.alphabet() if byte_level else [],
    )
    # Blanks and symbols by themselves too, so that merges reach over every kind of border.
    t.train_from_iterator([text(rnd) for _ in range(250)] + ["x².", "½.", "²a", "\n\n\nx", "\n   y"] * 9, trainer)
    doc = json.loads(t.to_str())
    doc["added_tokens"] = [a for a in doc["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(doc))
    if added:
        t.add_tokens([a for a in added if not a.special])
        t.add_special_tokens([a for a in added if a.special])
    return t


def tokenizers():
    seq, llama = pre.Sequence, normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    spdec = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    added = [
        AddedToken("<tool>", special=True, normalized=False),
        AddedToken("[x]", lstrip=True, rstrip=True, normalized=False),
        AddedToken("foo", single_word=True, normalized=False),
        AddedToken("naïve", normalized=True),
        AddedToken("--", special=False, normalized=False),
        AddedToken("---", special=False, normalized=False),
    ]
    yield "llama2", build(llama, None, spdec)
    yield "llama2-added", build(llama, None, spdec, added=added)
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            yield "metaspace-%s-%s" % (scheme, split), build(
                normalizers.NFKC(), pre.Metaspace(MARK, scheme, split), decoders.Metaspace(MARK, scheme), added=added
            )
    yield "nfd", build(normalizers.Sequence([normalizers.NFD(), normalizers.Strip()]), pre.Metaspace(), None)
    yield "nfkd", build(normalizers.Sequence([normalizers.NFKD(), normalizers.Strip(True, False)]), pre.Whitespace(), None)
    yield "gpt2", build(None, pre.ByteLevel(False), decoders.ByteLevel(), True, unk=None, fallback=False)
    yield "gpt2-prefix", build(None, pre.ByteLevel(True), decoders.ByteLevel(), True, unk=None, fallback=False, added=added)
    for name, regex in (("gpt2", GPT2), ("llama3", LLAMA3), ("qwen2", QWEN2), ("o200k", O200K)):
        yield "split-" + name, build(
            normalizers.NFC(),
            seq([pre.Split(Regex(regex), "isolated"), pre.ByteLevel(False, use_regex=False)]),
            decoders.ByteLevel(),
            True,
            ignore_merges=True,
            fallback=False,
            unk=None,
        )
        yield "removed-" + name, build(None, pre.Split(Regex(regex), "removed", True), None)
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        for invert in (False, True):
            yield "split-%s-%s" % (behavior, invert), build(None, seq([pre.Split("-", behavior, invert), pre.Split("a", behavior, invert)]), None)
        yield "punctuation-" + behavior, build(None, pre.Punctuation(behavior), decoders.Fuse())
    yield "digits", build(None, seq([pre.Digits(True), pre.WhitespaceSplit()]), None)
    yield "digits-runs", build(None, seq([pre.Digits(False), pre.Metaspace()]), None)
    yield "no-bytes-fuse", build(None, pre.Whitespace(), None, fallback=False)
    yield "no-bytes-no-fuse", build(None, None, None, fallback=False, fuse=False)
    yield "no-bytes-no-unk", build(None, None, None, fallback=False, unk=None)
    yield "ignore-merges", build(None, pre.Metaspace(), spdec, ignore_merges=True)
    yield "ahead", build(
        normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"[\r\x00]"), ""), normalizers.Replace(Regex(r"-(?=[ \w])"), "- ")]
            + [normalizers.Replace(Regex(r"%s(?=[ \w])" % c), c[-1:] + " ") for c in (r"\(", "'", "’", "«", "\\\n")]
            + [normalizers.Replace(Regex(r"\w(?=[.])"), "_"), normalizers.Replace(Regex(r"[ \u00A0]"), MARK)]
        ),
        None,
        decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(), decoders.Fuse(), decoders.Replace("' ", "'")]),
    )
    # A vocabulary with holes in its bytes: unknown characters and byte tokens side by side.
    doc = json.loads(build(None, None, None).to_str())
    gone = {"<0xE6>", "<0xF0>"}
    keep = [p for p in doc["model"]["vocab"] if p not in gone]
    doc["model"]["vocab"] = {p: i for i, p in enumerate(keep)}
    for a in doc["added_tokens"]:
        a["id"] = doc["model"]["vocab"][a["content"]]
    yield "some-bytes", Tokenizer.from_str(json.dumps(doc))
    doc["model"]["merges"] = [["<0xE2>", "<0x80>"], ["<unk>", "a"]] + doc["model"]["merges"]
    doc["model"]["vocab"].update({"<0xE2><0x80>": len(keep), "<unk>a": len(keep) + 1})
    yield "merged-bytes", Tokenizer.from_str(json.dumps(doc))


def run(program, *args):
    p = subprocess.run([program, *args], capture_output=True)
    if p.returncode:
        raise RuntimeError(p.stderr.decode())
    return [json.loads(line) for line in p.stdout.decode().split("\n") if line]


def check(name, tok, texts, tmp):
    file, docs, ids = (os.path.join(tmp, n) for n in ("tokenizer.json", "docs.jsonl", "ids.jsonl"))
    tok.save(file)
    with open(docs, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"text": t}) + "\n" for t in texts)
    for special in ("parse", "text"):
        tok.encode_special_tokens = special == "text"
        got = run("lucie-tok-encode", "-t", file, "--special", special, docs)
        want = [e.ids for e in tok.encode_batch(texts, add_special_tokens=False)]
        for t, g, w in zip(texts, got, want):
            if g["ids"] != w:
                k = next((i for i, (a, b) in enumerate(zip(g["ids"], w)) if a != b), min(len(w), len(g["ids"])))
                near = [[tok.id_to_token(i) for i in x[max(0, k - 2) : k + 4]] for x in (g["ids"], w)]
                return "%s: %r: ours %s theirs %s" % (special, t, near[0], near[1])
    rnd = random.Random(1)
    sets = want + [[rnd.randrange(tok.get_vocab_size()) for _ in range(rnd.randint(0, 12))] for _ in range(100)]
    with open(ids, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"ids": s}) + "\n" for s in sets)
    for keep in (True, False):
        got = run("lucie-tok-decode", "-q", "-t", file, "--special", "keep" if keep else "skip", ids)
        for s, g in zip(sets, got):
            w = tok.decode(s, skip_special_tokens=not keep)
            # They give one U+FFFD for each byte of a run that holds an error; we say less.
            if g["text"] != w and "\ufffd" not in w:
                return "decode %s: ours %r theirs %r" % ([tok.id_to_token(i) for i in s], g["text"], w)
    return ""


# --- real text ---------------------------------------------------------------------------------


def styles():
    """(name, normalizer, pre-tokenizer, decoder, byte level) of models in use."""
    level, seq = pre.ByteLevel(False, use_regex=False), pre.Sequence
    llama = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    gemma = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()])
    mark = normalizers.Replace(" ", MARK)
    yield "bytelevel", None, pre.ByteLevel(False), decoders.ByteLevel(), True
    yield "llama3", None, seq([pre.Split(Regex(LLAMA3), "isolated"), level]), decoders.ByteLevel(), True
    yield "qwen2", normalizers.NFC(), seq([pre.Split(Regex(QWEN2), "isolated"), level]), decoders.ByteLevel(), True
    yield "o200k", None, seq([pre.Split(Regex(O200K), "isolated"), level]), decoders.ByteLevel(), True
    yield "starcoder", None, seq([pre.Digits(True), pre.ByteLevel(False)]), decoders.ByteLevel(), True
    yield "llama2", normalizers.Sequence([normalizers.Prepend(MARK), mark]), pre.Split(MARK, "merged_with_next"), llama, False
    yield "mistral", None, pre.Metaspace(MARK, "first"), llama, False
    yield "gemma", mark, pre.Split(" ", "merged_with_previous"), gemma, False


def documents(names):
    """Texts of JSON Lines files; without any, what Python itself is written in, and licences."""
    if names:
        for name in names:
            data = subprocess.run(["zstd", "-dcqf", name], capture_output=True, check=True).stdout
            yield from (json.loads(line)["text"] for line in data.decode().split("\n") if line)
        return
    found = glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py")) + glob.glob("/usr/share/common-licenses/*")
    for name in sorted(found)[:30]:
        with open(name, encoding="utf-8") as f:
            yield f.read(40000)


def train(texts, pieces, norm, pretok, dec, byte_level):
    t = Tokenizer(models.BPE(unk_token=None if byte_level else "<unk>", byte_fallback=not byte_level, fuse_unk=True))
    if norm:
        t.normalizer = norm
    t.pre_tokenizer = pretok
    t.decoder = dec
    special = ["<s>", "</s>", "<unk>"] + ([] if byte_level else ["<0x%02X>" % i for i in range(256)])
    t.train_from_iterator(
        iter(texts),
        trainers.BpeTrainer(
            vocab_size=pieces,
            special_tokens=special,
            show_progress=False,
            limit_alphabet=1000,
            initial_alphabet=pre.ByteLevel.alphabet() if byte_level else [],
        ),
    )
    doc = json.loads(t.to_str())
    doc["added_tokens"] = doc["added_tokens"][:3]
    if pretok.__class__ is pre.Split and not byte_level:  # these models have none, or one that changes nothing
        doc["pre_tokenizer"] = None
    return Tokenizer.from_str(json.dumps(doc))


def compare(tok, texts, tmp):
    """Ids of all documents, and their text again."""
    file, docs, ids = (os.path.join(tmp, n) for n in ("tokenizer.json", "docs.jsonl", "ids.jsonl"))
    tok.save(file)
    tok.encode_special_tokens = True
    with open(docs, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"text": t}) + "\n" for t in texts)
    subprocess.run(["lucie-tok-encode", "-t", file, "--as", "jsonl", "-o", ids, docs], check=True)
    got = subprocess.run(["lucie-tok-decode", "-q", "-t", file, "--as", "jsonl", ids], capture_output=True, check=True).stdout
    bad = []
    for k, (line, back, t) in enumerate(zip(open(ids, encoding="utf-8"), got.decode().split("\n"), texts)):
        mine, want = json.loads(line)["ids"], tok.encode_batch_fast([t], add_special_tokens=False)[0].ids
        if mine != want:
            bad.append("ids of document %d" % k)
        elif json.loads(back)["text"] != tok.decode(want, skip_special_tokens=True) and "\ufffd" not in t:
            bad.append("text of document %d" % k)
    return "%d of %d: %s" % (len(bad), len(texts), ", ".join(bad[:5])) if bad else ""


def by_hand(what, names):
    texts = list(documents(names))
    with tempfile.TemporaryDirectory() as tmp:
        if os.path.exists(what):
            tok = Tokenizer.from_file(what)
        else:
            style = {s[0]: s[1:] for s in styles()}[what]
            tok = train(texts, int(os.environ.get("PIECES", "16384")), *style)
        fault = compare(tok, texts, tmp)
    print("%s: %d documents, %d bytes: %s" % (what, len(texts), sum(len(t.encode()) for t in texts), fault or "all equal"))
    return fault != ""


# --- all -----------------------------------------------------------------------------------------


def main():
    rnd = random.Random(20261125)
    texts = [text(rnd) for _ in range(ROUNDS)]
    texts += ["x².", "½. ²", "a\n\n\nx\n   y \n\n  z", "x  \r\n\r\n"]
    texts += [c * n for c in ("a", " ", "-", "\n", "語", "\u0301", "e\u0301") for n in (1, 2, 3, 49, 1000)]
    bad = 0
    n = 0
    for name, tok in tokenizers():
        n += 1
        with tempfile.TemporaryDirectory() as tmp:
            try:
                fault = check(name, tok, texts, tmp)
            except RuntimeError as e:
                fault = str(e)
        print("%sok %d - %s" % ("not " if fault else "", n, name))
        if fault:
            print("# " + fault[:1500].replace("\n", "\\n"))
            bad += 1
    texts = list(documents([]))
    for name, *style in styles():
        n += 1
        with tempfile.TemporaryDirectory() as tmp:
            fault = compare(train(texts, 3000, *style), texts, tmp)
        print("%sok %d - %s trained by tokenizers, %d documents" % ("not " if fault else "", n, name, len(texts)))
        if fault:
            print("# " + fault)
            bad += 1
    print("1..%d" % n)
    return bad > 0


sys.exit(by_hand(sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else main())
