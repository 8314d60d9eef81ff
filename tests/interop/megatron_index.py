"""Shards as Megatron indexed datasets: ours read by an independent reader, and the reverse.

The reader below does what Megatron-Core's indexed_dataset.py is documented to do: the header is
unpacked in its order, then the three arrays are taken from the rest of the file one behind the
other, and sequences are fetched by byte pointer and length. It takes nothing from the toolkit.
"""

import json
import os
import random
import struct
import subprocess
import tempfile

import numpy as np

DTYPES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 6: np.float64, 7: np.float32, 8: np.uint16}
BIN = os.path.join(os.environ["LUCIE_BUILD"], "bin")
tests = []


def test(f):
    tests.append(f)
    return f


def run(program, *args, stdin=b"", status=0):
    got = subprocess.run([os.path.join(BIN, program), *args], input=stdin, capture_output=True)
    assert got.returncode == status, (program, args, got.returncode, got.stdout, got.stderr)
    return got.stdout.decode()


class IndexedDataset:
    def __init__(self, prefix):
        with open(prefix + ".idx", "rb") as f:
            assert f.read(9) == b"MMIDIDX\x00\x00"
            assert struct.unpack("<Q", f.read(8)) == (1,)
            self.dtype = DTYPES[struct.unpack("<B", f.read(1))[0]]
            sequences, documents = struct.unpack("<QQ", f.read(16))
            offset = f.tell()
        rest = np.memmap(prefix + ".idx", mode="r", order="C")
        self.lengths = np.frombuffer(rest, dtype=np.int32, count=sequences, offset=offset)
        self.pointers = np.frombuffer(rest, dtype=np.int64, count=sequences, offset=offset + self.lengths.nbytes)
        self.documents = np.frombuffer(
            rest, dtype=np.int64, count=documents, offset=offset + self.lengths.nbytes + self.pointers.nbytes
        )
        assert self.lengths.shape[0] == sequences == self.documents[-1]
        end = offset + self.lengths.nbytes + self.pointers.nbytes + self.documents.nbytes
        assert end == os.path.getsize(prefix + ".idx")
        self.bytes = np.memmap(prefix + ".bin", mode="r", order="C") if os.path.getsize(prefix + ".bin") else b""

    def __getitem__(self, i):
        return np.frombuffer(self.bytes, dtype=self.dtype, count=self.lengths[i], offset=self.pointers[i])


def random_documents(rnd, vocab):
    return [[rnd.randrange(vocab) for _ in range(rnd.choice([0, 1, 2, 7, 300]))] for _ in range(rnd.randrange(60))]


@test
def ours_read_by_their_rules():
    rnd = random.Random(1)
    for vocab, dtype in ((50, np.uint16), (65499, np.uint16), (65500, np.int32), (200000, np.int32)):
        for split in ([], ["--max-tokens", "500"]):
            docs = random_documents(rnd, vocab) + [[vocab - 1, 0]]
            records = "".join(json.dumps({"id": i, "ids": ids}) + "\n" for i, ids in enumerate(docs))
            run("lucie-shard", "--ids", "--vocab-size", str(vocab), "--keep-empty", *split, "-o", "s", stdin=records.encode())
            with open("s.json") as f:
                parts = json.load(f)["parts"]
            got = []
            for prefix in ["s-%05d" % i for i in range(parts)] or ["s"]:
                d = IndexedDataset(prefix)
                assert d.dtype == dtype
                assert list(d.documents) == list(range(len(d.lengths) + 1))
                got += [list(d[i]) for i in range(len(d.lengths))]
            assert got == docs


def write(prefix, code, sequences, documents):
    """As their builder: one add_item a sequence, one end_document a document."""
    dtype = np.dtype(DTYPES[code])
    with open(prefix + ".bin", "wb") as f:
        for ids in sequences:
            f.write(np.array(ids, dtype=dtype).tobytes(order="C"))
    lengths = [len(ids) for ids in sequences]
    pointers = [dtype.itemsize * sum(lengths[:i]) for i in range(len(lengths))]
    with open(prefix + ".idx", "wb") as f:
        f.write(b"MMIDIDX\x00\x00" + struct.pack("<Q", 1) + struct.pack("<B", code))
        f.write(struct.pack("<Q", len(lengths)) + struct.pack("<Q", len(documents)))
        f.write(np.array(lengths, dtype=np.int32).tobytes(order="C"))
        f.write(np.array(pointers, dtype=np.int64).tobytes(order="C"))
        f.write(np.array(documents, dtype=np.int64).tobytes(order="C"))


@test
def theirs_read_by_ours():
    rnd = random.Random(2)
    for code, vocab in ((8, 65499), (4, 200000)):
        sequences = random_documents(rnd, vocab) + [[vocab - 1]]
        cuts = sorted(rnd.sample(range(1, len(sequences)), min(5, len(sequences) - 1)))
        write("t", code, sequences, [0, *cuts, len(sequences)])
        said = json.loads(run("lucie-check", "--json", "--vocab-size", str(vocab), "t"))
        tokens = sum(map(len, sequences))
        width = DTYPES[code](0).itemsize
        assert (said["documents"], said["tokens"], said["id_bytes"]) == (len(cuts) + 1, tokens, width), said
        run("lucie-check", "--vocab-size", str(vocab - 1), "t", status=1)


@test
def theirs_of_a_type_that_is_not_ours():
    for code in (1, 2, 3, 5, 6, 7):
        write("u", code, [[1, 2], [3]], [0, 1, 2])
        said = run("lucie-check", "u", status=1)
        assert "not supported" in said, said


with tempfile.TemporaryDirectory() as scratch:
    os.chdir(scratch)
    print("1..%d" % len(tests))
    for n, t in enumerate(tests, 1):
        t()
        print("ok %d - %s" % (n, t.__name__.replace("_", " ")))
