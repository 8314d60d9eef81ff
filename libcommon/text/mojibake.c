#include "libcommon/text/mojibake.h"

#include "libcommon/base/utf8.h"
#include "libcommon/text/mojibake_pages.h"
#include "libcommon/text/unicode.h"

#define BAD 0xFFFDu
#define NBSP 0xA0u

/* Windows-1252 bytes 0x80-0x9F; 0 where undefined. */
static const uint16_t cp1252[32] = { 0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D,
	0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178 };

uint32_t lu_cp1252(uint32_t c)
{
	return c >= 0x80 && c < 0xA0 && cp1252[c - 0x80] ? cp1252[c - 0x80] : c;
}

/* One of the code pages. */
struct page {
	const struct lu_mojibake *m;
	enum lu_mojibake_page which;
};

static int byte_of(const struct page *page, uint32_t c)
{
	return lu_mojibake_byte(page->m, page->which, c);
}

enum strength { WEAK, PAIRED, EVIDENT, COMPELLING };

/* A sequence: n bytes of the line that stand for c; more[0..chars) are its characters. */
struct sequence {
	size_t n;
	uint32_t c;
	uint32_t part[6];
	unsigned char byte[6];
	unsigned chars;
	bool lost;     /* a byte became U+FFFD, or '?' */
	bool restored; /* a no-break space became a blank */
};

static bool is_letter(uint32_t c)
{
	return lu_unicode_category(c) == LU_CAT_LETTER;
}

/* What may follow a word in capitals: quotation marks, dashes, ellipsis, ® ™ ¿ ¡ § and the like. */
static bool is_typographic(uint32_t c)
{
	return (c >= 0x2010 && c <= 0x2015) || (c >= 0x2018 && c <= 0x201F) || c == 0x2022 ||
			c == 0x2026 || c == 0x2039 || c == 0x203A || c == 0x2122 || c == 0xAB ||
			c == 0xBB || c == 0xAE || c == 0xA1 || c == 0xBF || c == 0xAA ||
			c == 0xBA || c == 0xA7;
}

/* --- sequences --------------------------------------------------------------------------------- */

static uint32_t peek(const char *p, const char *end)
{
	return p < end ? lu_utf8_next(&p) : 0;
}

