#include "libcommon/text/split_regex.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "libcommon/base/utf8.h"

/* One alternative per line. */
/* clang-format off */
static const struct {
	enum lu_split_regex id;
	const char *text;
} expressions[] = {
	{ LU_SPLIT_GPT2,
		"'s|'t|'re|'ve|'m|'ll|'d"
		"| ?\\p{L}+"
		"| ?\\p{N}+"
		"| ?[^\\s\\p{L}\\p{N}]+"
		"|\\s+(?!\\S)"
		"|\\s+" },
	{ LU_SPLIT_CL100K,
		"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
		"|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
		"|\\p{N}{1,3}"
		"| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
		"|\\s*[\\r\\n]+"
		"|\\s+(?!\\S)"
		"|\\s+" },
	{ LU_SPLIT_QWEN2,
		"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
		"|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
		"|\\p{N}"
		"| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
		"|\\s*[\\r\\n]+"
		"|\\s+(?!\\S)"
		"|\\s+" },
	{ LU_SPLIT_O200K,
		"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"
			"[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
		"|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
			"[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
		"|\\p{N}{1,3}"
		"| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
		"|\\s*[\\r\\n]+"
		"|\\s+(?!\\S)"
		"|\\s+" },
};
/* clang-format on */

enum lu_split_regex lu_split_regex_find(struct lu_str text)
{
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		if (lu_str_is(text, expressions[i].text))
			return expressions[i].id;
	}
	return LU_SPLIT_NONE;
}

/* The character at a position, its class, and the next position. */
struct peek {
	uint32_t c;
	unsigned class;
	const char *next;
};

static inline struct peek peek(const struct lu_frozen_unicode *u, const char *p)
{
	struct peek k = { .next = p };

	k.c = lu_utf8_next(&k.next);
	k.class = lu_frozen_class(u, k.c);
	return k;
}

#ifdef __SSE2__
/* Bit n: byte n is an ASCII letter. */
static inline unsigned ascii_letter_bits(__m128i v)
{
	__m128i offset = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	__m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(25)), offset);

	return (unsigned)_mm_movemask_epi8(is_letter);
}
#endif

/* End of the run of ASCII letters at p. Sixteen at a time: a branch per letter is mispredicted at
 * the end of each word. */
static inline const char *ascii_letters(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= 16) {
		unsigned mask = ascii_letter_bits(
				_mm_loadu_si128((const __m128i *)(const void *)p));

		if (mask != 0xFFFF)
			return p + __builtin_ctz(~mask);
		p += 16;
	}
#endif
	while (p < end && (unsigned char)((*p | 0x20) - 'a') < 26)
		p++;
	return p;
}

/* End of the run of characters at p that have a class of `yes` (0: any) and none of `no`. */
static const char *run_end(const struct lu_frozen_unicode *u, const char *p, const char *end,
		unsigned yes, unsigned no)
{
	while (p < end) {
		struct peek k;

		if (yes == LU_FROZEN_LETTER && (p = ascii_letters(p, end)) == end)
			break;
		/* Most are ASCII, for which advancing does not depend on the class. */
		if (!(*p & 0x80)) {
			unsigned class = lu_frozen_class(u, (unsigned char)*p);

			if ((yes && !(class & yes)) || (class & no))
				break;
			p++;
			continue;
		}
		k = peek(u, p);
		if ((yes && !(k.class & yes)) || (k.class & no))
			break;
		p = k.next;
	}
	return p;
}

size_t lu_split_contraction(const char *p, const char *end, bool fold)
{
	char a, b;

	if (fold && end - p >= 3 && memcmp(p + 1, "\xC5\xBF", 2) == 0)
		return 3;
	if (end - p < 2)
		return 0;
	a = p[1];
	b = end - p >= 3 ? p[2] : '\0';
	if (fold) {
		a = (char)(a >= 'A' && a <= 'Z' ? a + 32 : a);
		b = (char)(b >= 'A' && b <= 'Z' ? b + 32 : b);
	}
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return 2;
	if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
		return 3;
	return 0;
}

/* End of the match of \s+(?!\S)|\s+ at p: the whole run of blanks at the end of the text, elsewhere
 * all but its last character, and at least one. */
static const char *match_blanks(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	const char *last = p, *q = p;

	while (q < end) {
		struct peek k = peek(u, q);

		if (!(k.class & LU_FROZEN_SPACE))
			return last > p ? last : q;
		last = q;
		q = k.next;
	}
	return end;
}

static const char *match_gpt2(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	const unsigned L = LU_FROZEN_LETTER, N = LU_FROZEN_NUMBER, S = LU_FROZEN_SPACE;
	const char *q = p;
	struct peek k = peek(u, p);

	if (k.c == '\'') {
		size_t n = lu_split_contraction(p, end, false);

		if (n)
			return p + n;
	}
	if (k.c == ' ' && k.next < end) {
		q = k.next;
		k = peek(u, q);
	}
	if (k.class & L)
		return run_end(u, k.next, end, L, 0);
	if (k.class & N)
		return run_end(u, k.next, end, N, 0);
	if (!(k.class & S))
		return run_end(u, k.next, end, 0, S | L | N);
	return match_blanks(u, p, end);
}

