"""Random texts to train tokenizers on, and files of documents."""

import json

MARK = "\u2581"  # SentencePiece's marker, which stands for the space
# Each text draws its words from one or two of these.
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


def random_texts(rnd):
    """One to eight texts over the same words, whose frequencies fall as 1/rank."""
    letters = rnd.choice(LETTERS) + (rnd.choice(LETTERS) if rnd.random() < 0.5 else "")
    words = ["".join(rnd.choices(letters, k=rnd.randint(1, 8))) for _ in range(rnd.randint(2, 40))]
    weight = [1 / (i + 1) for i in range(len(words))]
    return [" ".join(rnd.choices(words, weight, k=rnd.randint(0, 60))) for _ in range(rnd.randint(1, 8))]


def write_docs(name, texts):
    with open(name, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts)


def merge_pairs(model):
    """The merges of a model as pairs, however the file spells them."""
    return [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
