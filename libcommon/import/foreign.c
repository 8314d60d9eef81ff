#include "libcommon/import/foreign.h"

#include <ctype.h>
#include <strings.h>

#include "libcommon/import/kind.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define LINES_ADVICE "lucie-normalize and the programs after it read it"
#define JSON_ADVICE "write it as JSON Lines, which lucie-normalize reads"
#define TABLE_ADVICE "write it as JSON Lines first, a record with a member \"text\" for each row"
#define OFFICE_ADVICE "save it as text or HTML first, with pandoc or LibreOffice for example"
/* clang-format off */
#define OFFICE(name) { name ", which is not read", OFFICE_ADVICE }
#define MEDIA(name) { name, NULL }
#define PACKED(name, how) { "compressed with " name ", which is not read", how }

struct row {
	const char *magic;
	unsigned n, at; /* its length, and where it stands */
	struct lu_format format;
};

static const struct row packed[] = {
	{ "1AY&SY", 6, 4, PACKED("bzip2", "decompress it with bunzip2 first") },
	{ "\x17\x72\x45\x38\x50\x90", 6, 4, PACKED("bzip2", "decompress it with bunzip2 first") },
	{ "\x04\x22\x4D\x18", 4, 0, PACKED("lz4", "decompress it with unlz4 first") },
	{ "\x02\x21\x4C\x18", 4, 0, PACKED("lz4", "decompress it with unlz4 first") },
	{ "\xFF\6\0\0sNaPpY", 10, 0, PACKED("snappy", "decompress it first") },
	{ "\x89LZO\0", 5, 0, PACKED("lzo", "decompress it with lzop -d first") },
	{ "LZIP", 4, 0, PACKED("lzip", "decompress it with lzip -d first") },
	{ "]\0\0", 3, 0, PACKED("lzma", "decompress it with unlzma first") },
	{ "\x1F\x9D", 2, 0, PACKED("compress", "decompress it with zcat first") },
};

static const struct row others[] = {
	{ "PAR1", 4, 0, { "Parquet, which is not read", TABLE_ADVICE } },
	{ "ARROW1", 6, 0, { "Arrow, which is not read", TABLE_ADVICE } },
	{ "Obj\1", 4, 0, { "Avro, which is not read", TABLE_ADVICE } },
	{ "ORC", 3, 0, { "ORC, which is not read", TABLE_ADVICE } },
	{ "SQLite format 3", 15, 0, { "SQLite, which is not read", TABLE_ADVICE } },
	{ "%PDF-", 5, 0, { "PDF, which is not read",
			"extract its text first, with pdftotext for example" } },
	{ "%!PS", 4, 0, { "PostScript, which is not read",
			"extract its text first, with ps2ascii for example" } },
	{ "{\\rtf", 5, 0, { "RTF, which is not read", OFFICE_ADVICE } },
	{ "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, 0,
			{ "Microsoft Office, which is not read", OFFICE_ADVICE } },
	{ "AT&TFORM", 8, 0, { "DjVu, which is not read",
			"extract its text first, with djvutxt for example" } },
	{ "Rar!\x1A\7", 6, 0, { "RAR, which is not read", "unpack it first" } },
	{ "MSCF", 4, 0, { "cabinet, which is not read", "unpack it first" } },
	{ "\xED\xAB\xEE\xDB", 4, 0, { "RPM, which is not read",
			"unpack it first, with rpm2cpio for example" } },
	{ "070701", 6, 0, { "cpio, which is not read", "unpack it first" } },
	{ "\x89PNG\r\n", 6, 0, MEDIA("PNG image") },
	{ "\xFF\xD8\xFF", 3, 0, MEDIA("JPEG image") },
	{ "GIF8", 4, 0, MEDIA("GIF image") },
	{ "BM", 2, 0, MEDIA("BMP image") },
	{ "II*\0", 4, 0, MEDIA("TIFF image") },
	{ "MM\0*", 4, 0, MEDIA("TIFF image") },
	{ "\0\0\1\0", 4, 0, MEDIA("icon") },
	{ "WEBP", 4, 8, MEDIA("WebP image") },
	{ "WAVE", 4, 8, MEDIA("WAVE audio") },
	{ "AVI ", 4, 8, MEDIA("AVI video") },
	{ "ftyp", 4, 4, MEDIA("MPEG-4 media") },
	{ "OggS", 4, 0, MEDIA("Ogg media") },
	{ "fLaC", 4, 0, MEDIA("FLAC audio") },
	{ "ID3", 3, 0, MEDIA("MP3 audio") },
	{ "\x1A\x45\xDF\xA3", 4, 0, MEDIA("Matroska video") },
	{ "wOFF", 4, 0, MEDIA("font") },
	{ "wOF2", 4, 0, MEDIA("font") },
	{ "OTTO", 4, 0, MEDIA("font") },
	{ "\0\1\0\0\0", 5, 0, MEDIA("font") },
	{ "\x7F" "ELF", 4, 0, MEDIA("ELF program or library") },
	{ "MZ", 2, 0, MEDIA("Windows program or library") },
	{ "\xCA\xFE\xBA\xBE", 4, 0, MEDIA("Java class or Mach-O program") },
	{ "\xCF\xFA\xED\xFE", 4, 0, MEDIA("Mach-O program") },
	{ "\0asm", 4, 0, MEDIA("WebAssembly program") },
	{ "\xDE\x12\4\x95", 4, 0, MEDIA("catalogue of messages") },
	{ "\x93NUMPY", 6, 0, MEDIA("NumPy array") },
	{ "\x89HDF\r\n", 6, 0, MEDIA("HDF5 data") },
	{ "GGUF", 4, 0, MEDIA("GGUF model") },
};

