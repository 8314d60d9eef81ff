#!/usr/bin/env bash
# Parquet, one core: bytes of values a second, read by lucie-import (to records) and by pyarrow (to its
# own tables in memory, and to JSON Lines), and written by -o x.parquet. FRENCH=FILE chooses the documents.
# Mark: 300 MB/s read of zstd. PYTHON has pyarrow, by default that of build/venv.
set -eu
# shellcheck source=tests/bench/french.sh disable=SC1091
. "$(dirname "$0")/french.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-build/venv/bin/python}
french "$work/fr.jsonl"
rate() { # NAME BYTES SECONDS
	awk -v name="$1" -v n="$2" -v t="$3" 'BEGIN { printf "%-34s %7.1f MB/s\n", name, n / t / 1e6 }'
}
t=$(best 3 lucie-normalize -q -j1 -o "$work/fr.parquet" "$work/fr.jsonl")
rate "lucie-normalize -j1 -o .parquet" "$(stat -c %s "$work/fr.jsonl")" "$t"
[ -x "$python" ] || { echo "pyarrow: left out (no $python)"; exit 0; }
cat >"$work/write.py" <<'END'
import json, sys, pyarrow as pa, pyarrow.parquet as pq
rows = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
t = pa.table({k: [r.get(k) for r in rows] for k in ("id", "text", "source", "license", "url")})
print(t.nbytes)
for codec in ("zstd", "snappy", "none"):
    pq.write_table(t, sys.argv[2] + "-" + codec + ".parquet", compression=codec)
END
cat >"$work/read.py" <<'END'
import json, sys, pyarrow as pa, pyarrow.parquet as pq
pa.set_cpu_count(1)
out = open("/dev/null", "w", encoding="utf-8")
for batch in pq.ParquetFile(sys.argv[1]).iter_batches(use_threads=False):
    if sys.argv[2] == "json":
        for row in batch.to_pylist():
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
END
bytes=$("$python" "$work/write.py" "$work/fr.jsonl" "$work/py")
for codec in zstd snappy none; do
	f=$work/py-$codec.parquet
	rate "lucie-import -j1, $codec" "$bytes" "$(best 3 lucie-import -q -j1 -o /dev/null "$f")"
	rate "pyarrow to memory, $codec" "$bytes" "$(best 3 "$python" "$work/read.py" "$f" memory)"
	rate "pyarrow to JSON, $codec" "$bytes" "$(best 1 "$python" "$work/read.py" "$f" json)"
done
