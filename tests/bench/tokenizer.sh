#!/usr/bin/env bash
# Training and encoding beside Hugging Face tokenizers: same text, same components, one thread.
# tests/bench/tokenizer.sh [DOCUMENTS.jsonl]; without a file, text found below /usr/share and
# /usr/include. Prints processor seconds, and how many times less ours takes; the best of three.
set -eu
bin=${LUCIE_BUILD:-build/release}/bin
python=build/venv/bin/python
[ -x "$python" ] || { echo "tokenizer: no build/venv, see make check"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
docs=${1-}
if [ -z "$docs" ]; then
	docs=$work/docs.jsonl
	find /usr/share/doc /usr/share/perl /usr/share/common-licenses /usr/include -type f -size -400k |
		LC_ALL=C sort | "$python" -c '
import json, sys
left = 24 << 20
for name in sys.stdin:
    try:
        text = open(name.rstrip("\n"), encoding="utf-8").read()
    except (UnicodeDecodeError, OSError):
        continue
    if left > 0 and "\x00" not in text:
        print(json.dumps({"text": text}))
        left -= len(text)
' >"$docs"
fi
export RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false OMP_NUM_THREADS=1
exec "$python" - "$bin" "$docs" "$work" <<'EOF'
import json, os, resource, subprocess, sys, time
from tokenizers import Tokenizer, models, trainers

bin, docs, work = sys.argv[1:]
texts = [json.loads(line)["text"] for line in open(docs, encoding="utf-8")]
size = sum(len(t.encode()) for t in texts)
print("%.1f MB of text, %d documents" % (size / 1e6, len(texts)))


def ours(*args):
    best = 1e9
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(args, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def theirs(f, times=3):
    best = 1e9
    for _ in range(times):
        start = time.process_time()
        f()
        best = min(best, time.process_time() - start)
    return best


def line(what, a, b):
    print("%-28s ours %7.2f s %7.1f MB/s   theirs %7.2f s %7.1f MB/s   %5.1f times" % (what, a, size / a / 1e6, b, size / b / 1e6, b / a))


for preset in ("metaspace", "bytelevel", "lucie"):
    file = os.path.join(work, preset + ".json")
    a = ours(os.path.join(bin, "lucie-tok-train"), "-q", "-j1", "-n", "16384", "--preset", preset, "-o", file, docs)
    tok = Tokenizer.from_file(file)
    if preset != "lucie":  # its words are not found by a component
        new = Tokenizer(models.BPE())
        if tok.normalizer is not None:
            new.normalizer = tok.normalizer
        new.pre_tokenizer = tok.pre_tokenizer
        trainer = trainers.BpeTrainer(vocab_size=16384, min_frequency=2, limit_alphabet=1000, show_progress=False)
        line("train " + preset, a, theirs(lambda: new.train_from_iterator(texts, trainer), 1))
    a = ours(os.path.join(bin, "lucie-tok-encode"), "-j1", "-t", file, "--as", "u32", "-o", "/dev/null", docs)
    line("encode " + preset, a, theirs(lambda: [tok.encode(t) for t in texts], 1))
EOF
