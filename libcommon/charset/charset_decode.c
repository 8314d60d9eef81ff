#include "libcommon/charset/charset_decode.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

#include "libcommon/base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Input of one reservation. Each of its bytes gives 3 bytes at most, and the output may be written
 * SLACK bytes beyond what counts. */
#define BLOCK ((size_t)8192)
#define SLACK ((size_t)32)

#define BAD UINT32_MAX
/* Above all code points: a pointer of Big5 with two of them. */
#define PAIR 0x200000u

static char *put_bad(char *to)
{
	memcpy(to, "\xEF\xBF\xBD", 3);
	return to + 3;
}

/* Copy ASCII; SLACK bytes behind `to` may be written. Returns the length of the run. */
static size_t copy_ascii(char *to, const unsigned char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		int m = _mm_movemask_epi8(v);

		_mm_storeu_si128((__m128i *)(void *)(to + i), v);
		if (m)
			return i + (size_t)__builtin_ctz((unsigned)m);
	}
#endif
	for (; i < n && p[i] < 0x80; i++)
		to[i] = (char)p[i];
	return i;
}

/* --- single bytes --------------------------------------------------------------------------- */

static int decode_single(const struct lu_charset_byte *table, struct lu_str in, struct lu_buf *out,
		uint64_t *errors, struct lu_err *err)
{
	const unsigned char *p = (const unsigned char *)in.p, *end = p + in.n;

	while (p < end) {
		const unsigned char *stop = (size_t)(end - p) < BLOCK ? end : p + BLOCK;
		char *to;

		if (!lu_buf_reserve(out, 3 * BLOCK + SLACK))
			return lu_err_nomem(err);
		to = out->p + out->n;
		while (p < stop) {
			size_t run = copy_ascii(to, p, (size_t)(stop - p));

			p += run;
			to += run;
			for (; p < stop && *p >= 0x80; p++) {
				const struct lu_charset_byte *b = &table[*p - 0x80];

				memcpy(to, b->bytes, sizeof(b->bytes));
				to += b->n;
				if (b->n == 0) {
					to = put_bad(to);
					++*errors;
				}
			}
		}
		out->n = (size_t)(to - out->p);
		*to = '\0';
	}
	return lu_buf_check(out, err);
}

/* --- several bytes: the character at p, of n bytes, which does not begin with ASCII ----------- */

struct indexes {
	const uint32_t *two, *more;
	struct lu_charset_index *ix;
	struct lu_err *err;
};

/* An error of a pair: an ASCII byte is read again. */
static size_t bad_pair(const unsigned char *p, uint32_t *c)
{
	*c = BAD;
	return p[1] < 0x80 ? 1 : 2;
}

static size_t step_shift_jis(struct indexes *t, const unsigned char *p, size_t n, uint32_t *c)
{
	uint32_t pointer;

	*c = BAD;
	if (p[0] == 0x80 || (p[0] >= 0xA1 && p[0] <= 0xDF)) {
		*c = p[0] == 0x80 ? 0x80 : 0xFF61 - 0xA1 + (uint32_t)p[0];
		return 1;
	}
	if (p[0] == 0xA0 || p[0] > 0xFC || n < 2)
		return 1;
	if (p[1] < 0x40 || p[1] == 0x7F || p[1] > 0xFC)
		return bad_pair(p, c);
	pointer = (uint32_t)(p[0] - (p[0] < 0xA0 ? 0x81 : 0xC1)) * 188 +
			(uint32_t)(p[1] - (p[1] < 0x7F ? 0x40 : 0x41));
	/* Private characters of Windows. */
	*c = pointer >= 8836 && pointer <= 10715 ? 0xE000 - 8836 + pointer : t->two[pointer];
	return *c ? 2 : bad_pair(p, c);
}

