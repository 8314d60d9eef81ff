"""Run by tokenizer.sh: python tok_peers.py BUILD TOKENIZER DOCUMENTS WORK PIECES given|made WHAT..."""

import contextlib
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time

build, file, docs, work, pieces, given = sys.argv[1:7]
given = given == "given"
what = sys.argv[7:]
texts = [json.loads(line)["text"] for line in open(docs, encoding="utf-8")]
size = sum(len(t.encode()) for t in texts)
LIMIT = 120  # seconds for one run of the linear table
TURNS = 5  # of ours and a peer's: other load then disturbs both


def program(name, *args):
    """Run one of our programs: elapsed and processor seconds, peak memory in MB, True if it was killed."""
    start = time.perf_counter()
    pid = os.posix_spawn(os.path.join(build, "bin", name), [name, *args], os.environ)
    late, peak = False, 0
    while True:
        # wait4's peak includes the pages of this process, which the child is a copy of.
        with open("/proc/%d/status" % pid) as f:
            peak = max([peak] + [int(line.split()[1]) for line in f if line.startswith("VmHWM")])
        done, status, use = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if not late and time.perf_counter() - start > LIMIT:
            late = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    if status and not late:
        raise RuntimeError("%s: status %d" % (name, status))
    return time.perf_counter() - start, use.ru_utime + use.ru_stime, peak / 1e3, late


def timed(f):
    start, used = time.perf_counter(), time.process_time()
    got = f()
    return time.perf_counter() - start, time.process_time() - used, got


def rate(seconds):
    return size / seconds / 1e6


def our_ids(tokenizer):
    p = subprocess.run(
        [build + "/bin/lucie-tok-encode", "-q", "-t", tokenizer, "--special", "parse", "--as", "ids", docs],
        capture_output=True,
        check=True,
    )
    return [[int(i) for i in line.split()] for line in p.stdout.decode().split("\n")[:-1]]


def differ(got, want):
    """Say how many documents differ in their ids, apart from a token that a peer prepends."""
    bad = [i for i, (g, w) in enumerate(zip(got, want)) if g != w and g[1:] != w]
    return "the same ids" if not bad and len(got) == len(want) else "%d of %d documents DIFFER" % (len(bad), len(want))


def library(tokenizer):
    print("%-34s %9s %9s" % ("ours (two threads: elapsed) MB/s", "cold", "warm"))
    p = subprocess.run([build + "/tests/bench/bench_tok_encode", "-t", tokenizer, docs], capture_output=True, check=True)
    for line in p.stdout.decode().split("\n")[:-1]:
        name, threads, cold, warm, _ = line.split("\t")
        label = {"own": "documents as they are", "all": "one document"}.get(name, "documents of %s bytes" % name)
        print("  %-24s %s threads %7s   %7s" % (label, threads, cold, warm))
    for threads in ("1", "2"):
        wall, cpu, rss, _ = min(
            program("lucie-tok-encode", "-q", "-j", threads, "-t", tokenizer, "--as", "u32", "-o", "/dev/null", docs)
            for _ in range(3)
        )
        print(
            "  %-24s %s threads %7.1f MB/s elapsed, %.1f of processor time, %.0f MB resident"
            % ("lucie-tok-encode", threads, rate(wall), rate(cpu), rss)
        )


def our_rates(tokenizer):
    """Cold and warm, of a process just started."""
    p = subprocess.run(
        [build + "/tests/bench/bench_tok_encode", "-o", "own", "-t", tokenizer, docs], capture_output=True, check=True
    )
    return [float(x) for x in p.stdout.decode().split("\t")[2:4]]


def apart(f):
    """What f returns, in a child: like ours, a peer must find no memory of an earlier turn."""
    end, other = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        try:
            with os.fdopen(other, "w") as to:
                json.dump(f(), to)
        finally:
            os._exit(0)
    os.close(other)
    with os.fdopen(end) as got:
        answer = got.read()
    os.waitpid(pid, 0)
    return json.loads(answer)


