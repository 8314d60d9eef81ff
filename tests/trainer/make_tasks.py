#!/usr/bin/env python3
"""Make tests/data/tasks/{choices,texts}.jsonl from the texts of tests/data: 200 questions with choices, 20 with texts.

    tests/trainer/make_tasks.py tests/data/a.jsonl tests/data/b.jsonl tests/data/tasks

A context is some words of a text, and the right choice what follows them; the other choices are other words of other
texts, of other lengths. Some contexts are empty, or end with white space, which is part of the choice then; choices
differ in characters and in bytes."""

import json
import os
import random
import sys


def main(*args):
    *files, out = args
    rnd = random.Random(12)
    words = [json.loads(line)["text"].split() for file in files for line in open(file, encoding="utf-8")]
    with open(os.path.join(out, "choices.jsonl"), "w", encoding="utf-8") as f:
        for i in range(200):
            text = rnd.choice(words)
            start, n, m = rnd.randrange(len(text) - 16), rnd.randrange(1, 10), rnd.randrange(1, 5)
            context = " ".join(text[start : start + n])
            choices = [" ".join(text[start + n : start + n + m])]
            while len(choices) < 2 + i % 4:
                other, m = rnd.choice(words), rnd.randrange(1, 5)
                at = rnd.randrange(len(other) - m)
                choice = " ".join(other[at : at + m])
                if choice not in choices:
                    choices.append(choice)
            right = choices[0]
            rnd.shuffle(choices)
            context = "" if i % 25 == 7 else context + ("\n" if i % 25 == 8 else " \u00a0" if i % 25 == 9 else "")
            item = {"context": context, "choices": choices, "answer": choices.index(right)}
            f.write(json.dumps(item, ensure_ascii=False) + "\n")
    with open(os.path.join(out, "texts.jsonl"), "w", encoding="utf-8") as f:
        for i in range(20):
            text = words[i % len(words)]
            start = rnd.randrange(len(text) - 16)
            item = {"context": " ".join(text[start : start + 8]), "answer": text[start + 8]}
            f.write(json.dumps({**item, "until": [" ", "\n"], "max_tokens": 12}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