static size_t step_euc_jp(struct indexes *t, const unsigned char *p, size_t n, uint32_t *c)
{
	*c = BAD;
	if ((p[0] < 0xA1 && p[0] != 0x8E && p[0] != 0x8F) || p[0] == 0xFF || n < 2)
		return 1;
	if (p[0] == 0x8E && p[1] >= 0xA1 && p[1] <= 0xDF) {
		*c = 0xFF61 - 0xA1 + (uint32_t)p[1];
		return 2;
	}
	if (p[1] < 0xA1 || p[1] == 0xFF || p[0] == 0x8E)
		return bad_pair(p, c);
	if (p[0] != 0x8F) {
		*c = t->two[(p[0] - 0xA1) * 94 + p[1] - 0xA1];
		return *c ? 2 : bad_pair(p, c);
	}
	if (n < 3)
		return 2;
	if (p[2] >= 0xA1 && p[2] != 0xFF) {
		uint32_t three = t->more[(p[1] - 0xA1) * 94 + p[2] - 0xA1];

		*c = three ? three : BAD;
	}
	return p[2] < 0x80 ? 2 : 3;
}

static size_t step_euc_kr(struct indexes *t, const unsigned char *p, size_t n, uint32_t *c)
{
	*c = BAD;
	if (p[0] == 0x80 || p[0] == 0xFF || n < 2)
		return 1;
	if (p[1] < 0x41 || p[1] == 0xFF)
		return bad_pair(p, c);
	*c = t->two[(p[0] - 0x81) * 190 + p[1] - 0x41];
	return *c ? 2 : bad_pair(p, c);
}

static size_t step_big5(struct indexes *t, const unsigned char *p, size_t n, uint32_t *c)
{
	uint32_t pointer;

	*c = BAD;
	if (p[0] == 0x80 || p[0] == 0xFF || n < 2)
		return 1;
	if (p[1] < 0x40 || p[1] == 0xFF || (p[1] > 0x7E && p[1] < 0xA1))
		return bad_pair(p, c);
	pointer = (uint32_t)(p[0] - 0x81) * 157 + (uint32_t)(p[1] - (p[1] < 0x7F ? 0x40 : 0x62));
	*c = t->two[pointer];
	if (pointer == 1133 || pointer == 1135 || pointer == 1164 || pointer == 1166)
		*c = PAIR + pointer;
	return *c ? 2 : bad_pair(p, c);
}

static size_t step_gb18030_four(struct indexes *t, const unsigned char *p, size_t n, uint32_t *c)
{
	uint32_t pointer;

	if (n < 3)
		return n;
	if (p[2] < 0x81 || p[2] == 0xFF)
		return 1;
	if (n < 4)
		return n;
	if (p[3] < 0x30 || p[3] > 0x39)
		return 1;
	pointer = (uint32_t)(p[0] - 0x81) * 12600 + (uint32_t)(p[1] - 0x30) * 1260 +
			(uint32_t)(p[2] - 0x81) * 10 + (uint32_t)(p[3] - 0x30);
	if (pointer >= 189000 && pointer <= 1237575)
		*c = 0x10000 + pointer - 189000;
	if (pointer >= lu_charset_index_size(LU_INDEX_GB18030_FOUR))
		return 4;
	/* Rare: not before it is needed. */
	if (!t->more)
		t->more = lu_charset_index(t->ix, LU_INDEX_GB18030_FOUR, t->err);
	if (t->more && t->more[pointer])
		*c = t->more[pointer];
	return 4;
}

static size_t step_gb18030(struct indexes *t, const unsigned char *p, size_t n, uint32_t *c)
{
	*c = BAD;
	if (p[0] == 0x80)
		*c = 0x20AC;
	if (p[0] == 0x80 || p[0] == 0xFF || n < 2)
		return 1;
	if (p[1] >= 0x30 && p[1] <= 0x39)
		return step_gb18030_four(t, p, n, c);
	if (p[1] < 0x40 || p[1] == 0x7F || p[1] == 0xFF)
		return bad_pair(p, c);
	*c = t->two[(p[0] - 0x81) * 190 + p[1] - (p[1] < 0x7F ? 0x40 : 0x41)];
	return *c ? 2 : bad_pair(p, c);
}

