import io, os, pickle, random, tarfile, zipfile

os.mkdir("f")
open("f/a.txt", "w").write("a text\n")
b = io.BytesIO()
z = zipfile.ZipFile(b, "w")
z.writestr("s.txt", "secret\n")
z.close()
b = bytearray(b.getvalue())
b[6] |= 1  # encrypted, in the header of the member
b[b.index(b"PK\x01\x02") + 8] |= 1
open("f/b.zip", "wb").write(b)
b = io.BytesIO()
with tarfile.open(fileobj=b, mode="w:gz") as t:
    t.add("f/a.txt")
open("f/c.tar.gz", "wb").write(b.getvalue()[:60])
with tarfile.open("f.tar", "w") as t:
    t.add("f")
random.seed(1)
random_bytes = bytes(random.randrange(1, 256) for _ in range(400))
open("data", "wb").write(random_bytes)
open("late", "wb").write(b"a plain line of text\n" * 600 + b"\xff\0")
open("p.pkl", "wb").write(pickle.dumps({"score": 0.1, "text": "x" * 30}, protocol=2))
open("latin.txt", "wb").write("déjà vu à Noël\n".encode("latin-1") * 9)