def peer(name, version, tokenizer, start, encode, want, turns=TURNS):
    """Measure ours and a peer by turns, each in a new process: cold, and the best of three times warm."""

    def theirs():
        tok = start()
        _, cold, ids = timed(lambda: encode(tok))
        verdict = differ([list(x) for x in ids], want)
        del ids
        warm = min(timed(lambda: encode(tok))[1] for _ in range(3)) if turns > 1 else cold
        return rate(cold), rate(warm), verdict

    rows = [(*our_rates(tokenizer), *apart(theirs)) for _ in range(turns)]
    ours, best = [max(row[i] for row in rows) for i in (0, 1)], [max(row[i] for row in rows) for i in (2, 3)]
    print("  %-20s %7.1f %7.1f  ours %7.1f %7.1f " % (name + " " + version, *best, *ours), end="")
    for i, what in enumerate(("cold", "warm")):
        by_turn = [row[i] / row[i + 2] for row in rows]
        print(" %s %.2f times (%.2f to %.2f)" % (what, ours[i] / best[i], min(by_turn), max(by_turn)), end="")
    print("; " + rows[0][4], flush=True)


def with_tokenizers(tokenizer, want):
    import tokenizers

    start = lambda: tokenizers.Tokenizer.from_file(tokenizer)
    # Its fastest call, without offsets; one text at a time, since a batch keeps all results.
    encode = lambda tok: [tok.encode_batch_fast([t], add_special_tokens=False)[0].ids for t in texts]
    peer("tokenizers", tokenizers.__version__, tokenizer, start, encode, want, 1)


def with_gigatoken(tokenizer, want):
    from importlib.metadata import version

    import gigatoken

    given = [t.encode() for t in texts]
    start = lambda: gigatoken.Tokenizer(tokenizer)
    encode = lambda tok: tok.encode_batch(given, parallel=False)
    peer("gigatoken", version("gigatoken"), tokenizer, start, encode, want)


def with_quicktok(tokenizer, want):
    import quicktok

    with contextlib.redirect_stdout(io.StringIO()):
        quicktok.import_tokenizer(tokenizer, "bench")
    start = lambda: quicktok.get_encoding("bench")
    encode = lambda tok: [tok.encode(t) for t in texts]
    peer("quicktok", quicktok.__version__, tokenizer, start, encode, want)


def restyled(preset, name, count=pieces, **parts):
    """Train a file and give it the components of a well-known model, which the peers recognise."""
    made = os.path.join(work, name + ".json")
    program("lucie-tok-train", "-q", "--preset", preset, "-n", count, "-o", made, docs)
    with open(made, encoding="utf-8") as f:
        doc = json.load(f)
    doc.update(parts)
    with open(made, "w", encoding="utf-8") as f:
        json.dump(doc, f, ensure_ascii=False)
    return name, made


def files():
    mark = "\u2581"
    yield "-t" if given else "lucie-2024", file
    yield restyled(
        "metaspace",
        "llama-2",
        pre_tokenizer=None,
        normalizer={
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": mark},
                {"type": "Replace", "pattern": {"String": " "}, "content": mark},
            ],
        },
    )
    split = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    # Llama 3's number of pieces.
    yield restyled(
        "bytelevel",
        "llama-3",
        count="128000",
        normalizer=None,
        post_processor=level,
        pre_tokenizer={
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
                level,
            ],
        },
    )


def encode():
    for name, tokenizer in files():
        print("--- encoding, tokenizer %s; %.1f MB of text, %d documents" % (name, size / 1e6, len(texts)))
        want = our_ids(tokenizer)
        library(tokenizer)
        print("one thread, processor MB/s: cold, warm, the best of %d turns" % TURNS)
        for f in (with_tokenizers, with_gigatoken, with_quicktok):
            try:
                f(tokenizer, want)
            except BaseException as e:  # a panic in a peer is not an Exception
                if isinstance(e, KeyboardInterrupt):
                    raise
                print("  %s: left out: %s" % (f.__name__[5:], str(e).strip().split("\n")[0][:110] or type(e).__name__))