/* Number of bytes of the character that a lead byte starts, or 0. */
static unsigned length_of(int lead)
{
	return lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* True if the byte 0xA0 is a no-break space, which easily becomes a blank. */
static bool has_nbsp(const struct page *page)
{
	return page->which != LU_PAGE_MAC && page->which != LU_PAGE_437;
}

/* The byte 0x80-0xBF for which the character c stands, or -1. What was lost on the way is recognised
 * in a longer sequence: a blank for 0xA0, '?' behind another byte. */
static int rest_byte(const struct page *page, uint32_t c, unsigned wanted, struct sequence *s)
{
	int byte = c >= 0x80 ? byte_of(page, c) : -1;

	if (c == BAD || (c == '?' && wanted > 2 && s->chars > 1)) {
		s->lost = true;
		return 0x80;
	}
	if (c == ' ' && wanted > 2 && has_nbsp(page)) {
		s->restored = true;
		return 0xA0;
	}
	return byte >= 0x80 && byte < 0xC0 ? byte : -1;
}

/* Take the characters of the bytes behind the first. False if they are not there. */
static bool take_rest(const struct page *page, const char **p, const char *end, unsigned wanted,
		struct sequence *s)
{
	unsigned real = 0;

	for (; s->chars < wanted && *p < end; s->chars++) {
		const char *next = *p;
		uint32_t c = lu_utf8_next(&next);
		int byte = rest_byte(page, c, wanted, s);

		if (byte < 0)
			break;
		/* Behind what was lost, only what cannot stand by itself. */
		if (s->lost && c < 0x80 && c != '?')
			break;
		real += c >= 0x80;
		*p = next;
		s->part[s->chars] = c;
		s->byte[s->chars] = (unsigned char)byte;
	}
	return real > 0 && (s->chars == wanted || s->lost);
}

/* Two surrogates of three bytes each, as Java and old databases encode an emoji. */
static bool take_surrogates(const struct page *page, const char *start, const char *p,
		const char *end, struct sequence *s)
{
	uint32_t hi, lo;

	if (!take_rest(page, &p, end, 3, s) || s->lost || s->byte[1] < 0xA0 || s->byte[1] > 0xAF ||
			byte_of(page, peek(p, end)) != 0xED)
		return false;
	s->part[s->chars] = lu_utf8_next(&p);
	s->byte[s->chars++] = 0xED;
	if (!take_rest(page, &p, end, 6, s) || s->lost || s->byte[4] < 0xB0)
		return false;
	hi = (uint32_t)(s->byte[1] & 0x0F) << 6 | (s->byte[2] & 0x3F);
	lo = (uint32_t)(s->byte[4] & 0x0F) << 6 | (s->byte[5] & 0x3F);
	s->c = 0x10000 + (hi << 10 | lo);
	s->n = (size_t)(p - start);
	return true;
}

/* The sequence at p, whose first character is beyond ASCII. */
static bool match(const struct page *page, const char *start, const char *end, struct sequence *s)
{
	const char *p = start, *at;
	uint32_t first = lu_utf8_next(&p);
	int lead = byte_of(page, first);
	unsigned wanted = length_of(lead);

	*s = (struct sequence){ .part = { first }, .byte = { (unsigned char)lead }, .chars = 1 };
	if (!wanted || p == end || ((unsigned char)*p < 0x80 && (wanted == 2 || *p != ' ')))
		return false;
	at = p;
	if (!take_rest(page, &p, end, wanted, s))
		return false;
	s->c = BAD;
	if (!s->lost) {
		const char *bytes = (const char *)s->byte;

		if (lead == 0xED && s->byte[1] >= 0xA0) {
			s->chars = 1;
			return take_surrogates(page, start, at, end, s);
		}
		if (lu_utf8_seq(bytes, s->chars) != s->chars)
			return false;
		s->c = lu_utf8_next(&bytes);
		if (s->c < 0xA0 && page->which != LU_PAGE_1252)
			return false;
		/* Where "Ã¥" would be a combining tilde, it is of another page. */
		if (s->c >= 0x180 && s->c < 0x370 && !has_nbsp(page))
			return false;
	}
	s->n = (size_t)(p - start);
	return true;
}

/* --- evidence ------------------------------------------------------------------------------------ */

static bool is_lower(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 0xDF && c <= 0xFF);
}

/* A typographic second character: only within a word. */
static enum strength strength_of_typographic(
		const struct sequence *s, uint32_t before, uint32_t after)
{
	uint32_t second = s->part[1];
	bool quoted = second == 0xAB || second == 0xBB;

	if (s->part[0] == 0xC3 && second == 0x2122)
		return EVIDENT;
	/* "Â« oui Â»" */
	if (s->part[0] == 0xC2 && s->c >= NBSP && (before == 0 || before == ' '))
		return EVIDENT;
	if (!is_letter(after) || !is_letter(s->part[0]))
		return WEAK;
	if (s->byte[0] == 0xC3)
		return !is_lower(after) || is_lower(before) ? EVIDENT : WEAK;
	/* "cÅ“ur" */
	if (s->byte[0] == 0xC5 && (second == 0x201C || second == 0x2019))
		return EVIDENT;
	if (quoted)
		return is_letter(before) && is_lower(after) ? EVIDENT : WEAK;
	return second == 0xA1 || second == 0xBF || second == 0xAA || second == 0xBA ? EVIDENT
										    : WEAK;
}

static enum strength strength_of_two(const struct sequence *s, uint32_t before, uint32_t after)
{
	unsigned char lead = s->byte[0];
	uint32_t second = s->part[1];
	bool combining = s->part[0] == 0xCC || s->part[0] == 0xCD;

