#!/usr/bin/env python3
"""How well and how fast lucie-import finds the main text of pages, beside other programs.

    tests/bench/main_text.py FOLDER [--lucie PROGRAM] [--only NAME,...] [--tune]

FOLDER is the folder `tests` of https://github.com/adbar/trafilatura, or any other with
evaldata.json, {address: {"file", "with": [...], "without": [...]}}, and the pages in cache/ or eval/.
Counted as there: of each page the strings that its main text must and must not have, blanks as one,
are true or false positives where they are found; F1 is over all strings. No page is kept.

Two halves, by the parity of XXH64 (seed 0) of the address: rules were tuned on `even` alone (--tune
shows no other); French pages apart, by <html lang>, else by the address's end. Seconds are processor
time of one core over all pages, without reading files; that of lucie-import has its start and
writing. The others are of PyPI (trafilatura, lxml_html_clean, resiliparse, justext, xxhash), each
left out if it is not there.
"""
import argparse
import json
import os
import re
import resource
import subprocess
import tempfile
import time

import xxhash


def norm(text):
    return re.sub(r"\s+", " ", text).strip()


def read_pages(folder):
    with open(os.path.join(folder, "evaldata.json"), encoding="utf-8") as f:
        data = json.load(f)
    pages = []
    for url in sorted(data):
        for sub in ("cache", "eval", "."):
            path = os.path.join(folder, sub, data[url]["file"])
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    pages.append((url, data[url], f.read()))
                break
    return pages


def is_french(url, page):
    lang = re.search(rb"<html[^>]*\slang=[\"']?([a-zA-Z-]+)", page[:4096])
    if lang:
        return lang.group(1).lower().startswith(b"fr")
    return re.search(r"//[^/]*\.fr(/|$)", url) is not None


def run_lucie(program, pages):
    with tempfile.TemporaryDirectory() as top:
        for i, (_, _, page) in enumerate(pages):
            with open(os.path.join(top, "%05d.html" % i), "wb") as f:
                f.write(page)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([program, "-q", "-j1", "--allow-empty", "-k", "html", "--charset", "auto",
                              "-s", "s", top], stdout=subprocess.PIPE, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    texts = [""] * len(pages)
    for line in out.split(b"\n"):
        if line:
            record = json.loads(line)
            texts[int(record["id"][2:7])] = record["text"]
    return texts, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def run_python(extract, pages):
    texts = []
    extract(b"<p>The first call loads tables.</p>")
    start = time.process_time()
    for _, _, page in pages:
        try:
            texts.append(extract(page) or "")
        except Exception:  # as in the original: what cannot be read counts as nothing found
            texts.append("")
    return texts, time.process_time() - start


def trafilatura(fast):
    import trafilatura as t

    return lambda page: t.extract(page, fast=fast, include_comments=False, include_tables=True,
                                  include_formatting=False)


def resiliparse():
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding
    from resiliparse.parse.html import HTMLTree

    return lambda page: extract_plain_text(
        HTMLTree.parse(bytes_to_str(page, detect_encoding(page))), main_content=True)


def justext():
    import justext as j

    words = frozenset().union(*(j.get_stoplist(name) for name in j.get_stoplists()))
    return lambda page: " ".join(p.text for p in j.justext(page, words, 50, 200, 0.1, 0.2, 0.2, 200, True)
                                 if not p.is_boilerplate)


OTHERS = {
    "trafilatura": lambda: trafilatura(False),
    "trafilatura-fast": lambda: trafilatura(True),
    "resiliparse": resiliparse,
    "justext": justext,
}


def score(pages, texts, chosen):
    tp = fp = fn = 0
    for (url, item, page), text in zip(pages, texts):
        if not chosen(url, page):
            continue
        text = norm(text)
        found = sum(norm(s) in text for s in item["with"])
        tp += found
        fn += len(item["with"]) - found
        fp += sum(norm(s) in text for s in item["without"])
    return (tp / max(tp + fp, 1), tp / max(tp + fn, 1), 2 * tp / max(2 * tp + fp + fn, 1))


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("folder")
    args.add_argument("--lucie", default="build/release/bin/lucie-import")
    args.add_argument("--only", default="lucie-import," + ",".join(OTHERS))
    args.add_argument("--tune", action="store_true")
    args = args.parse_args()
    pages = read_pages(args.folder)

    def even(url, _):
        return xxhash.xxh64(url.encode(), seed=0).intdigest() % 2 == 0

    parts = {"even": even}
    if not args.tune:
        parts.update({"odd": lambda u, p: not even(u, p), "all": lambda u, p: True, "French": is_french})
    print("%d pages: " % len(pages) + ", ".join(
        "%s %d" % (k, sum(f(u, p) for u, _, p in pages)) for k, f in parts.items()))
    print("%-17s %6s %6s" % ("", "s", "empty") + "".join("  %-20s" % (k + ": P R F1") for k in parts))
    for name in args.only.split(","):
        try:
            if name == "lucie-import":
                texts, seconds = run_lucie(args.lucie, pages)
            else:
                texts, seconds = run_python(OTHERS[name](), pages)
        except ImportError as e:
            print("%-17s left out: %s" % (name, e))
            continue
        print("%-17s %6.2f %6d" % (name, seconds, sum(not t.strip() for t in texts)) + "".join(
            "  %.3f %.3f %.4f " % score(pages, texts, f) for f in parts.values()), flush=True)


main()