def train():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from tokenizers import Regex

    mark = "\u2581"
    print("--- training, %s pieces; %.1f MB of text" % (pieces, size / 1e6))
    for preset in ("metaspace", "bytelevel", "lucie-2024"):
        made = os.path.join(work, "made.json")
        args = ["-q", "-j1", "-n", pieces, "--limit-alphabet", "0", "--preset", preset, "-o", made, docs]
        wall, cpu, rss, _ = min(program("lucie-tok-train", *args) for _ in range(2))
        args[1] = "-j2"
        wall2 = program("lucie-tok-train", *args)[0]
        tok = Tokenizer.from_file(made)
        new = Tokenizer(models.BPE())
        if tok.normalizer is not None:
            new.normalizer = tok.normalizer
        if tok.pre_tokenizer is not None:
            new.pre_tokenizer = tok.pre_tokenizer
        if preset == "lucie-2024":
            doc = json.loads(open(made, encoding="utf-8").read())
            doc["normalizer"]["normalizers"] = doc["normalizer"]["normalizers"][:-2]
            new.normalizer = Tokenizer.from_str(json.dumps(doc)).normalizer
            new.pre_tokenizer = pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Metaspace(mark, "first"),
                    pre_tokenizers.Split(Regex(mark + r"?[^\w\s" + mark + "]+"), "isolated"),
                    pre_tokenizers.Split(Regex(r"[\n\t]"), "isolated"),
                    pre_tokenizers.Digits(True),
                ]
            )
        model = json.loads(tok.to_str())["model"]
        ids = sorted(model["vocab"], key=model["vocab"].get)
        trainer = trainers.BpeTrainer(
            vocab_size=int(pieces),
            min_frequency=2,
            special_tokens=ids[: 324 if preset == "lucie-2024" else 260],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if preset == "bytelevel" else [],
            show_progress=False,
        )
        theirs = timed(lambda: new.train_from_iterator(iter(texts), trainer))
        # Ours end with the merges of blank runs.
        learnt = json.loads(new.to_str())["model"]
        mine = model["merges"][: len(learnt["merges"])]
        same = learnt["vocab"] == model["vocab"] and learnt["merges"] == mine
        print(
            "  %-12s ours %7.2f s processor, %6.2f s elapsed, %6.2f with two threads, %5.0f MB   theirs %7.2f s processor   %.1f times   %s"
            % (preset, cpu, wall, wall2, rss, theirs[1], theirs[1] / cpu, "the same merges" if same else "other merges, DIFFERS")
        )
    print("  theirs: %.0f MB resident by now" % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3))


def kinds(n):
    letters = b"abcdefghijklmnopqrstuvwxyz"
    base64 = letters.upper() + letters + b"0123456789+/"
    rnd = random.Random(1)
    yield "a", b"a" * n
    yield "spaces", b" " * n
    yield "^", b"^" * n
    yield "letters", rnd.randbytes(n).translate(bytes(letters[i % 26] for i in range(256)))
    yield "base64", rnd.randbytes(n).translate(bytes(base64[i % 64] for i in range(256)))


def linear():
    print("--- one line of one kind: elapsed seconds, ratio to a tenth of it, MB resident (one thread)")
    name = os.path.join(work, "line.jsonl")
    last = {}
    for mb in (1, 10, 100):
        for kind, text in kinds(mb * 1000000):
            with open(name, "wb") as f:
                f.write(b'{"text": "' + text + b'"}\n')
            row = []
            for task, args in (
                ("encode", ["lucie-tok-encode", "-q", "-j1", "-t", file, "--as", "u32", "-o", "/dev/null", name]),
                ("train", ["lucie-tok-train", "-q", "-j1", "-n", "2000", "-o", work + "/made.json", name]),
            ):
                if last.get((kind, task), (0, False))[1]:
                    row.append("%s: not tried" % task)
                    continue
                wall, _, rss, late = min(program(*args) for _ in range(3 if mb < 100 else 1))
                before = last.get((kind, task), (None, False))[0]
                last[kind, task] = (wall, late)
                row.append(
                    "%s %s%.2f s %s %.0f MB"
                    % (task, "over " if late else "", wall, "(%.1f times)" % (wall / before) if before else "", rss)
                )
            print("  %4d MB of %-8s %-44s %s" % (mb, kind, *row), flush=True)
    os.unlink(name)


for w in what:
    {"encode": encode, "train": train, "linear": linear}[w]()
