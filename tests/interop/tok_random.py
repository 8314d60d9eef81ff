"""Random tokenizers and hostile texts: lucie-tok-encode and -decode against Hugging Face tokenizers.

ROUNDS tokenizers from SEED on; a failure names the seed, and KEEP=DIR keeps its files.
"""

import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from tokenizers import Tokenizer

ROUNDS = int(os.environ.get("ROUNDS", "1000000"))
SECONDS = float(os.environ.get("SECONDS_MOST", "15" if "ROUNDS" not in os.environ else "1e9"))
SEED = int(os.environ.get("SEED", "1"))
LARGE = int(os.environ.get("LARGE", "16"))  # one of so many tokenizers encodes a document of over 1 MB
KEEP = os.environ.get("KEEP")
CHECK = os.environ.get("CHECK")  # a program to run on each tokenizer and its documents too
MARK = "\u2581"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
PLAIN = list("aabbcdesSt  '-(.1") + ["\n"]
NASTY = list("\u00e9\u00ff\u00fe\u00c5\u212b\u0301\u0327\u0323\u1100\u1161\u11a8\uac00\uac01\u2581\ufffd\uffff\ufdd0\U0001f600\U0010ffff\r\0\t\u00a0\u3000")
NASTY += list("\u0130\u017f\u00b2\u00bd\u2028\u200d\u200c\u0344\ufb01\u0958\u05d0\u05b7\u0340\u1e9b\u2126\u8a9e\u2019\u00ab\u0660\x7f\x80\u07ff\u0800\U00010000<>")
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def byte_chars():
    keep = list(range(0x21, 0x7F)) + list(range(0xA1, 0xAD)) + list(range(0xAE, 0x100))
    rest = [b for b in range(256) if b not in keep]
    return {b: chr(b) if b in keep else chr(0x100 + rest.index(b)) for b in range(256)}


BYTES = byte_chars()


