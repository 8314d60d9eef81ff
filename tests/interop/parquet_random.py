"""Random tables in Parquet, read by lucie-import as pyarrow reads them.

    tests/interop/parquet_random.py [TABLES [SEED]]

Types, nesting, nulls, encodings, sizes of pages and row groups, page versions, checksums and codecs are
drawn at random. pyarrow writes a table and reads it back; what it reads is turned into JSON by the rules
of lucie-parquet(5), and every row has to be equal. The bytes have to be the same for one and for three
threads, and for standard input. 12 tables by default; 1,000 take some minutes.

Then records written by `-o x.parquet` are read by pyarrow, and by lucie-import: byte for byte.
"""

import datetime
import decimal
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = ["a", "été", "of", "Le matin,", "«x»", '"', "\\", "\n", "\t", "\x00", "\u2028", "😀", " ", "{", "日本"]
EPOCH = datetime.datetime(1970, 1, 1)


def word(r, most=12):
    return "".join(r.choice(WORDS) for _ in range(r.randint(0, most)))


# ---- types: (type of Arrow, a value of it at random) -------------------------------------------------
def scalar(r):
    few = [word(r) for _ in range(5)]
    bits = r.choice([8, 16, 32, 64])
    lo = r.choice([-(2 ** (bits - 1)), -100])
    precision = r.randint(1, 38)
    scale = r.randint(0, precision)
    unit = r.choice(["s", "ms", "us", "ns"])
    per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    return r.choice(
        [
            (pa.string(), lambda: word(r)),
            (pa.string(), lambda: r.choice(few)),
            (pa.large_string(), lambda: word(r, 200)),
            (pa.dictionary(pa.int32(), pa.string()), lambda: r.choice(few)),
            (pa.bool_(), lambda: r.random() < 0.4),
            ({8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[bits],
             lambda: r.randint(max(lo, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)),
            ({8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}[bits],
             lambda: r.choice([0, 1, 2**bits - 1, r.randrange(2**bits)])),
            (pa.int64(), lambda: 10**6 + r.randint(0, 9)),
            (pa.float32(), lambda: r.choice([0.0, -0.0, 1.5, 3.4e38, 1e-45, math.inf, math.nan, r.gauss(0, 9)])),
            (pa.float64(), lambda: r.choice([0.0, 1e300, 5e-324, -math.inf, math.nan, r.gauss(0, 9), 1e22])),
            (pa.float16(), lambda: r.choice([0.0, 1.0, -2.5, 65504.0, 6e-8, math.inf, r.gauss(0, 9)])),
            (pa.decimal128(precision, scale),
             lambda: decimal.Decimal(r.randint(-(10**precision) + 1, 10**precision - 1)).scaleb(-scale, BIG)),
            (pa.decimal256(70, 7), lambda: decimal.Decimal(r.randint(-(10**70) + 1, 10**70 - 1)).scaleb(-7, BIG)),
            (pa.date32(), lambda: r.randint(-200000, 200000)),
            (pa.time32("ms"), lambda: r.choice([0, 1000, r.randrange(86400000)])),
            (pa.time64("us"), lambda: r.randrange(86400 * 10**6)),
            (pa.timestamp(unit, r.choice([None, "UTC", "Europe/Paris"])),
             lambda: r.choice([0, -1, per, r.randint(-(10**9) * per, 4 * 10**9 * per)])),
            (pa.binary(16), None),
            (pa.null(), lambda: None),
        ]
    )


BIG = decimal.Context(prec=80)


def make_type(r, depth):
    """A type and a function that draws a value, or None for null; binary columns are left out."""
    kind = r.random()
    if depth == 0 or kind < 0.5:
        t, draw = scalar(r)
        while draw is None:
            t, draw = scalar(r)
        return t, draw
    nulls = r.choice([0, 0.1, 0.6])
    maybe = lambda draw: lambda: None if r.random() < nulls else draw()
    t, draw = make_type(r, depth - 1)
    if kind < 0.75:
        most = r.choice([1, 3, 40])
        draw = maybe(draw)
        make = r.choice([pa.list_, pa.large_list])
        return make(t), lambda: [draw() for _ in range(r.randint(0, most))]
    if kind < 0.9:
        fields = [("f%d" % i, *make_type(r, depth - 1)) for i in range(r.randint(1, 3))]
        t = pa.struct([(n, t) for n, t, _ in fields])
        draws = [(n, maybe(d)) for n, _, d in fields]
        return t, lambda: {n: d() for n, d in draws}
    draw = maybe(draw)
    key, draw_key = r.choice([(pa.string(), lambda: word(r)), (pa.int32(), lambda: r.randint(-9, 9))])
    # Keys of a map are distinct, so that JSON can be compared.
    return pa.map_(key, t), lambda: list({draw_key(): draw() for _ in range(r.randint(0, 3))}.items())


# ---- JSON as lucie-parquet(5) says it -----------------------------------------------------------------
def clock(units, per):
    s, rest = divmod(units, per)
    out = "%02d:%02d:%02d" % (s // 3600, s // 60 % 60, s % 60)
    return out + (".%0*d" % (len(str(per)) - 1, rest) if rest else "")


def moment(units, per, zone):
    if per == 1:
        units, per = units * 1000, 1000  # Parquet has no seconds
    days, rest = divmod(units, 86400 * per)
    return day(days) + "T" + clock(rest, per) + ("Z" if zone else "")


def day(days):
    """By a calendar that Python has for the years 1 to 9999: 400 years have 146,097 days."""
    turns = 0
    while not -700000 < days < 2900000:
        turns += 1 if days > 0 else -1
        days -= 146097 * (1 if days > 0 else -1)
    d = (EPOCH + datetime.timedelta(days=days)).date()
    return "%04d-%02d-%02d" % (d.year + 400 * turns, d.month, d.day)


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def expected(t, v):
    """A scalar or array of pyarrow as the value that JSON should have."""
    if not v.is_valid:
        return None
    if pa.types.is_dictionary(t):
        return v.as_py()
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return [expected(t.value_type, x) for x in v.values]
    if pa.types.is_struct(t):
        return {f.name: expected(f.type, v[f.name]) for f in t}
    if pa.types.is_map(t):
        out = {}
        for pair in v.values:
            key = expected(t.key_type, pair["key"])
            out[key if isinstance(key, str) else json.dumps(key)] = expected(t.item_type, pair["value"])
        return out
    if pa.types.is_date(t):
        return day(v.value)
    if pa.types.is_time(t):
        return clock(v.value, UNITS[t.unit])
    if pa.types.is_timestamp(t):
        return moment(v.value, UNITS[t.unit], t.tz)
    if pa.types.is_decimal(t):
        return ("decimal", format(v.as_py(), "f"))
    if pa.types.is_floating(t):
        x = float(v.as_py())
        return None if not math.isfinite(x) else ("float%d" % t.bit_width, x)
    return v.as_py()


def same(want, raw):
    """`raw` is JSON whose numbers are strings in a pair, ("number", text)."""
    if isinstance(want, tuple):
        kind, v = want
        if not isinstance(raw, tuple):
            return False
        if kind == "decimal":
            return raw[1] == v or decimal.Decimal(raw[1]) == decimal.Decimal(v) == 0
        if kind == "float64":
            return float(raw[1]) == v
        make = pa.float32() if kind == "float32" else pa.float16()
        return pa.scalar(float(raw[1]), make).as_py() == v if kind == "float32" else float(raw[1]) == v
    if isinstance(want, bool) or want is None or isinstance(want, str):
        return raw == want and type(raw) is type(want)
    if isinstance(want, int):
        return isinstance(raw, tuple) and raw[1] == str(want)
    if isinstance(want, list):
        return isinstance(raw, list) and len(raw) == len(want) and all(map(same, want, raw))
    return list(raw) == list(want) and all(same(want[k], raw[k]) for k in want)


def load(line):
    number = lambda s: ("number", s)
    return json.loads(line, parse_int=number, parse_float=number)


# ---- files --------------------------------------------------------------------------------------------
def table(r):
    rows = r.choice([1, 2, 7, 100, 1000, r.randint(1, 4000)])
    names = ["text"] + ["c%d" % i for i in range(r.randint(0, 5))]
    arrays, fields = [], []
    for name in names:
        t, draw = make_type(r, r.choice([0, 0, 1, 2, 3]))
        if name == "text":
            most = r.choice([3, 30, 300])
            t, draw = pa.string(), lambda: "t" + word(r, most)
        nulls = 0 if name == "text" else r.choice([0, 0, 0.1, 0.9, 1])
        values = [None if r.random() < nulls else draw() for _ in range(rows)]
        arrays.append(pa.array(values, t))
        fields.append(pa.field(name, t, nullable=nulls > 0 or pa.types.is_null(t)))
    return pa.table(arrays, schema=pa.schema(fields))


def options(r, t):
    o = {
        "compression": r.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
        "row_group_size": r.choice([1, 10, 500, 10**6]) if t.num_rows < 200 else r.choice([100, 999, 10**6]),
        "data_page_size": r.choice([1, 100, 4000, 1 << 20]),
        "write_batch_size": r.choice([1, 7, 100, 1024]),
        "data_page_version": r.choice(["1.0", "2.0"]),
        "version": r.choice(["1.0", "2.4", "2.6"]),
        "use_dictionary": r.choice([True, False]),
        "dictionary_pagesize_limit": r.choice([50, 1 << 20]),
        "write_page_checksum": r.random() < 0.5,
        "write_page_index": r.random() < 0.5,
        "write_statistics": r.random() < 0.5,
        "use_compliant_nested_type": r.random() < 0.7,
        "store_schema": r.random() < 0.5,
    }
    if not o["use_dictionary"]:
        flat = lambda f: not pa.types.is_nested(f.type) and not pa.types.is_dictionary(f.type)
        encodings = {}
        for f in filter(flat, t.schema):
            if pa.types.is_string(f.type) or pa.types.is_large_string(f.type):
                encodings[f.name] = r.choice(["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"])
            elif pa.types.is_integer(f.type):
                encodings[f.name] = r.choice(["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"])
            elif pa.types.is_floating(f.type):
                encodings[f.name] = r.choice(["PLAIN", "BYTE_STREAM_SPLIT"])
            elif pa.types.is_boolean(f.type):
                encodings[f.name] = r.choice(["PLAIN", "RLE"])
        o["column_encoding"] = encodings or None
    return o


def run(args, data=None):
    p = subprocess.run(args, input=data, capture_output=True)
    if p.returncode:
        raise AssertionError("%s: exit %d: %s" % (args, p.returncode, p.stderr.decode(errors="replace")))
    return p.stdout


def check_table(r, path):
    t = table(r)
    o = options(r, t)
    try:
        pq.write_table(t, path, **o)
        back = pq.read_table(path)
    except pa.ArrowException:
        return 0  # an empty dictionary, say, is beyond pyarrow
    lines = run(["lucie-import", "-q", "-j1", path]).decode().split("\n")[:-1]
    assert len(lines) == back.num_rows, "%d lines of %d rows" % (len(lines), back.num_rows)
    for i, line in enumerate(lines):
        got = load(line)
        want = {}
        for f in back.schema:
            v = expected(f.type, back[f.name][i])
            if back[f.name][i].is_valid and not pa.types.is_null(f.type):
                want[f.name] = v
        for k in ("id", "source", "license"):
            got.pop(k)
        assert same(want, got), "row %d of %s with %s:\nwant %r\ngot  %r" % (i, t.schema, o, want, got)
    one = "\n".join(lines)
    if r.random() < 0.3:
        three = run(["lucie-import", "-q", "-j3", "-s", "stdin", "-"], open(path, "rb").read()).decode()
        strip = lambda s: [{k: v for k, v in load(x).items() if k not in ("id", "source")} for x in s.rstrip("\n").split("\n")]
        assert strip(three) == strip(one), "standard input differs"
    return 1


KNOWN = ["id", "text", "source", "license", "lang", "url", "date", "title", "category"]


def check_records(r, tmp):
    """Records of random members and spellings through -o x.parquet and back."""
    a, b, c = (os.path.join(tmp, x) for x in ("a.jsonl", "b.jsonl", "c.parquet"))
    records = []
    for i in range(r.choice([1, 50, 3000])):
        d = {k: r.choice([word(r), None]) for k in KNOWN if r.random() < 0.5}
        d.update(text="t" + word(r, 100), id=r.choice(["i%d" % i, i]))
        if r.random() < 0.5:
            d["lang_score"] = r.choice([0.5, 1, 0.123456789])
        for _ in range(r.randint(0, 3)):
            d["x" + word(r, 2)] = r.choice([None, 1.5, [1, {"é": word(r)}], word(r)])
        items = list(d.items())
        r.shuffle(items)
        records.append(dict(items))
    spelling = r.choice([{}, {"ensure_ascii": False}, {"ensure_ascii": False, "separators": (",", ":")}])
    with open(a, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(x, **spelling) + "\n" for x in records)
    how = ["-z", r.choice(["zstd", "zstd:9", "none"]), "-s", "s"]
    run(["lucie-import", "-q", "-s", "s", "-o", b, a])
    run(["lucie-import", "-q", "-j%d" % r.randint(1, 3), *how, "-o", c, a])
    got = pq.read_table(c, page_checksum_verification=True).to_pylist()
    assert [x["text"] for x in got] == [x["text"] for x in records], "texts differ"
    for x, line in zip(got, open(b, encoding="utf-8")):
        want = json.loads(line)
        assert x["id"] == str(want["id"]) and x["lang_score"] == want.get("lang_score"), "a value differs"
        others = {k: v for k, v in want.items() if k not in KNOWN and k != "lang_score"}
        assert json.loads(x["extra"] or "{}") == others, "the others differ"
    assert run(["lucie-import", "-q", c]) == open(b, "rb").read(), "records differ"


def main():
    tables = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    read = 0
    print("1..2")
    with tempfile.TemporaryDirectory() as tmp:
        for i in range(seed, seed + tables):
            try:
                read += check_table(random.Random(i), os.path.join(tmp, "t.parquet"))
            except AssertionError as e:
                print("not ok 1 - table %d" % i)
                print("# " + str(e)[:3000].replace("\n", "\n# "))
                return 1
    print("ok 1 - %d random tables read as pyarrow reads them" % read)
    with tempfile.TemporaryDirectory() as tmp:
        for i in range(seed, seed + tables // 2 + 1):
            try:
                check_records(random.Random(i), tmp)
            except AssertionError as e:
                print("not ok 2 - records %d" % i)
                print("# " + str(e)[:3000].replace("\n", "\n# "))
                return 1
    print("ok 2 - records come back from Parquet")
    return 0


sys.exit(main())