static char *put(char *to, uint32_t c, uint64_t *errors)
{
	char bytes[4];
	size_t n;

	if (c == BAD) {
		++*errors;
		return put_bad(to);
	}
	if (c >= PAIR) {
		uint32_t pointer = c - PAIR;

		/* E or e with circumflex, then a macron or a caron. */
		memcpy(to, pointer < 1164 ? "\xC3\x8A" : "\xC3\xAA", 2);
		memcpy(to + 2, pointer == 1133 || pointer == 1164 ? "\xCC\x84" : "\xCC\x8C", 2);
		return to + 4;
	}
	n = lu_utf8_put(c, bytes);
	memcpy(to, bytes, sizeof(bytes));
	return to + n;
}

static int decode_several(struct indexes *t,
		size_t (*step)(struct indexes *, const unsigned char *, size_t, uint32_t *),
		struct lu_str in, struct lu_buf *out, uint64_t *errors, struct lu_err *err)
{
	const unsigned char *p = (const unsigned char *)in.p, *end = p + in.n;

	while (p < end) {
		const unsigned char *stop = (size_t)(end - p) < BLOCK ? end : p + BLOCK;
		char *to;

		if (!lu_buf_reserve(out, 3 * BLOCK + SLACK))
			return lu_err_nomem(err);
		to = out->p + out->n;
		while (p < stop) {
			size_t run = copy_ascii(to, p, (size_t)(stop - p));
			uint32_t c;

			p += run;
			to += run;
			while (p < stop && *p >= 0x80) {
				p += step(t, p, (size_t)(end - p), &c);
				to = put(to, c, errors);
			}
		}
		out->n = (size_t)(to - out->p);
		*to = '\0';
	}
	return lu_buf_check(out, err);
}

/* --- ISO-2022-JP ------------------------------------------------------------------------------ */

enum jp_state { JP_ASCII, JP_ROMAN, JP_KATAKANA, JP_PAIRS };

/* The state that ESC and the bytes a and b switch to; -1: none. */
static int jp_escape(unsigned char a, unsigned char b)
{
	if (a == '(')
		return b == 'B' ? JP_ASCII : b == 'J' ? JP_ROMAN : b == 'I' ? JP_KATAKANA : -1;
	return a == '$' && (b == '@' || b == 'B') ? JP_PAIRS : -1;
}

/* The character at p, which is no ESC. */
static size_t jp_step(enum jp_state state, const uint32_t *jis, const unsigned char *p, size_t n,
		uint32_t *c)
{
	*c = BAD;
	switch (state) {
	case JP_ASCII:
	case JP_ROMAN:
		if (p[0] < 0x80 && p[0] != 0x0E && p[0] != 0x0F)
			*c = p[0];
		if (state == JP_ROMAN && p[0] == 0x5C)
			*c = 0xA5;
		if (state == JP_ROMAN && p[0] == 0x7E)
			*c = 0x203E;
		return 1;
	case JP_KATAKANA:
		if (p[0] >= 0x21 && p[0] <= 0x5F)
			*c = 0xFF61 - 0x21 + (uint32_t)p[0];
		return 1;
	case JP_PAIRS: break;
	}
	if (p[0] < 0x21 || p[0] > 0x7E || n < 2 || p[1] == 0x1B)
		return 1;
	if (p[1] >= 0x21 && p[1] <= 0x7E) {
		uint32_t two = jis[(p[0] - 0x21) * 94 + p[1] - 0x21];

		*c = two ? two : BAD;
	}
	return 2;
}

