#include "libcommon/import/foreign.h"

#include <strings.h>

#include "libcommon/charset/charset.h"
#include "libcommon/import/kind.h"
#include "libcommon/io/decoder.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define JSON_NAME "JSON, but no records"
#define JSON_ADVICE "-k json reads what objects it has"
/* clang-format off */
#define OFFICE(name) { name ", which is not read", LU_ADVICE_OFFICE }
#define PACKED(name, how) { "compressed with " name ", which is not read", how }

static const struct {
	const char *extension;
	struct lu_format format;
} by_name[] = {
	{ "sz", PACKED("snappy", "decompress it first") },
	{ "json", { JSON_NAME, JSON_ADVICE } },
	{ "xml", { "XML, which is not read", "extract its text first" } },
	{ "svg", { "SVG image", NULL } },
};

/* Zip archives whose first member's name begins so. */
static const struct {
	const char *member;
	struct lu_format format;
} documents[] = {
	{ "[Content_Types].xml", OFFICE("Office Open XML (xlsx, pptx)") },
	{ "_rels/", OFFICE("Office Open XML (xlsx, pptx)") },
	{ "docProps/", OFFICE("Office Open XML (xlsx, pptx)") },
	{ "word/", OFFICE("Word document") },
	{ "xl/", OFFICE("Excel workbook") },
	{ "ppt/", OFFICE("PowerPoint presentation") },
	{ "mimetypeapplication/vnd.oasis.", OFFICE("OpenDocument (ods, odp)") },
};
/* clang-format on */

enum { UTF32, UTF16LE, UTF16BE, TEXTS };
static const struct lu_format texts[TEXTS] = {
	[UTF32] = { "UTF-32 text", "--charset utf-32 reads it" },
	[UTF16LE] = { "UTF-16 text without a mark", "--charset utf-16le reads it" },
	[UTF16BE] = { "UTF-16 text without a mark", "--charset utf-16be reads it" },
};
static const struct lu_format json = { JSON_NAME, JSON_ADVICE };

const struct lu_format *lu_format_packed(struct lu_str head)
{
	static const struct lu_format twice = { "compressed twice, which is not read",
		"decompress it once first" };
	const struct lu_format *format = lu_magic_find(head, LU_MAGIC_PACKED);

	if (!format && lu_decoder_of((const unsigned char *)head.p, head.n))
		format = &twice;
	return format;
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

bool lu_looks_binary(struct lu_str head)
{
	bool utf16 = head.n >= 2 &&
			(memcmp(head.p, "\xFF\xFE", 2) == 0 || memcmp(head.p, "\xFE\xFF", 2) == 0);
	bool utf32 = head.n >= 4 && memcmp(head.p, "\xFF\xFE\0\0", 4) == 0;

	if (utf32 || utf16 || head.n == 0 || !memchr(head.p, 0, head.n))
		return utf32;
	return !lu_charset_begins_page(head) || lu_charset_is_wide(head);
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
	f = lu_magic_find(head, LU_MAGIC_UNREAD);
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

bool lu_is_no_text(struct lu_str bytes)
{
	size_t controls = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char b = (unsigned char)bytes.p[i];

		if (b == 0)
			return true;
		/* Tab to CR, and ESC of terminals, are in texts. */
		controls += (b < 0x20 && (b < '\t' || b > '\r') && b != 0x1b) || b == 0x7f;
	}
	return controls > bytes.n / 50;
}
