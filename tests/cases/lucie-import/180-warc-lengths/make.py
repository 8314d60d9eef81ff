"""Web archives of five records, the third of which has a wrong Content-Length: w/HOW_LENGTH.warc for
each LENGTH, an offset from the right one ("+4") or the value of the field, and each HOW: plain, gz or zst
(a member for each record), whole (one gzip member) or blocks (members of 100 bytes)."""
import gzip
import os
import subprocess

LENGTHS = "+0 -1 -7 -200 +1 +4 +5 +13 +60 +900 0 99999999999999 x -x".split()


def record(i, length):
    body = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        "<p>This is page number %d.</p>\n<pre>%s</pre>" % (i, "filler \r\n\r\nWARC/1.0 is a line\r\n" * 9)
    ).encode()
    if length[0] in "+-" and length[1:].isdigit():
        length = str(len(body) + int(length))
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:0-%d>\r\n"
        "Content-Type: application/http; msgtype=response\r\nContent-Length: %s\r\n\r\n" % (i, length)
    )
    return head.encode() + body + b"\r\n\r\n"


def zstd(parts):
    """A frame for each, by one run of the program."""
    for i, part in enumerate(parts):
        with open("part%d" % i, "wb") as f:
            f.write(part)
    names = ["part%d" % i for i in range(len(parts))]
    return subprocess.run(["zstd", "-qc"] + names, stdout=subprocess.PIPE, check=True).stdout


os.mkdir("w")
for length in LENGTHS:
    records = [record(i, length if i == 3 else "+0") for i in range(1, 6)]
    data = b"".join(records)
    for how, parts in [
        ("plain", records),
        ("gz", [gzip.compress(r) for r in records]),
        ("zst", [zstd(records)]),
        ("whole", [gzip.compress(data)]),
        ("blocks", [gzip.compress(data[i : i + 100]) for i in range(0, len(data), 100)]),
    ]:
        with open("w/%s_%s.warc" % (how, length), "wb") as f:
            f.write(b"".join(parts))
