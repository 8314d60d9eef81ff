"""ARC files: make.py VERSION HOW [LENGTH], where VERSION is 1 or 2, HOW is plain or gz (a member for each
record) and LENGTH is what the third record's length is off by."""
import gzip
import sys

version, how = sys.argv[1:3]
off = int(sys.argv[3]) if len(sys.argv) > 3 else 0


def record(n, url, date, kind, body):
    length = len(body) + (off if n == 3 else 0)
    more = " 200 ABCDEF - 1234 x.arc" if version == "2" else ""
    return ("%s 192.0.2.7 %s %s%s %d\n" % (url, date, kind, more, length)).encode() + body + b"\n"


def page(text, kind="text/html; charset=utf-8"):
    head = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: %s\r\n\r\n" % kind
    return head.encode() + ("<p>%s</p>" % text).encode()


names = "URL IP-address Archive-date Content-type Archive-length"
if version == "2":
    names = "URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename Archive-length"
records = [
    record(1, "filedesc://x.arc", "20060102030405", "text/plain", ("%s 0 Example\n%s\n" % (version, names)).encode()),
    record(2, "http://example.org/", "20060102030405", "text/html", page("Première page.")),
    record(3, "http://example.org/a b", "20060102030406", "text/html", page("Deuxième\n\npage.")),
    record(4, "dns:example.org", "20060102030407", "text/dns", b"20060102030407\nexample.org. 99 IN A 192.0.2.7\n"),
    record(5, "http://example.org/old", "970102030405", "text/html", b"<p>No fields in front.</p>"),
    record(6, "https://example.org/last", "20061302030405", "no-type", page("Troisième page.")),
]
sys.stdout.buffer.write(b"".join(gzip.compress(r, mtime=0) if how == "gz" else r for r in records))