static int decode_iso_2022_jp(const uint32_t *jis, struct lu_str in, struct lu_buf *out,
		uint64_t *errors, struct lu_err *err)
{
	const unsigned char *p = (const unsigned char *)in.p, *end = p + in.n;
	enum jp_state state = JP_ASCII;
	bool switched = false; /* an escape sequence came last */

	while (p < end) {
		size_t n = (size_t)(end - p);
		uint32_t c = BAD;
		int next = p[0] == 0x1B && n >= 3 ? jp_escape(p[1], p[2]) : -1;

		if (!lu_buf_reserve(out, SLACK))
			return lu_err_nomem(err);
		if (next >= 0) {
			p += 3;
			state = (enum jp_state)next;
			if (!switched) {
				switched = true;
				continue;
			}
			/* Two in a row could hide text from a filter. */
		} else {
			p += p[0] == 0x1B ? 1 : jp_step(state, jis, p, n, &c);
			switched = false;
		}
		out->n = (size_t)(put(out->p + out->n, c, errors) - out->p);
		out->p[out->n] = '\0';
	}
	return lu_buf_check(out, err);
}

/* --- UTF-16 --------------------------------------------------------------------------------- */

static int decode_utf16(bool big, struct lu_str in, struct lu_buf *out, uint64_t *errors,
		struct lu_err *err)
{
	const unsigned char *p = (const unsigned char *)in.p, *end = p + in.n;
	unsigned hi = big ? 0 : 1, lo = big ? 1 : 0;

	while (p < end) {
		const unsigned char *stop = (size_t)(end - p) < BLOCK ? end : p + BLOCK;
		char *to;

		if (!lu_buf_reserve(out, 3 * BLOCK + SLACK))
			return lu_err_nomem(err);
		to = out->p + out->n;
		while (p < stop) {
			uint32_t c = BAD, unit, next;
			size_t n = (size_t)(end - p);

			unit = n < 2 ? 0xDC00 : (uint32_t)p[hi] << 8 | p[lo];
			next = n < 4 ? 0 : (uint32_t)p[hi + 2] << 8 | p[lo + 2];
			if (unit < 0xD800 || unit > 0xDFFF)
				c = unit;
			else if (unit < 0xDC00 && next >= 0xDC00 && next <= 0xDFFF)
				c = 0x10000 + ((unit - 0xD800) << 10 | (next - 0xDC00));
			/* What ends in the middle of a pair is one error. */
			p += c != BAD && c >= 0x10000					       ? 4
					: n < 2 || (unit >= 0xD800 && unit < 0xDC00 && n == 3) ? n
											       : 2;
			to = put(to, c, errors);
		}
		out->n = (size_t)(to - out->p);
		*to = '\0';
	}
	return lu_buf_check(out, err);
}

/* --- all ------------------------------------------------------------------------------------- */

int lu_charset_decode(struct lu_charset_index *ix, enum lu_encoding e, struct lu_str in,
		struct lu_buf *out, uint64_t *errors, struct lu_err *err)
{
	static const struct {
		enum lu_encoding e;
		enum lu_index two;
		size_t (*step)(struct indexes *, const unsigned char *, size_t, uint32_t *);
	} several[] = {
		{ LU_ENC_SHIFT_JIS, LU_INDEX_JIS0208, step_shift_jis },
		{ LU_ENC_EUC_JP, LU_INDEX_JIS0208, step_euc_jp },
		{ LU_ENC_ISO_2022_JP, LU_INDEX_JIS0208, NULL },
		{ LU_ENC_GBK, LU_INDEX_GB18030, step_gb18030 },
		{ LU_ENC_GB18030, LU_INDEX_GB18030, step_gb18030 },
		{ LU_ENC_BIG5, LU_INDEX_BIG5, step_big5 },
		{ LU_ENC_EUC_KR, LU_INDEX_EUC_KR, step_euc_kr },
	};
	struct indexes t = { .ix = ix, .err = err };
	const struct lu_charset_byte *single;

