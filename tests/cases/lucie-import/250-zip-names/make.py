"""A zip archive whose names are as writers of all times wrote them, and one without members."""
import struct
import zlib


def write(path, members):
    local = central = b""
    for name, flags, data in members:
        head = struct.pack("<HHHHIIIHH", flags, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
        central += b"PK\1\2" + struct.pack("<HH", 20, 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, len(local)) + name
        local += b"PK\3\4" + struct.pack("<H", 20) + head + name + data
    count = len(members)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(central), len(local), 0)
    with open(path, "wb") as f:
        f.write(local + central + b"PK\5\6" + end)


UTF8 = 0x800
write("names.zip", [
    ("été.txt".encode("cp437"), 0, b"code page 437"),
    ("été 2.txt".encode(), 0, b"UTF-8 without the flag"),
    ("été 3.txt".encode(), UTF8, b"UTF-8 with the flag"),
    ("Größe/Ω.txt".encode("cp437"), 0, b"a folder"),
    (b"../../up.txt", 0, b"not upwards"),
    (b"/abs.txt", 0, b"absolute"),
    (b"new\nline.txt", 0, b"a line end"),
    (b"", 0, b"no name"),
])
write("empty.zip", [])
