"""A file of each format that is not read, and folders and archives of several."""
import io
import os
import tarfile
import zipfile

NUL = b"\0" * 600
ONE = {
    "data.arrow": b"ARROW1\0\0" + NUL,
    "docs.jsonl": b'{"text":"a"}\n{"text":"b"}\n',
    "docs": b' [{"text":"a"}]\n',
    "rows.csv": b"a,b\n1,2\n",
    "rows.tsv": b"a\tb\n1\t2\n",
    "page.ps": b"%!PS-Adobe-3.0\n%%Pages: 1\n",
    "scan.djvu": b"AT&TFORM" + NUL,
    "feed.xml": b"<?xml version='1.0'?><feed/>",
    "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NUL,
    "page.txt.lz4": b"\x02\x21\x4c\x18\x64\x40\xa7" + b"text" * 9,
    "page.txt.sz": b"\xff\x06\x00\x00sNaPpY" + b"text",
    "latin.txt": "Un été à la mer.\n".encode("latin-1"),
    "utf32.txt": "text".encode("utf-32"),
    "empty.txt": b"",
    "blank.md": b" \n\n",
    "photo.png": b"\x89PNG\r\n\x1a\n" + NUL,
    "photo.jpg": b"\xff\xd8\xff\xe0" + NUL,
    "program": b"\x7fELF\2\1\1" + NUL,
    "zeros": NUL,
    "notes.abc": b"plain text\n",
    "bmw.xyz": b"BM is no image here\n",
}


def zipped(names, stored=None):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w") as z:
        for name in names:
            z.writestr(name, stored if name == "mimetype" else "<html><p>A page.</p></html>")
    return f.getvalue()


ONE["talk.pptx"] = zipped(["[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml"])
ONE["sheet.xlsx"] = zipped(["_rels/.rels", "xl/workbook.xml"])
ONE["sheet.ods"] = zipped(["mimetype", "content.xml"], "application/vnd.oasis.opendocument.spreadsheet")
ONE["none.zip"] = zipped([])
for folder in ["one", "some/mixed/deep", "some/pictures"]:
    os.makedirs(folder)
for name, data in ONE.items():
    with open("one/" + name, "wb") as f:
        f.write(data)
for name in ["photo.png", "page.ps", "talk.pptx", "docs.jsonl", "page.txt.lz4", "zeros", "latin.txt"]:
    with open("some/mixed/deep/" + name, "wb") as f:
        f.write(ONE[name])
with open("some/mixed/good.txt", "w") as f:
    f.write("A text.\n")
os.symlink("good.txt", "some/mixed/link.txt")
for i in range(12):
    with open("some/pictures/%d.PNG" % i, "wb") as f:
        f.write(ONE["photo.png"])
    with open("some/pictures/%d.a%d" % (i, i), "wb") as f:
        f.write(ONE["zeros"])
with tarfile.open("some/scans.tar.xz", "w:xz") as t:
    for name in ["page.ps", "scan.djvu", "photo.jpg"]:
        t.add("one/" + name)
with open("some/book.zip", "wb") as f:
    f.write(zipped(["text.xhtml", "content.opf"]))
