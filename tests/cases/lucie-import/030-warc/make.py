import sys
def rec(kind, body, fields="", uri="http://example.org/x", n=[0]):
    n[0] += 1
    head = "WARC/1.0\r\nWARC-Type: %s\r\nWARC-Record-ID: <urn:uuid:0000-%d>\r\nWARC-Date: 2024-05-0%dT00:00:00Z\r\n" % (kind, n[0], n[0] % 9 + 1)
    if uri: head += "WARC-Target-URI: %s\r\n" % uri
    return head.encode() + fields.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body + b"\r\n\r\n"
import gzip
http = "Content-Type: application/http; msgtype=response\r\n"
def answer(body, *fields, status="200 OK"):
    return ("HTTP/1.1 %s\r\n%s\r\n" % (status, "".join(f + "\r\n" for f in fields))).encode() + body
html = "<html><body><p>Un été à la mer.</p></body></html>"
records = [
 rec("warcinfo", b"software: x\r\n", "Content-Type: application/warc-fields\r\n", None),
 rec("request", b"GET / HTTP/1.1\r\n\r\n", "Content-Type: application/http; msgtype=request\r\n"),
 rec("response", answer(html.encode(), "Content-Type: text/html; charset=utf-8"), http),
 rec("response", answer(html.encode("latin-1"), "content-type: text/html;charset=ISO-8859-1"), http, "http://example.org/latin"),
 rec("response", answer(b"6;ext=1\r\nmorcea\r\n3\r\nux \r\nA\r\nde la page\r\n0\r\n\r\n", "Content-Type: text/plain", "Transfer-Encoding: chunked"), http, "http://example.org/chunked"),
 rec("response", answer(b"not chunked at all", "Content-Type: text/plain", "Transfer-Encoding: chunked"), http, "http://example.org/undone"),
 rec("response", answer(b"5\r\nwhole\r\nzz\r\n", "Content-Type: text/plain", "Transfer-Encoding: chunked"), http, "http://example.org/broken"),
 rec("response", answer(b"5\r\nwhole\r\n9\r\ncut", "Content-Type: text/plain", "Transfer-Encoding: chunked"), http + "WARC-Truncated: length\r\n", "http://example.org/cut"),
 rec("response", answer(gzip.compress(b"gzip inside", mtime=0), "Content-Type: text/plain", "Content-Encoding: gzip"), http, "http://example.org/gzip"),
 rec("response", answer(b"br", "Content-Type: text/plain", "Content-Encoding: br"), http),
 rec("response", answer(b"gone", "Content-Type: text/plain", status="404 Not Found"), http),
 rec("response", answer(b"\x89PNG", "Content-Type: image/png"), http),
 rec("response", b"no http", http),
 rec("conversion", "Texte déjà extrait.\n".encode(), "Content-Type: text/plain\r\n", "<http://example.org/wet>"),
 rec("revisit", b"", ""),
]
out = open(sys.argv[1], "wb")
for r in records: out.write(gzip.compress(r, mtime=0) if sys.argv[1].endswith(".gz") else r)
