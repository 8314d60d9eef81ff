#include "libcommon/io/magic.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
#define MEDIA(name) { name, NULL }
#define PACKED(name, how) { "compressed with " name ", which is not read", how }
#define READ(name) { name, NULL }

/* The signature that the specification of the format, or the magic(5) of its tools, gives. */
static const struct {
	enum lu_magic_class class;
	const char *bytes;
	unsigned n, at; /* their number, and where they stand */
	struct lu_format format;
} rows[] = {
	{ LU_MAGIC_PACKED, "\x02\x21\x4C\x18", 4, 0, PACKED("lz4's first format", "decompress it with unlz4 first") },
	{ LU_MAGIC_PACKED, "\xFF\6\0\0sNaPpY", 10, 0, PACKED("snappy", "decompress it first") },
	{ LU_MAGIC_PACKED, "\x89LZO\0", 5, 0, PACKED("lzo", "decompress it with lzop -d first") },
	{ LU_MAGIC_PACKED, "LZIP", 4, 0, PACKED("lzip", "decompress it with lzip -d first") },
	{ LU_MAGIC_PACKED, "]\0\0", 3, 0, PACKED("lzma", "decompress it with unlzma first") },
	{ LU_MAGIC_PACKED, "\x1F\x9D", 2, 0, PACKED("compress", "decompress it with zcat first") },
	{ LU_MAGIC_UNREAD, "PAR1", 4, 0, { "Parquet, which only lucie-import reads",
			"write it as JSON Lines first, with lucie-import" } },
	{ LU_MAGIC_UNREAD, "ARROW1", 6, 0, { "Arrow, which is not read", LU_ADVICE_TABLE } },
	{ LU_MAGIC_UNREAD, "Obj\1", 4, 0, { "Avro, which is not read", LU_ADVICE_TABLE } },
	{ LU_MAGIC_UNREAD, "ORC", 3, 0, { "ORC, which is not read", LU_ADVICE_TABLE } },
	{ LU_MAGIC_UNREAD, "SQLite format 3", 15, 0, { "SQLite, which is not read", LU_ADVICE_TABLE } },
	{ LU_MAGIC_UNREAD, "%!PS", 4, 0, { "PostScript, which is not read",
			"extract its text first, with ps2ascii for example" } },
	{ LU_MAGIC_UNREAD, "{\\rtf", 5, 0, { "RTF, which is not read", LU_ADVICE_OFFICE } },
	{ LU_MAGIC_UNREAD, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, 0,
			{ "Microsoft Office, which is not read", LU_ADVICE_OFFICE } },
	{ LU_MAGIC_UNREAD, "AT&TFORM", 8, 0, { "DjVu, which is not read",
			"extract its text first, with djvutxt for example" } },
	{ LU_MAGIC_UNREAD, "Rar!\x1A\7", 6, 0, { "RAR, which is not read", "unpack it first" } },
	{ LU_MAGIC_UNREAD, "MSCF", 4, 0, { "cabinet, which is not read", "unpack it first" } },
	{ LU_MAGIC_UNREAD, "\xED\xAB\xEE\xDB", 4, 0, { "RPM, which is not read",
			"unpack it first, with rpm2cpio for example" } },
	{ LU_MAGIC_UNREAD, "070701", 6, 0, { "cpio, which is not read", "unpack it first" } },
	{ LU_MAGIC_UNREAD, "\x89PNG\r\n", 6, 0, MEDIA("PNG image") },
	{ LU_MAGIC_UNREAD, "\xFF\xD8\xFF", 3, 0, MEDIA("JPEG image") },
	{ LU_MAGIC_UNREAD, "GIF8", 4, 0, MEDIA("GIF image") },
	{ LU_MAGIC_UNREAD, "BM", 2, 0, MEDIA("BMP image") },
	{ LU_MAGIC_UNREAD, "II*\0", 4, 0, MEDIA("TIFF image") },
	{ LU_MAGIC_UNREAD, "MM\0*", 4, 0, MEDIA("TIFF image") },
	{ LU_MAGIC_UNREAD, "\0\0\1\0", 4, 0, MEDIA("icon") },
	{ LU_MAGIC_UNREAD, "WEBP", 4, 8, MEDIA("WebP image") },
	{ LU_MAGIC_UNREAD, "WAVE", 4, 8, MEDIA("WAVE audio") },
	{ LU_MAGIC_UNREAD, "AVI ", 4, 8, MEDIA("AVI video") },
	{ LU_MAGIC_UNREAD, "ftyp", 4, 4, MEDIA("MPEG-4 media") },
	{ LU_MAGIC_UNREAD, "OggS", 4, 0, MEDIA("Ogg media") },
	{ LU_MAGIC_UNREAD, "fLaC", 4, 0, MEDIA("FLAC audio") },
	{ LU_MAGIC_UNREAD, "ID3", 3, 0, MEDIA("MP3 audio") },
	{ LU_MAGIC_UNREAD, "\x1A\x45\xDF\xA3", 4, 0, MEDIA("Matroska video") },
	{ LU_MAGIC_UNREAD, "wOFF", 4, 0, MEDIA("font") },
	{ LU_MAGIC_UNREAD, "wOF2", 4, 0, MEDIA("font") },
	{ LU_MAGIC_UNREAD, "OTTO", 4, 0, MEDIA("font") },
	{ LU_MAGIC_UNREAD, "\0\1\0\0\0", 5, 0, MEDIA("font") },
	{ LU_MAGIC_UNREAD, "\x7F" "ELF", 4, 0, MEDIA("ELF program or library") },
	{ LU_MAGIC_UNREAD, "MZ", 2, 0, MEDIA("Windows program or library") },
	{ LU_MAGIC_UNREAD, "\xCA\xFE\xBA\xBE", 4, 0, MEDIA("Java class or Mach-O program") },
	{ LU_MAGIC_UNREAD, "\xCF\xFA\xED\xFE", 4, 0, MEDIA("Mach-O program") },
	{ LU_MAGIC_UNREAD, "\0asm", 4, 0, MEDIA("WebAssembly program") },
	{ LU_MAGIC_UNREAD, "\xDE\x12\4\x95", 4, 0, MEDIA("catalogue of messages") },
	{ LU_MAGIC_UNREAD, "\x93NUMPY", 6, 0, MEDIA("NumPy array") },
	{ LU_MAGIC_UNREAD, "\x89HDF\r\n", 6, 0, MEDIA("HDF5 data") },
	{ LU_MAGIC_UNREAD, "GGUF", 4, 0, MEDIA("GGUF model") },
	{ LU_MAGIC_READ, "%PDF-", 5, 0, READ("a PDF file") },
	{ LU_MAGIC_READ, "PK\3\4", 4, 0, READ("a zip archive") },
	{ LU_MAGIC_READ, "PK\5\6", 4, 0, READ("an empty zip archive") },
	{ LU_MAGIC_READ, "7z\xBC\xAF\x27\x1C", 6, 0, READ("a 7-Zip archive") },
	{ LU_MAGIC_READ, "!<arch>\n", 8, 0, READ("an ar archive (.deb)") },
	{ LU_MAGIC_READ, "ustar", 5, 257, READ("a tar archive") },
	{ LU_MAGIC_READ, "WARC/", 5, 0, READ("a WARC file") },
	{ LU_MAGIC_READ, "\x1F\x8B", 2, 0, READ("compressed with gzip a second time") },
	{ LU_MAGIC_READ, "\x28\xB5\x2F\xFD", 4, 0, READ("compressed with zstd a second time") },
	{ LU_MAGIC_READ, "\xFD" "7zXZ", 6, 0, READ("compressed with xz a second time") },
	{ LU_MAGIC_READ, "1AY&SY", 6, 4, READ("compressed with bzip2 a second time") },
	{ LU_MAGIC_READ, "\x17\x72\x45\x38\x50\x90", 6, 4, READ("compressed with bzip2 a second time") },
	{ LU_MAGIC_READ, "\x04\x22\x4D\x18", 4, 0, READ("compressed with lz4 a second time") },
	{ LU_MAGIC_READ, "\xFF\xFE", 2, 0, READ("UTF-16 text") },
	{ LU_MAGIC_READ, "\xFE\xFF", 2, 0, READ("UTF-16 text") },
	{ LU_MAGIC_READ, "<!doctype html", 14, 0, READ("an HTML page") },
	{ LU_MAGIC_READ, "<html", 5, 0, READ("an HTML page") },
	{ LU_MAGIC_READ, "<?xml", 5, 0, READ("an XML file") },
	{ LU_MAGIC_READ, "<mediawiki", 10, 0, READ("a dump of a wiki") },
	{ LU_MAGIC_READ, "From ", 5, 0, READ("a mailbox") },
	{ LU_MAGIC_SHARD, "MMIDIDX", 7, 0, READ("the index of a token shard") },
};
/* clang-format on */

/* Letters of any case, which occur in the signatures of texts alone. */
static bool matches(const char *p, const char *bytes, size_t n)
{
	return (bytes[0] == '<' ? strncasecmp(p, bytes, n) : memcmp(p, bytes, n)) == 0;
}

const struct lu_format *lu_magic_find(struct lu_str head, unsigned classes)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(classes & rows[i].class) || head.n < rows[i].at + rows[i].n ||
				!matches(head.p + rows[i].at, rows[i].bytes, rows[i].n))
			continue;
		/* A short one of letters may also begin a text. */
		if (rows[i].n > 3 || !isprint((unsigned char)rows[i].bytes[0]) ||
				memchr(head.p, 0, head.n))
			return &rows[i].format;
	}
	return NULL;
}
