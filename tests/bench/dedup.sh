#!/usr/bin/env bash
# lucie-dedup --near on one core beside datasketch, rensa, text-dedup and datatrove (PyPI, in
# build/bench-venv): same documents, 5-word shingles, 112 hashes, 14 bands of 8.
# tests/bench/dedup.sh [DOCUMENTS.jsonl] without a file: text found below /usr/share, shuffled, every
# fifth document a near copy of another. Prints MB of text a second of processor time, and how many
# times ours is faster.
set -eu
bin=${LUCIE_BUILD:-build/release}/bin
venv=build/bench-venv
if [ ! -x $venv/bin/python ] || ! $venv/bin/python -c 'import datasketch, rensa, datatrove' 2>/dev/null; then
	{ python3 -m venv $venv && $venv/bin/pip install -q --disable-pip-version-check \
		datasketch==2.0.0 rensa==0.5.0 text-dedup==0.4.0 datatrove==0.10.1 nltk spacy tokenizers \
		regex orjson 'xxhash<4'; } ||
		{ echo "dedup: the other programs could not be installed"; exit 0; }
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
docs=${1-}
if [ -z "$docs" ]; then
	docs=$work/docs.jsonl
	find /usr/share/doc /usr/share/perl /usr/share/common-licenses /usr/include -type f -size -400k |
		LC_ALL=C sort | $venv/bin/python -c '
import json, random, sys
random.seed(1)
words, docs, left = [], [], 24 << 20
for name in sys.stdin:
    try:
        words += open(name.rstrip("\n"), encoding="utf-8").read().split()
    except (UnicodeDecodeError, OSError):
        pass
    if len(words) > 3000000:
        break
while left > 0:
    at = random.randrange(max(1, len(words) - 1200))
    w = words[at:at + random.randrange(50, 1200)]
    random.shuffle(w)
    if docs and len(docs) % 5 == 0:
        w = list(random.choice(docs[-100:]))
        for _ in range(1 + len(w) // 80):
            w[random.randrange(len(w))] = "changed"
    docs.append(w)
    line = json.dumps({"id": len(docs), "text": " ".join(w)}, ensure_ascii=False)
    left -= len(line)
    print(line)
' >"$docs"
fi
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1
exec $venv/bin/python - "$bin/lucie-dedup" "$docs" "$work" <<'EOF'
import json, os, re, resource, subprocess, sys, time

tool, docs, work = sys.argv[1:]
size = sum(len(json.loads(line)["text"].encode()) for line in open(docs, encoding="utf-8"))
count = sum(1 for _ in open(docs, "rb"))
print("%.1f MB of text, %d documents" % (size / 1e6, count))
word = re.compile(r"\w+")


def shingles(text):
    w = word.findall(text.lower())
    return {" ".join(w[i:i + 5]) for i in range(max(1, len(w) - 4))}


def measure(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours():
    seconds = measure(tool, "--near", "-q", "-j", "1", "-o", work + "/out", docs)
    return seconds, sum(1 for _ in open(work + "/out", "rb"))


def with_text_dedup():
    seconds = measure(sys.executable, "-m", "text_dedup.minhash", "--path", "json", "--data_files",
        docs, "--split", "train", "--cache_dir", work + "/cache", "--output", work + "/saved", "--column",
        "text", "--ngram", "5", "--b", "14", "--r", "8", "--num_perm", "112", "--num_proc", "1")
    import datasets
    return seconds, len(datasets.load_from_disk(work + "/saved"))


DATATROVE = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster
from datatrove.pipeline.dedup import MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
folder, name, work = sys.argv[1:]
config = MinhashConfig(num_buckets=14, hashes_per_bucket=8, n_grams=5)
def read(): return JsonlReader(folder, glob_pattern=name)
def run(tasks, *steps):
    logs = work + "/logs/" + type(steps[-1]).__name__
    LocalPipelineExecutor(pipeline=list(steps), tasks=tasks, workers=1, logging_dir=logs).run()
run(1, read(), MinhashDedupSignature(work + "/sig", config=config, language="eng"))
run(14, MinhashDedupBuckets(work + "/sig", work + "/buckets", config=config))
run(1, MinhashDedupCluster(work + "/buckets", work + "/remove", config=config))
run(1, read(), MinhashDedupFilter(work + "/remove"), JsonlWriter(work + "/dt", compression=None))
"""


def with_datatrove():
    seconds = measure(sys.executable, "-c", DATATROVE, os.path.dirname(os.path.abspath(docs)),
        os.path.basename(docs), work)
    return seconds, sum(1 for _ in open(work + "/dt/00000.jsonl", "rb"))


def with_datasketch():
    from datasketch import MinHash, MinHashLSH
    start, lsh, kept = time.process_time(), MinHashLSH(num_perm=112, params=(14, 8)), 0
    for n, line in enumerate(open(docs, encoding="utf-8")):
        m = MinHash(num_perm=112)
        m.update_batch([s.encode() for s in shingles(json.loads(line)["text"])])
        if not any(m.jaccard(lsh_of[k]) >= 0.7 for k in lsh.query(m)):
            kept += 1
            lsh.insert(n, m)
            lsh_of[n] = m
    return time.process_time() - start, kept


def with_rensa():
    from rensa import RMinHash, RMinHashLSH
    start, lsh, kept = time.process_time(), RMinHashLSH(threshold=0.7, num_perm=112, num_bands=14), 0
    for n, line in enumerate(open(docs, encoding="utf-8")):
        m = RMinHash(num_perm=112, seed=1)
        m.update(list(shingles(json.loads(line)["text"])))
        if not any(m.jaccard(lsh_of[k]) >= 0.7 for k in lsh.query(m)):
            kept += 1
            lsh.insert(n, m)
            lsh_of[n] = m
    return time.process_time() - start, kept


best = min(ours() for _ in range(3))
print("%-12s %8.1f MB/s  %d documents stay" % ("lucie-dedup", size / 1e6 / best[0], best[1]))
for name, f in (("datasketch", with_datasketch), ("rensa", with_rensa), ("text-dedup", with_text_dedup),
        ("datatrove", with_datatrove)):
    lsh_of = {}
    seconds, kept = f()
    print("%-12s %8.1f MB/s  %d documents stay; lucie-dedup takes %.0f times less" % (
        name, size / 1e6 / seconds, kept, seconds / best[0]))
EOF
