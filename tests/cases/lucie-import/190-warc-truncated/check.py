"""Compare each document with what zlib gives of its bytes."""
import json
import sys
import zlib

from make import CODINGS

wbits = {"gzip": 31, "deflate": 15, "raw": -15}
seen = wrong = 0
for line in sys.stdin:
    d = json.loads(line)
    coding, share, _, why = d["url"].split("/")[3:]
    data = CODINGS[coding]
    want = zlib.decompressobj(wbits=wbits[coding]).decompress(data[: int(len(data) * float(share))])
    seen += 1
    # Without a reason in the record, a body that ends too early says so itself.
    if why == "None" and share != "1":
        why = "incomplete"
    wrong += d["text"].encode() != want or d.get("truncated", "None") != why
print(seen, "documents", wrong, "wrong")