static const struct {
	const char *extension;
	struct lu_format format;
} by_name[] = {
	{ "br", PACKED("brotli", "decompress it with brotli -d first") },
	{ "sz", PACKED("snappy", "decompress it first") },
	{ "jsonl", { "JSON Lines, which is not read", LINES_ADVICE } },
	{ "ndjson", { "JSON Lines, which is not read", LINES_ADVICE } },
	{ "json", { "JSON, which is not read", JSON_ADVICE } },
	{ "csv", { "CSV, which is not read", TABLE_ADVICE } },
	{ "tsv", { "TSV, which is not read", TABLE_ADVICE } },
	{ "tab", { "TSV, which is not read", TABLE_ADVICE } },
	{ "xml", { "XML, which is not read", "extract its text first" } },
	{ "svg", { "SVG image", NULL } },
	{ "mbox", { "mail, which is not read", "extract its text first" } },
	{ "eml", { "mail, which is not read", "extract its text first" } },
};

/* Zip archives whose first member's name begins so. */
static const struct {
	const char *member;
	struct lu_format format;
} documents[] = {
	{ "[Content_Types].xml", OFFICE("Office Open XML (docx, xlsx, pptx)") },
	{ "_rels/", OFFICE("Office Open XML (docx, xlsx, pptx)") },
	{ "docProps/", OFFICE("Office Open XML (docx, xlsx, pptx)") },
	{ "word/", OFFICE("Word document") },
	{ "xl/", OFFICE("Excel workbook") },
	{ "ppt/", OFFICE("PowerPoint presentation") },
	{ "mimetypeapplication/vnd.oasis.", OFFICE("OpenDocument") },
};
/* clang-format on */

enum { UTF32, UTF16LE, UTF16BE, TEXTS };
static const struct lu_format texts[TEXTS] = {
	[UTF32] = { "UTF-32 text", "--charset utf-32 reads it" },
	[UTF16LE] = { "UTF-16 text without a mark", "--charset utf-16le reads it" },
	[UTF16BE] = { "UTF-16 text without a mark", "--charset utf-16be reads it" },
};
static const struct lu_format json = { "JSON, which is not read", JSON_ADVICE };

/* The format in the table that the file begins with. A short magic of letters may also begin a
 * text. */
static const struct lu_format *find(const struct row *rows, size_t n, struct lu_str head)
{
	for (const struct row *r = rows; r < rows + n; r++) {
		if (head.n < r->at + r->n || memcmp(head.p + r->at, r->magic, r->n) != 0)
			continue;
		if (r->n > 3 || !isprint((unsigned char)r->magic[0]) || memchr(head.p, 0, head.n))
			return &r->format;
	}
	return NULL;
}

const struct lu_format *lu_format_packed(struct lu_str head)
{
	return find(packed, COUNT(packed), head);
}

/* Text in UTF-32 with its mark, or in UTF-16: in a European language a NUL in every second byte and
 * hardly one between. */
static const struct lu_format *find_text(struct lu_str head)
{
	size_t nuls[2] = { 0, 0 };

	if (head.n >= 4 &&
			(memcmp(head.p, "\xFF\xFE\0\0", 4) == 0 ||
					memcmp(head.p, "\0\0\xFE\xFF", 4) == 0))
		return &texts[UTF32];
	for (size_t i = 0; i < head.n; i++)
		nuls[i % 2] += head.p[i] == 0;
	if (nuls[1] > head.n * 2 / 5 && nuls[0] < head.n / 20 + 1)
		return &texts[UTF16LE];
	if (nuls[0] > head.n * 2 / 5 && nuls[1] < head.n / 20 + 1)
		return &texts[UTF16BE];
	return NULL;
}

bool lu_format_is_text(const struct lu_format *f)
{
	return f >= texts && f < texts + TEXTS;
}

const struct lu_format *lu_format_of(struct lu_str path, struct lu_str head)
{
	struct lu_str e = lu_extension_of(path);
	const struct lu_format *f;
	size_t i = 0;

	if (head.n > LU_FORMAT_HEAD)
		head.n = LU_FORMAT_HEAD;
	f = find(others, COUNT(others), head);
	if (!f)
		f = find_text(head);
	if (f)
		return f;
	for (size_t k = 0; k < COUNT(by_name); k++) {
		if (e.n == strlen(by_name[k].extension) &&
				strncasecmp(e.p, by_name[k].extension, e.n) == 0)
			return &by_name[k].format;
	}
	while (i < head.n && head.p[i] && strchr(" \t\r\n", head.p[i]))
		i++;
	return i < head.n && (head.p[i] == '{' || head.p[i] == '[') ? &json : NULL;
}

const struct lu_format *lu_format_of_zip(struct lu_str head)
{
	const size_t name = 30; /* where the first member's name stands, its content behind it */

	for (size_t k = 0; k < COUNT(documents); k++) {
		size_t n = strlen(documents[k].member);

		if (head.n >= name + n && memcmp(head.p + name, documents[k].member, n) == 0)
			return &documents[k].format;
	}
	return NULL;
}
