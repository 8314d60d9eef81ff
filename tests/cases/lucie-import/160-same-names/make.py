"""Archives in which names occur several times, or once their charset is lost."""
import io
import os
import struct
import tarfile
import warnings
import zipfile
import zlib

warnings.simplefilter("ignore")
KINDS = {
    "notes.txt": "A note.\n",
    "read.me/README": "Read it.\n",
    "x.1": ".TH X 1\n.SH NAME\nx\n",
    "d/page.html": "<p>A page.</p>",
    "d/guide.fr.html": "<p>Un guide.</p>",
    "tool.py": "print(1)\n",
    "script": "#!/bin/sh\n",
    "notes.txt.gz": "not gzip, whatever the name says\n",
}
RAW = [b"\x82t\x82.txt", b"\x8at\x8a.txt", b"\x90.txt", b"line\nend.txt", b"\x82t\x82.txt"]


def tar(name, members):
    with tarfile.open(name, "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as t:
        for path, text in members:
            info = tarfile.TarInfo(path)
            info.size = len(text)
            t.addfile(info, io.BytesIO(text))


def raw_zip(name, members):
    out = folder = b""
    for path, text in members:
        same = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0, zlib.crc32(text), len(text), len(text), len(path), 0)
        folder += b"PK\1\2\x14\3" + same + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(out)) + path
        out += b"PK\3\4" + same + path + text
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(folder), len(out), 0)
    with open(name, "wb") as f:
        f.write(out + folder + b"PK\5\6" + end)


thrice = [(k, v.encode()) for k, v in KINDS.items() for _ in range(3)]
tar("names.tar", thrice)
tar("raw.tar", [(p.decode("utf-8", "surrogateescape"), b"text\n") for p in RAW])
raw_zip("raw.zip", [(p, b"text\n") for p in RAW])
with zipfile.ZipFile("names.zip", "w") as z:
    for path, text in thrice:
        z.writestr(path, text)
with zipfile.ZipFile("outer.zip", "w") as z:
    for path in ["in/names.tar", "in/names.tar", "names.zip", "names.zip"]:
        z.write(path.replace("in/", ""), path)
tar("outer.tar", [("names.zip", open("names.zip", "rb").read())] * 2 + [("notes.txt", b"text\n")] * 2)
os.mkdir("kinds")
for path, text in KINDS.items():
    if "/" not in path and path != "notes.txt.gz":
        with open("kinds/" + path, "w") as f:
            f.write(text)
record = (
    "WARC/1.0\r\nWARC-Type: conversion\r\n%sContent-Type: text/plain\r\n"
    "Content-Length: 5\r\n\r\ntext\n\r\n\r\n"
)
with open("two.warc", "w", newline="") as f:
    for field in ["WARC-Record-ID: <urn:uuid:%d>\r\n" % i for i in [1, 1, 4]] + [""] * 2:
        f.write(record % field)