	if (e == LU_ENC_UTF_8) {
		*errors += lu_utf8_repair(out, in);
		return lu_buf_check(out, err);
	}
	if (e == LU_ENC_UTF_16LE || e == LU_ENC_UTF_16BE)
		return decode_utf16(e == LU_ENC_UTF_16BE, in, out, errors, err);
	for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++) {
		if (several[i].e != e)
			continue;
		t.two = lu_charset_index(ix, several[i].two, err);
		if (t.two && e == LU_ENC_EUC_JP)
			t.more = lu_charset_index(ix, LU_INDEX_JIS0212, err);
		if (!t.two || (e == LU_ENC_EUC_JP && !t.more))
			return -1;
		if (!several[i].step)
			return decode_iso_2022_jp(t.two, in, out, errors, err);
		return decode_several(&t, several[i].step, in, out, errors, err);
	}
	single = lu_charset_single(ix, e == LU_ENC_X_USER_DEFINED ? LU_ENC_WINDOWS_1252 : e, err);
	return single ? decode_single(single, in, out, errors, err) : -1;
}

/* Through iconv itself: forms of UTF-32, EBCDIC, charsets with states. `unit` bytes make an error. */
static int decode_stream(iconv_t cd, size_t unit, struct lu_str in, struct lu_buf *out,
		uint64_t *errors, struct lu_err *err)
{
	const char *from = in.p;
	size_t left = in.n;
	bool end = false;

	while (!end) {
		char *p, *to;
		size_t room, rc;

		if (!lu_buf_reserve(out, 3 * BLOCK))
			return lu_err_nomem(err);
		to = out->p + out->n;
		room = 3 * BLOCK - 8;
		/* iconv() does not write to its input, although the prototype lacks the const. */
		memcpy(&p, &from, sizeof(p));
		end = left == 0;
		/* At the end, what waits for a combining character. */
		rc = end ? iconv(cd, NULL, NULL, &to, &room) : iconv(cd, &p, &left, &to, &room);
		if (rc == (size_t)-1 && (errno == EILSEQ || errno == EINVAL) && left > 0) {
			size_t bad = errno == EINVAL || unit > left ? left : unit;

			p += bad;
			left -= bad;
			to = put_bad(to);
			++*errors;
		}
		from = p;
		out->n = (size_t)(to - out->p);
		out->p[out->n] = '\0';
	}
	return 0;
}

static size_t unit_of(const char *name)
{
	if (strcasestr(name, "utf-32") || strcasestr(name, "utf32") || strcasestr(name, "ucs-4") ||
			strcasestr(name, "ucs4"))
		return 4;
	return lu_charset_has_nuls(name) ? 2 : 1;
}

bool lu_charset_has_nuls(const char *name)
{
	static const char *const prefix[] = { "utf-16", "utf16", "utf-32", "utf32", "ucs-2", "ucs2",
		"ucs-4", "ucs4" };

	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		if (strncasecmp(name, prefix[i], strlen(prefix[i])) == 0)
			return true;
	}
	return false;
}

int lu_charset_decode_named(struct lu_charset_index *ix, const char *name, struct lu_str in,
		struct lu_buf *out, uint64_t *errors, struct lu_err *err)
{
	const struct lu_charset_byte *single;
	int rc = lu_charset_single_named(ix, name, &single, err);
	size_t from = out->n;
	iconv_t cd;

	if (rc < 0)
		return -1;
	if (rc > 0)
		return decode_single(single, in, out, errors, err);
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1)
		return lu_err_set(err, "iconv lacks the charset '%s'", name);
	rc = decode_stream(cd, unit_of(name), in, out, errors, err);
	iconv_close(cd);
	if (rc == 0 && out->n - from >= 3 && memcmp(out->p + from, "\xEF\xBB\xBF", 3) == 0) {
		memmove(out->p + from, out->p + from + 3, out->n - from - 3 + 1);
		out->n -= 3;
	}
	return rc;
}