	if (s->lost)
		return is_letter(s->part[0]) && !is_lower(s->part[0]) && is_lower(before) &&
						is_lower(after) && lead <= 0xC5
				? EVIDENT
				: WEAK;
	if (lead == 0xD0 || lead == 0xD1)
		return s->c <= 0x45F ? PAIRED : WEAK;
	if (lead > 0xCF)
		return lead >= 0xD7 && lead <= 0xDB ? PAIRED : WEAK;
	if (lead > 0xC5 && lead < 0xCE && !combining)
		return WEAK;
	if (second == NBSP)
		/* "voilÃ" and a no-break space; "Ã" alone. */
		return lead == 0xC3 &&
						(is_lower(before) || is_lower(after) ||
								(!is_letter(before) &&
										after == ' '))
				? EVIDENT
				: WEAK;
	if (is_typographic(second))
		return combining ? WEAK : strength_of_typographic(s, before, after);
	/* Frames are drawn of several such characters. */
	if (second >= 0x2500 && second <= 0x257F)
		return WEAK;
	if (!is_letter(second))
		return is_letter(s->part[0]) || is_letter(before) ? EVIDENT : WEAK;
	if (!is_letter(s->part[0]))
		return is_letter(before) ? EVIDENT : WEAK;
	return s->part[0] == 0xC3 ? EVIDENT : WEAK;
}

static enum strength strength_of_three(const struct sequence *s)
{
	uint32_t c = s->c;
	bool both = is_typographic(s->part[1]) && is_typographic(s->part[2]) &&
			s->part[1] != 0x2122 && s->part[2] != 0x2122;

	if ((c >= 0x2010 && c <= 0x203A) || c == 0x20AC || c == 0xFEFF || c == BAD ||
			(c >= 0xFB00 && c <= 0xFB06))
		return COMPELLING;
	/* "в’є", "бєї" are Ukrainian. */
	for (unsigned i = 1; i < 3; i++) {
		if (s->part[0] >= 0x400 && is_letter(s->part[i]))
			return PAIRED;
	}
	if ((c >= 0x1E00 && c <= 0x1EFF) || (c >= 0xFF01 && c <= 0xFF60))
		return both ? PAIRED : COMPELLING;
	if ((c >= 0x2100 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x3030))
		return both ? PAIRED : COMPELLING;
	return PAIRED;
}

static enum strength strength_of(const struct sequence *s, uint32_t before, uint32_t after)
{
	if (s->restored || (s->lost && s->chars > 2))
		return WEAK;
	for (unsigned i = 1; i < s->chars; i++) {
		if (s->part[i] >= 0x80 && s->part[i] < 0xA0)
			return COMPELLING;
	}
	return s->chars == 2		? strength_of_two(s, before, after)
			: s->chars == 3 ? strength_of_three(s)
			: s->byte[0] == 0xF0 && s->c >= 0x1F000 && s->c <= 0x1FAFF ? COMPELLING
										   : WEAK;
}

/* True for a lead byte behind which a blank was a no-break space: "voilÃ le". */
static bool is_blank_for_nbsp(
		const struct page *page, uint32_t c, const char *next, const char *end)
{
	int byte = c >= 0x80 && next < end && *next == ' ' && has_nbsp(page) ? byte_of(page, c)
									     : -1;

	return byte == 0xC2 || byte == 0xC3 || byte == 0xC5 || byte == 0xD0 || byte == 0xD1;
}

struct survey {
	size_t chars; /* in sequences */
	size_t sequences, others, evident, compelling;
};

static void survey_line(const struct page *page, struct lu_str line, struct survey *v)
{
	const char *p = line.p, *end = p + line.n;
	uint32_t before = 0;
	bool paired = false; /* the sequence before p is PAIRED */

	*v = (struct survey){ 0 };
	while (p < end) {
		const char *next = p;
		uint32_t c = lu_utf8_next(&next);
		struct sequence s;

		if (c >= 0x80 && match(page, p, end, &s)) {
			enum strength how = strength_of(&s, before, peek(p + s.n, end));

			v->sequences++;
			v->chars += s.chars;
			v->evident += how == EVIDENT || (how == PAIRED && paired);
			v->compelling += how == COMPELLING;
			paired = how == PAIRED;
			next = p + s.n;
			c = s.part[s.chars - 1];
		} else {
			paired = false;
			if (is_blank_for_nbsp(page, c, next, end))
				v->evident += c == 0xC3 && is_lower(before);
			else
				v->others += c >= 0x80 && c != BAD;
		}
		before = c;
		p = next;
	}
}

