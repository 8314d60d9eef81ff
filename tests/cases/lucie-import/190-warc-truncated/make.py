"""Responses whose compressed bodies are cut, at several places and with several codings."""
import gzip
import random
import zlib

random.seed(1)
words = ["w%d" % i for i in range(5000)]
text = " ".join(random.choice(words) for _ in range(40000)).encode()


def raw(data):
    c = zlib.compressobj(wbits=-15)
    return c.compress(data) + c.flush()


def chunked(data, end):
    return b"".join(b"%x\r\n%s\r\n" % (len(data[i : i + 3000]), data[i : i + 3000]) for i in range(0, len(data), 3000)) + end


CODINGS = {"gzip": gzip.compress(text), "deflate": zlib.compress(text), "raw": raw(text)}
with open("a.warc", "wb") as f:
    n = 0
    for coding, data in CODINGS.items():
        for share in [0.001, 0.1, 0.5, 0.97, 1]:
            for chunks in [False, True]:
                for why in ["length", "time", None]:
                    n += 1
                    body = data[: int(len(data) * share)]
                    name = "deflate" if coding == "raw" else coding
                    message = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: %s\r\n" % name
                    message += "Transfer-Encoding: chunked\r\n\r\n" if chunks else "\r\n"
                    message = message.encode() + (chunked(body, b"0\r\n\r\n" if share == 1 else b"") if chunks else body)
                    fields = "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:%d>\r\n" % n
                    fields += "WARC-Truncated: %s\r\n" % why if why else ""
                    fields += "WARC-Target-URI: http://x.org/%s/%s/%s/%s\r\n" % (coding, share, chunks, why)
                    fields += "Content-Type: application/http\r\nContent-Length: %d\r\n\r\n" % len(message)
                    f.write(fields.encode() + message + b"\r\n\r\n")