class Maker:
    """One random tokenizer and texts for it."""

    def __init__(self, seed):
        self.rnd = rnd = random.Random(seed)
        few = rnd.sample(PLAIN, rnd.randint(2, 6))
        self.letters = few + rnd.sample(NASTY, rnd.randint(0, 6)) + ([" "] if rnd.random() < 0.7 else [])
        self.wild = rnd.random() < 0.5
        self.byte_level = False

    def few(self, most=3):
        return "".join(self.rnd.choice(self.letters) for _ in range(self.rnd.randint(1, most)))

    def maybe(self, share):
        return self.rnd.random() < share

    def char(self):
        c = self.rnd.random()
        if c < 0.9 or not self.wild:
            return self.rnd.choice(self.letters)
        if c < 0.99:
            return self.rnd.choice(NASTY)
        c = self.rnd.randrange(0x3000 if c < 0.997 else 0x110000)
        return chr(c) if not 0xD800 <= c < 0xE000 else "\ufffd"

    # --- the parts of a file ---

    def escape(self, c):
        return {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\0": r"\x00"}.get(c) or ("\\" + c if c in ".^$*+?()[]{}|\\-&" else c)

    def char_set(self):
        body = "".join(self.escape(self.rnd.choice(self.letters)) for _ in range(self.rnd.randint(1, 3)))
        return "[%s%s]" % (body, r"\w" if self.maybe(0.25) else r"\s" if self.maybe(0.05) else "")

    def pattern(self, plain):
        if self.maybe(plain):
            return {"String": self.few(3 if self.maybe(0.3) else 1)}
        c = self.rnd.random()
        s = self.char_set() if c < 0.4 else "".join(map(self.escape, self.few(1 if c < 0.9 else 2)))
        return {"Regex": s + ("(?=%s)" % self.char_set() if self.maybe(0.5) else "")}

    def replace(self):
        p = self.pattern(0.6)
        c = self.rnd.random()
        text = "" if c < 0.25 else self.few(1) if c < 0.6 else self.few(3) if c < 0.97 else self.few(3) * 40
        return {"type": "Replace", "pattern": p, "content": text}

    def inserts(self):
        ahead, s, most = self.char_set(), self.few(2 if self.maybe(0.2) else 1), self.rnd.randint(1, 4)
        return [
            {"type": "Replace", "pattern": {"Regex": self.escape(c) + "(?=%s)" % ahead}, "content": c + s}
            for c in self.rnd.choices(self.letters, k=most)
        ]

    def normalizer(self):
        out = []
        for _ in range(self.rnd.choice([0, 1, 1, 2, 2, 3, 5])):
            c = self.rnd.random()
            if c < 0.3:
                step = {"type": self.rnd.choice(["NFC", "NFC", "NFD", "NFKC", "NFKD"])}
                out.insert(0 if self.maybe(0.7) else len(out), step)
            elif c < 0.6:
                out.append(self.replace())
            elif c < 0.75:
                out += self.inserts()
            elif c < 0.9:
                out.append({"type": "Prepend", "prepend": MARK if self.maybe(0.6) else self.few(2)})
            elif c < 0.95:
                out.append({"type": "Replace", "pattern": {"String": " "}, "content": MARK})
            else:
                out.append({"type": "Strip", "strip_left": self.maybe(0.5), "strip_right": self.maybe(0.5)})
        if not out:
            return None
        return out[0] if len(out) == 1 and self.maybe(0.5) else {"type": "Sequence", "normalizers": out}

    def metaspace(self):
        mark = MARK if self.maybe(0.8) else self.few(1)
        scheme = self.rnd.choice(["always", "first", "never"])
        return {"type": "Metaspace", "replacement": mark, "prepend_scheme": scheme, "split": self.maybe(0.6)}

    def split(self):
        if self.maybe(0.6):
            pattern, behavior, invert = {"String": self.few(2)}, self.rnd.choice(BEHAVIORS), self.maybe(0.3)
        else:
            pattern = {"Regex": self.rnd.choice([GPT2, LLAMA3, QWEN2])}
            invert = self.maybe(0.2)
            behavior = "Removed" if invert else "Isolated"
        return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}

    def pre_tokenizer(self):
        out = []
        for _ in range(self.rnd.choice([0, 0, 1, 1, 2, 3])):
            kind = self.rnd.randrange(6)
            if kind == 0:
                out.append(self.metaspace())
            elif kind == 1:
                out.append({"type": "Digits", "individual_digits": self.maybe(0.5)})
            elif kind == 2:
                out.append({"type": "Punctuation", "behavior": self.rnd.choice(BEHAVIORS)})
            elif kind == 3:
                out.append(self.split())
            else:
                out.append({"type": "Whitespace" if kind == 4 else "WhitespaceSplit"})
        if self.maybe(0.35):
            self.byte_level = True
            out.append(
                {"type": "ByteLevel", "add_prefix_space": self.maybe(0.3), "trim_offsets": True, "use_regex": self.maybe(0.5)}
            )
        if not out:
            return None
        return out[0] if len(out) == 1 and self.maybe(0.5) else {"type": "Sequence", "pretokenizers": out}

    def decoder(self):
        steps = [
            {"type": "Replace", "pattern": {"String": MARK}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "always", "split": True},
            {"type": "Replace", "pattern": {"String": self.few(2)}, "content": self.few(2) if self.maybe(0.7) else ""},
        ]
        c = self.rnd.random()
        if self.byte_level and c < 0.8:
            return {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
        if c < 0.1:
            return None
        if c < 0.5:
            return {"type": "Sequence", "decoders": steps[:4]}
        return {"type": "Sequence", "decoders": self.rnd.choices(steps, k=self.rnd.randint(1, 5))}

    def model(self):
        rnd = self.rnd
        units = list(dict.fromkeys(self.letters + [MARK]))
        if self.byte_level:
            units = list(dict.fromkeys(BYTES[b] for c in units for b in c.encode()))
            if self.maybe(0.7):
                units += [u for u in BYTES.values() if u not in units]
        elif self.wild:
            units += [c for c in rnd.sample(NASTY, 8) if c not in units]
        if self.maybe(0.3):
            units = [u for u in units if self.maybe(0.8)] or ["a"]
        common = units[: len(self.letters) + 4]
        unk = "<unk>" if self.maybe(0.6) else None
        tokens = ["<0x%02X>" % i for i in range(256) if self.maybe(1)]
        if self.maybe(0.4):
            tokens = [] if self.maybe(0.5) else [t for t in tokens if self.maybe(0.95)]
        pieces = (["<unk>"] if unk else []) + tokens + units
        have, made, merges = set(pieces), list(common), []
        odd = rnd.sample(tokens, min(len(tokens), 3)) + ([unk] if unk else []) if self.maybe(0.15) else []
        for _ in range(rnd.randint(0, 60)):
            a, b = (rnd.choice(made[-12:] if self.maybe(0.4) else made) for _ in range(2))
            if odd and self.maybe(0.1):
                a = rnd.choice(odd)
            if odd and self.maybe(0.1):
                b = rnd.choice(odd)
            if len(a + b) > 40:
                continue
            merges.append([a, b])
            if a + b not in have:
                have.add(a + b)
                made.append(a + b)
                pieces.append(a + b)
        for p in made:  # other derivations
            for k in range(1, len(p)):
                if p[:k] in have and p[k:] in have and self.maybe(0.3):
                    merges.append([p[:k], p[k:]])
        order = rnd.random()
        if order < 0.4:
            rnd.shuffle(merges)
        elif order < 0.7:
            for _ in range(3):
                if merges:
                    merges.insert(rnd.randrange(len(merges)), merges.pop(rnd.randrange(len(merges))))
        if merges and self.maybe(0.2):
            merges += rnd.choices(merges, k=3)
        return {
            "type": "BPE",
            "dropout": None,
            "unk_token": unk,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": self.maybe(0.5),
            "byte_fallback": self.maybe(0.6),
            "ignore_merges": self.maybe(0.2),
            "vocab": {p: i for i, p in enumerate(pieces)},
            "merges": merges,
        }

    def added(self, vocab):
        rnd, out, next_id = self.rnd, {}, len(vocab)
        if self.maybe(0.5):
            return []
        names = ["<s>", "</s>", "<s>a", "a<s", "s>b", " x", "x ", "<", "--", "---", "ab", " ", "\u00e9", "e\u0301"]
        names += [self.few(3) for _ in range(5)] + [p for p in rnd.sample(sorted(vocab), min(4, len(vocab))) if len(p) < 6]
        tame = self.maybe(0.6)
        for name in rnd.sample(names, rnd.randint(1, 6)):
            if name in out:
                continue
            special = self.maybe(0.5)
            out[name] = {
                "id": vocab.get(name, next_id),
                "content": name,
                "single_word": not tame and self.maybe(0.25),
                "lstrip": not tame and self.maybe(0.25),
                "rstrip": not tame and self.maybe(0.25),
                "normalized": self.maybe(0.1 if tame else 0.5),
                "special": special,
            }
            if name not in vocab:
                # As Hugging Face gives them: behind the pieces, and behind all added before.
                largest = max((a["id"] for a in out.values() if a["content"] != name), default=-1)
                out[name]["id"] = max(len(vocab), largest + 1)
        self.spelled = list(out)
        return list(out.values())

    def file(self):
        self.spelled = []
        norm, pre = self.normalizer(), self.pre_tokenizer()
        model = self.model()
        self.pieces = [p for p in model["vocab"] if not p.startswith("<0x")] if not self.byte_level else self.letters
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": self.added(model["vocab"]),
            "normalizer": norm,
            "pre_tokenizer": pre,
            "post_processor": None,
            "decoder": self.decoder(),
            "model": model,
        }

    # --- texts ---

    def mixed(self, n):
        out = []
        size = 0
        while size < n:
            c = self.rnd.random()
            if c < 0.75:
                s = self.char()
            elif c < 0.85:
                s = self.rnd.choice(self.pieces)
            elif c < 0.9 and self.spelled:
                s = self.rnd.choice(self.spelled)
            elif c < 0.97:
                s = self.few(4)
            else:
                s = self.char() * self.rnd.choice([2, 3, 7, 50])
            out.append(s)
            size += len(s)
        return "".join(out)

    def periodic(self, n):
        s = "".join(self.char() for _ in range(self.rnd.randint(1, 7)))
        return (s * (n // len(s) + 1))[:n]

    def text(self, n):
        c = self.rnd.random()
        if n < 8 or c < 0.5:
            return self.mixed(n)
        if c < 0.8:
            return self.periodic(n)
        parts = [self.periodic(n // 4) if self.maybe(0.5) else self.mixed(n // 8) for _ in range(5)]
        return "".join(parts)

    def texts(self):
        out = ["", " ", "a", MARK, "\u0301"] + [self.text(self.rnd.randint(0, 40)) for _ in range(60)]
        out += [self.text(self.rnd.randint(40, 6000)) for _ in range(4)]
        if self.maybe(0.3):
            out.append(self.text(self.rnd.randint(15000, 60000)))
        return out


def ours(program, *args):
    p = subprocess.run([program, *args], capture_output=True, timeout=300)
    if p.returncode == 2:
        return None, p.stderr.decode(errors="replace")
    if p.returncode:
        raise RuntimeError("%s: exit %d: %s" % (program, p.returncode, p.stderr.decode(errors="replace")[-2000:]))
    return [json.loads(line) for line in p.stdout.decode().split("\n") if line], None


def theirs(tok, text):
    try:
        return tok.encode(text, add_special_tokens=False).ids
    except BaseException as e:  # a panic is no Exception
        if isinstance(e, KeyboardInterrupt):
            raise
        return None


def differs(texts, got, want, how):
    for t, g, w in zip(texts, got, want):
        if w is not None and g["ids"] != w:
            k = next((i for i, (a, b) in enumerate(zip(g["ids"], w)) if a != b), min(len(w), len(g["ids"])))
            near = [x[max(0, k - 2) : k + 4] for x in (g["ids"], w)]
            return "%s: text of %d %r: at %d ours %s theirs %s" % (how, len(t), t[:80], k, near[0], near[1])
    return None


def check_decode(tok, sets, tmp, file, counts):
    ids = os.path.join(tmp, "ids.jsonl")
    with open(ids, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"ids": s}) + "\n" for s in sets)
    # A special token that is searched in normalised text is not left out by their decoder when its normal
    # form, which is what it is decoded to, is not itself the content of a special token.
    added = tok.get_added_tokens_decoder()
    contents = {a.content for a in added.values() if a.special}
    exact = all((tok.id_to_token(i) in contents) == a.special for i, a in added.items())
    for keep in (True, False) if exact else (True,):
        got, _ = ours("lucie-tok-decode", "-q", "-t", file, "--special", "keep" if keep else "skip", ids)
        for s, g in zip(sets, got or []):
            try:
                w = tok.decode(s, skip_special_tokens=not keep)
            except BaseException as e:
                if isinstance(e, KeyboardInterrupt):
                    raise
                counts["their decoder panics"] += 1
                continue
            if g["text"] != w and "\ufffd" not in w:
                return "decode %s: ours %r theirs %r" % (s[:50], g["text"][:200], w[:200])
    return None


def check(seed, tmp, counts):
    make = Maker(seed)
    text = json.dumps(make.file())
    file, docs = (os.path.join(tmp, n) for n in ("tokenizer.json", "docs.jsonl"))
    with open(file, "w", encoding="utf-8") as f:
        f.write(text)
    texts = make.texts()
    large = seed % LARGE == 0
    if large:
        big = [make.text(1000) + make.text(40000) for _ in range(8)]
        body = "".join(make.rnd.choice(big) for _ in range(60))
        texts = [body[: make.rnd.randint(400000, 1300000)]]
        while len(texts[0].encode()) < 1 << 20:
            texts[0] += make.rnd.choice(big)
    with open(docs, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"text": t}) + "\n" for t in texts)
    try:
        tok = Tokenizer.from_str(text)
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt):
            raise
        tok = None
    want = None
    for special in ("error", "parse", "text"):
        got, refused = ours("lucie-tok-encode", "-j", "1", "-t", file, "--special", special, docs)
        if large:
            for j in ("2", "3"):
                again, _ = ours("lucie-tok-encode", "-j", j, "-t", file, "--special", special, docs)
                if again != got:
                    return "%s: -j %s differs" % (special, j)
        if special == "error" or (large and special == "text" and not make.spelled):
            continue
        if got is None:
            counts["refused: " + refused.split(":", 2)[-1].strip()[:60]] += 1
            if not tok:
                counts["refused by both"] += 1
            return None
        if not tok:
            counts["only they refuse"] += 1
            return None
        tok.encode_special_tokens = special == "text"
        want = [theirs(tok, t) for t in texts]
        counts["texts"] += len(texts)
        counts["their encoder panics"] += sum(w is None for w in want)
        fault = differs(texts, got, want, special)
        if fault:
            return fault
    if CHECK:
        ours(CHECK, file, docs)
    rnd = make.rnd
    sets = [w for w in want if w is not None and len(w) < 2000]
    sets += [[rnd.randrange(tok.get_vocab_size()) for _ in range(rnd.randint(0, 12))] for _ in range(30)]
    sets = [s for s in sets if all(tok.id_to_token(i) is not None for i in s)]
    return check_decode(tok, sets, tmp, file, counts)


def main():
    counts = collections.Counter()
    start, bad, n = time.monotonic(), [], 0
    for seed in range(SEED, SEED + ROUNDS):
        if time.monotonic() - start > SECONDS:
            break
        n += 1
        with tempfile.TemporaryDirectory() as tmp:
            try:
                fault = check(seed, tmp, counts)
            except (RuntimeError, subprocess.TimeoutExpired) as e:
                fault = str(e)
            if fault:
                bad.append((seed, fault))
                print("# seed %d: %s" % (seed, fault[:1500].replace("\n", "\\n")), flush=True)
                if KEEP:
                    shutil.copytree(tmp, os.path.join(KEEP, str(seed)), dirs_exist_ok=True)
    for what, count in sorted(counts.items()):
        print("# %s: %d" % (what, count))
    print("%sok 1 - %d random tokenizers" % ("not " if bad else "", n))
    print("1..1")
    return len(bad) > 0


sys.exit(main())
