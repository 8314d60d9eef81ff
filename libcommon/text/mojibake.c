#include "libcommon/text/mojibake.h"

#include "libcommon/base/utf8.h"

/* Windows-1252 bytes 0x80-0x9F; 0 where undefined. */
static const uint16_t cp1252[32] = { 0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D,
	0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178 };

uint32_t lu_cp1252(uint32_t c)
{
	return c >= 0x80 && c < 0xA0 && cp1252[c - 0x80] ? cp1252[c - 0x80] : c;
}

/* The Windows-1252 byte that decodes to c, or -1. */
static int cp1252_byte(uint32_t c)
{
	if (c < 0x100)
		return (int)c;
	if (c > 0x2122)
		return -1;
	for (int i = 0; i < 32; i++) {
		if (cp1252[i] == c)
			return 0x80 + i;
	}
	return -1;
}

/* True for quotation marks, dashes, ellipsis and bullet, which follow capitals in correct text; the
 * other characters of 0x80-0x9F do not. */
static bool is_typographic(unsigned char byte)
{
	return byte == 0x82 || byte == 0x84 || byte == 0x85 || byte == 0x8B ||
			(byte >= 0x91 && byte <= 0x97) || byte == 0x9B;
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* True if the multi-byte sequence at b, with n bytes left and the `adjacent`-th in a row, cannot
 * come from correct text. */
static bool is_evidence(const unsigned char *b, size_t n, size_t adjacent)
{
	/* No Latin text has six accented capitals and signs in a row that pair up as UTF-8. */
	if (adjacent >= 3)
		return true;
	switch (b[0]) {
	case 0xC2:
	case 0xC3: return !is_typographic(b[1]);
	case 0xC5: return (b[1] == 0x93 || b[1] == 0x92) && n > 2 && is_letter(b[2]);
	case 0xE2: return b[1] == 0x80;
	case 0xEF: return b[1] == 0xBB && b[2] == 0xBF;
	case 0xF0: return b[1] == 0x9F;
	default: return false;
	}
}

/* Encode the line as Windows-1252. False when some character has no byte. */
static bool encode_cp1252(struct lu_str line, struct lu_buf *bytes)
{
	const char *p = line.p, *end = p + line.n;

	lu_buf_clear(bytes);
	while (p < end) {
		int b = cp1252_byte(lu_utf8_next(&p));

		if (b < 0)
			return false;
		lu_buf_putc(bytes, (char)b);
	}
	return lu_buf_ok(bytes);
}

static bool has_evidence(struct lu_str bytes)
{
	const unsigned char *b = (const unsigned char *)bytes.p;
	size_t adjacent = 0;

	for (size_t i = 0; i < bytes.n;) {
		size_t len = lu_utf8_seq(bytes.p + i, bytes.n - i);

		adjacent = len > 1 ? adjacent + 1 : 0;
		if (len > 1 && is_evidence(b + i, bytes.n - i, adjacent))
			return true;
		i += len;
	}
	return false;
}

/* Cheap filter: mojibake has the character of a lead byte 0xC2-0xF4, then another non-ASCII one. */
static bool may_be_mojibake(struct lu_str line)
{
	for (const char *p = line.p, *end = p + line.n;
			(p = memchr(p, 0xC3, (size_t)(end - p))) != NULL; p += 2) {
		unsigned char next = (unsigned char)p[1];

		if (next >= 0x82 && next <= 0xB4 && p + 2 < end && (unsigned char)p[2] >= 0xC2)
			return true;
	}
	return false;
}

bool lu_mojibake_line(struct lu_str line, struct lu_buf *bytes, struct lu_buf *out)
{
	size_t from = out->n;
	struct lu_str now = line;

	while (may_be_mojibake(now) && encode_cp1252(now, bytes) &&
			lu_utf8_valid(bytes->p, bytes->n) == bytes->n &&
			has_evidence(lu_buf_slice(bytes))) {
		out->n = from;
		lu_buf_append(out, bytes->p, bytes->n);
		if (!lu_buf_ok(out))
			return false;
		now = (struct lu_str){ out->p + from, bytes->n };
	}
	return now.p != line.p;
}
