#ifndef LUCIE_BASE_UTF8_H
#define LUCIE_BASE_UTF8_H
/*
 * UTF-8 as table 3-7 of the Unicode Standard defines it: no overlong forms, no surrogates, nothing
 * above U+10FFFF.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* Length of the longest valid prefix of p[0..n): n if all of it is valid. */
size_t lu_utf8_valid(const char *p, size_t n);

/* True for valid UTF-8, whose last character may be cut, without control characters other than tabs,
 * line ends and form feeds. No text is empty. */
bool lu_utf8_is_text(const char *p, size_t n);

/* Length in bytes of the sequence at p, with n > 0 bytes left; 0 if it is malformed. */
size_t lu_utf8_seq(const char *p, size_t n);

/* Number of bytes, at least 1, to replace by one U+FFFD where a sequence is malformed: the "maximal
 * subpart" of section 3.9 of the standard, as in browsers and ICU. */
size_t lu_utf8_bad_len(const char *p, size_t n);

/* Decode the character at *p, which must be valid, and advance. */
static inline uint32_t lu_utf8_next(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	uint32_t c = s[0];

	if (c < 0x80) {
		*p += 1;
		return c;
	}
	if (c < 0xE0) {
		*p += 2;
		return (c & 0x1F) << 6 | (s[1] & 0x3F);
	}
	if (c < 0xF0) {
		*p += 3;
		return (c & 0x0F) << 12 | (uint32_t)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
	}
	*p += 4;
	return (c & 0x07) << 18 | (uint32_t)(s[1] & 0x3F) << 12 | (uint32_t)(s[2] & 0x3F) << 6 |
			(s[3] & 0x3F);
}

/* Encode the scalar value c; returns the length. */
size_t lu_utf8_put(uint32_t c, char out[4]);

/* True if s, which must be valid, is a single character; it is stored in *c. */
static inline bool lu_utf8_single(struct lu_str s, uint32_t *c)
{
	const char *p = s.p;

	if (s.n == 0)
		return false;
	*c = lu_utf8_next(&p);
	return p == s.p + s.n;
}

/* Number of characters of valid UTF-8. */
size_t lu_utf8_count(const char *p, size_t n);

/* Append s with each malformed sequence replaced by U+FFFD; returns their number. */
size_t lu_utf8_repair(struct lu_buf *b, struct lu_str s);

#endif
