#include "libcommon/base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char replacement[] = "\xEF\xBF\xBD";

/* Length of the sequence that a lead byte starts, and the range of its second byte, which excludes
 * overlong forms, surrogates and what is above U+10FFFF. 0: not a lead byte. */
static size_t seq_len(unsigned char lead, unsigned char *lo, unsigned char *hi)
{
	*lo = 0x80;
	*hi = 0xBF;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF) {
		if (lead == 0xE0)
			*lo = 0xA0;
		if (lead == 0xED)
			*hi = 0x9F;
		return 3;
	}
	if (lead >= 0xF0 && lead <= 0xF4) {
		if (lead == 0xF0)
			*lo = 0x90;
		if (lead == 0xF4)
			*hi = 0x8F;
		return 4;
	}
	return 0;
}

size_t lu_utf8_seq(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned char lo, hi;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	len = seq_len(s[0], &lo, &hi);
	if (len == 0 || len > n || s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

size_t lu_utf8_bad_len(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned char lo, hi;
	size_t len = seq_len(s[0], &lo, &hi), i = 1;

	if (len == 0)
		return 1;
	if (i < n && s[1] >= lo && s[1] <= hi) {
		i = 2;
		while (i < len && i < n && (s[i] & 0xC0) == 0x80)
			i++;
	}
	return i;
}

static size_t ascii_len(const char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i + 16 <= n; i += 16) {
		int m = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + i)));

		if (m)
			return i + (size_t)__builtin_ctz((unsigned)m);
	}
#endif
	while (i < n && (unsigned char)p[i] < 0x80)
		i++;
	return i;
}

size_t lu_utf8_valid(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t len;

		if ((unsigned char)p[i] < 0x80) {
			i += ascii_len(p + i, n - i);
			continue;
		}
		len = lu_utf8_seq(p + i, n - i);
		if (len == 0)
			return i;
		i += len;
	}
	return n;
}

size_t lu_utf8_put(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

bool lu_utf8_is_text(const char *p, size_t n)
{
	size_t valid = lu_utf8_valid(p, n);

	for (size_t i = 0; i < valid; i++) {
		if ((unsigned char)p[i] < ' ' && !(p[i] && strchr("\t\n\f\r", p[i])))
			return false;
	}
	return valid > 0 && n - valid < 4;
}

size_t lu_utf8_count(const char *p, size_t n)
{
	size_t count = n, i = 0;

#ifdef __SSE2__
	/* As signed bytes, the continuation bytes 0x80-0xBF are those below -64. */
	const __m128i lead = _mm_set1_epi8(-64), zero = _mm_setzero_si128();

	/* Sixteen counters of a byte each, which 255 steps fill. */
	while (i + 16 <= n) {
		size_t steps = (n - i) / 16 < 255 ? (n - i) / 16 : 255;
		__m128i sums = zero;

		for (; steps > 0; steps--, i += 16) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));

			sums = _mm_sub_epi8(sums, _mm_cmplt_epi8(v, lead));
		}
		sums = _mm_sad_epu8(sums, zero);
		count -= (size_t)_mm_cvtsi128_si32(sums) +
				(size_t)_mm_cvtsi128_si32(_mm_srli_si128(sums, 8));
	}
#endif
	for (; i < n; i++)
		count -= ((unsigned char)p[i] & 0xC0) == 0x80;
	return count;
}

size_t lu_utf8_repair(struct lu_buf *b, struct lu_str s)
{
	size_t repaired = 0, at = 0;

	while (at < s.n) {
		size_t ok = lu_utf8_valid(s.p + at, s.n - at);

		lu_buf_append(b, s.p + at, ok);
		at += ok;
		if (at < s.n) {
			lu_buf_append(b, replacement, 3);
			at += lu_utf8_bad_len(s.p + at, s.n - at);
			repaired++;
		}
	}
	return repaired;
}
