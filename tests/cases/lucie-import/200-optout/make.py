import sys

FIELDS = [
    "TDM-Reservation: 1\r\ntdm-policy: https://example.org/p.json",
    "TDM-Reservation: 0",
    "X-Robots-Tag: noindex, noai",
    "x-robots-tag: somebot: NOIMAGEAI\r\nX-Robots-Tag: noml, nofollow",
    "X-Robots-Tag: noaim",
    "Link: <https://example.org/l>; rel=next",
    "TDM-Policy: https://example.org/\xff",
]
for i, fields in enumerate(FIELDS):
    body = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n%s\r\n\r\n<p>page %d" % (fields, i)
    body = body.encode("latin-1")
    head = (
        "WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:%d>\r\n"
        "Content-Type: application/http\r\nContent-Length: %d\r\n\r\n" % (i, len(body))
    )
    sys.stdout.buffer.write(head.encode() + body + b"\r\n\r\n")
