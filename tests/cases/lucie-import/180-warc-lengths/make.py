"""Five records, the third of which has a wrong Content-Length: make.py LENGTH HOW, where LENGTH is
an offset from the right one ("+4") or the value of the field, and HOW is plain, gz or zst (a member
for each record), whole (one gzip member) or blocks (members of 100 bytes)."""
import gzip
import subprocess
import sys


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


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


length, how = sys.argv[1:]
records = [record(i, length if i == 3 else "+0") for i in range(1, 6)]
if how == "plain":
    parts = records
elif how == "gz":
    parts = [gzip.compress(r) for r in records]
elif how == "zst":
    parts = [zstd(r) for r in records]
elif how == "whole":
    parts = [gzip.compress(b"".join(records))]
else:
    data = b"".join(records)
    parts = [gzip.compress(data[i : i + 100]) for i in range(0, len(data), 100)]
sys.stdout.buffer.write(b"".join(parts))