static bool is_convincing(const struct survey *v)
{
	return v->compelling ||
			(v->evident && 2 * v->evident >= v->others &&
					(v->sequences > 1 || !v->others));
}

/* --- repair -------------------------------------------------------------------------------------- */

/* The character whose second byte, a no-break space, became the blank at p; *p is moved behind it
 * unless the blank is also a blank. */
static uint32_t with_blank(int lead, const char **p, const char *end)
{
	const char *q = *p + 1;
	size_t n = (size_t)(end - q);

	if (lead == 0xC3 &&
			(n == 0 ||
					(*q != ' ' && !(n >= 2 && memcmp(q, "s ", 2) == 0) &&
							!(n >= 4 && memcmp(q, "quel", 4) == 0))))
		return 0xE0;
	*p = q;
	return (uint32_t)(lead & 0x1F) << 6 | 0x20;
}

static void repair(const struct page *page, struct lu_str line, struct lu_buf *out)
{
	const char *p = line.p, *end = p + line.n;

	while (p < end) {
		const char *next = p;
		uint32_t c = lu_utf8_next(&next);
		struct sequence s;
		char bytes[4];

		if (c >= 0x80 && match(page, p, end, &s)) {
			c = s.c;
			next = p + s.n;
		} else if (is_blank_for_nbsp(page, c, next, end)) {
			c = with_blank(byte_of(page, c), &next, end);
		}
		lu_buf_append(out, bytes, lu_utf8_put(c, bytes));
		p = next;
	}
}

/* The code pages in which the line may have evidence, as bits: a character that begins a sequence has
 * another behind it that goes on, or "Ã" a blank. */
static unsigned candidates(const struct lu_mojibake *m, struct lu_str line)
{
	const char *p = line.p, *end = p + line.n;
	unsigned pages = 0;
	uint32_t c, next;

	while (p < end) {
		if ((unsigned char)*p < 0x80) {
			p++;
			continue;
		}
		c = lu_utf8_next(&p);
		if (c >= LU_MOJIBAKE_DIRECT || !m->lead[c] || p == end)
			continue;
		next = peek(p, end);
		if (next == BAD || (next >= LU_MOJIBAKE_DIRECT && next >= 0xF000))
			pages |= m->lead[c];
		else if (next < LU_MOJIBAKE_DIRECT)
			pages |= m->lead[c] & m->rest[next];
		if (c == 0xC3 && next == ' ')
			pages |= 1u << LU_PAGE_1252;
	}
	return pages;
}

/* The code page by which most of the line is mojibake, or LU_MOJIBAKE_PAGES. */
static enum lu_mojibake_page choose(const struct lu_mojibake *m, struct lu_str line)
{
	enum lu_mojibake_page best = LU_MOJIBAKE_PAGES;
	unsigned pages = candidates(m, line);
	size_t most = 0;

	for (int i = 0; i < LU_MOJIBAKE_PAGES && pages >> i; i++) {
		struct page page = { m, (enum lu_mojibake_page)i };
		struct survey v;

		if (!(pages >> i & 1))
			continue;
		survey_line(&page, line, &v);
		if (is_convincing(&v) && (best == LU_MOJIBAKE_PAGES || v.chars > most)) {
			best = page.which;
			most = v.chars;
		}
	}
	return best;
}

bool lu_mojibake_line(const struct lu_mojibake *m, struct lu_str line, struct lu_buf *bytes,
		struct lu_buf *out)
{
	struct page page = { m, LU_MOJIBAKE_PAGES };
	size_t from = out->n;
	struct lu_str now = line;

	while ((page.which = choose(m, now)) != LU_MOJIBAKE_PAGES) {
		lu_buf_clear(bytes);
		repair(&page, now, bytes);
		out->n = from;
		lu_buf_append(out, bytes->p, bytes->n);
		if (!lu_buf_ok(bytes) || !lu_buf_ok(out))
			return false;
		now = (struct lu_str){ out->p + from, bytes->n };
	}
	return now.p != line.p;
}