/* End of the match of \p{N}{1,max} at p, a number. */
static const char *match_numbers(
		const struct lu_frozen_unicode *u, const char *p, const char *end, int max)
{
	for (; max > 0 && p < end; max--) {
		struct peek k = peek(u, p);

		if (!(k.class & LU_FROZEN_NUMBER))
			break;
		p = k.next;
	}
	return p;
}

/* The last alternatives of the later expressions, for text that begins with neither a letter nor a
 * number; `trailer` may follow a run of symbols, as line ends may. */
static const char *match_symbols_or_blanks(
		const struct lu_frozen_unicode *u, const char *p, const char *end, char trailer)
{
	const unsigned not_symbol = LU_FROZEN_SPACE | LU_FROZEN_LETTER | LU_FROZEN_NUMBER;
	const char *q = *p == ' ' ? p + 1 : p, *line = NULL;

	/* " ?[^\s\p{L}\p{N}]+[\r\n]*" */
	if (q < end && !(peek(u, q).class & not_symbol)) {
		q = run_end(u, q, end, 0, not_symbol);
		while (q < end && (*q == '\r' || *q == '\n' || *q == trailer))
			q++;
		return q;
	}
	/* "\s*[\r\n]+": up to the last line end in the run of blanks. */
	for (q = p; q < end;) {
		struct peek k = peek(u, q);

		if (!(k.class & LU_FROZEN_SPACE))
			break;
		q = k.next;
		if (k.c == '\r' || k.c == '\n')
			line = q;
	}
	return line ? line : match_blanks(u, p, end);
}

static const char *match_cl100k(
		const struct lu_frozen_unicode *u, const char *p, const char *end, int digits)
{
	const unsigned L = LU_FROZEN_LETTER;
	struct peek k = peek(u, p);

	if (k.c == '\'') {
		size_t n = lu_split_contraction(p, end, true);

		if (n)
			return p + n;
	}
	if (k.class & L)
		return run_end(u, k.next, end, L, 0);
	if (k.class & LU_FROZEN_NUMBER)
		return match_numbers(u, p, end, digits);
	if (k.c != '\r' && k.c != '\n' && k.next < end && (peek(u, k.next).class & L))
		return run_end(u, k.next, end, L, 0);
	return match_symbols_or_blanks(u, p, end, '\n');
}

/*
 * End of a match of the word alternatives of o200k, or NULL: U*L+, and then U+L* if `second`. U is
 * upper and title case, L lower case; marks and letters without case are both. This gives what a
 * backtracking engine finds: it takes the whole run of U; if an L follows, it takes the run of L;
 * otherwise it gives back characters of U until one is also an L, and the match ends after that
 * one. Without such a character only the second alternative matches: the run of U.
 */
static const char *match_cased_word(
		const struct lu_frozen_unicode *u, const char *p, const char *end, bool second)
{
	const char *from = p, *match = NULL;
	unsigned class = 0;

	while (p < end) {
		const char *q = p;

		class = lu_frozen_case(u, lu_utf8_next(&q));
		if (!(class & LU_FROZEN_UPPER))
			break;
		p = q;
		if (class & LU_FROZEN_LOWER)
			match = p;
	}
	if (p < end && (class & LU_FROZEN_LOWER)) {
		while (p < end) {
			const char *q = p;

			if (!(lu_frozen_case(u, lu_utf8_next(&q)) & LU_FROZEN_LOWER))
				break;
			p = q;
		}
		match = p;
	}
	if (!match && second && p > from)
		match = p;
	if (match && match < end && *match == '\'')
		match += lu_split_contraction(match, end, true);
	return match;
}

static const char *match_o200k(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	struct peek k = peek(u, p);
	bool lead = !(k.class & (LU_FROZEN_LETTER | LU_FROZEN_NUMBER)) && k.c != '\r' &&
			k.c != '\n' && k.next < end;
	const char *q = NULL;

	for (int second = 0; !q && second < 2; second++) {
		if (lead)
			q = match_cased_word(u, k.next, end, second);
		if (!q)
			q = match_cased_word(u, p, end, second);
	}
	if (q)
		return q;
	return k.class & LU_FROZEN_NUMBER ? match_numbers(u, p, end, 3)
					  : match_symbols_or_blanks(u, p, end, '/');
}

size_t lu_split_regex_match(enum lu_split_regex regex, const struct lu_frozen_unicode *u,
		const char *p, const char *end)
{
	const char *q;

	switch (regex) {
	case LU_SPLIT_GPT2: q = match_gpt2(u, p, end); break;
	case LU_SPLIT_CL100K: q = match_cl100k(u, p, end, 3); break;
	case LU_SPLIT_QWEN2: q = match_cl100k(u, p, end, 1); break;
	case LU_SPLIT_O200K: q = match_o200k(u, p, end); break;
	default: q = end; break;
	}
	return (size_t)(q - p);
}
