#include "libcommon/langid/langid_sample.h"

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

#define WINDOWS 4

/* Counts of a line, until it is known to be text. */
struct line {
	uint64_t letters, words, others; /* others: tokens with letters that are not words */
	uint64_t chars, code;		 /* all but blanks, and those typical of code */
};

/* One of {}[]()<>=;_\|#$&*+^~, by a bit for each ASCII character. */
static bool is_code_char(unsigned char c)
{
	static const uint64_t set[2] = { UINT64_C(0x78000F5800000000),
		UINT64_C(0x78000000F8000000) };

	return c < 0x80 && set[c >> 6] >> (c & 63) & 1;
}

static bool is_ascii_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_blank(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7F && (c < 0xA1 || lu_unicode_is_space(c)));
}

/* The number of letters that a character counts for; marks belong to their letters. */
static unsigned weight(uint32_t c)
{
	if (c < 0x80)
		return is_ascii_letter(c);
	if (lu_unicode_is_unspaced(c))
		return 3;
	return lu_unicode_category(c) == LU_CAT_LETTER;
}

/* Remove ASCII punctuation and symbols from both ends of *p .. *q - 1. */
static void strip(const char **p, const char **q)
{
	while (*p < *q && (unsigned char)**p < 0x80 && !is_ascii_letter((unsigned char)**p) &&
			!(**p >= '0' && **p <= '9'))
		++*p;
	while (*q > *p && (unsigned char)(*q)[-1] < 0x80 &&
			!is_ascii_letter((unsigned char)(*q)[-1]) &&
			!((*q)[-1] >= '0' && (*q)[-1] <= '9'))
		--*q;
}

static void add_token(struct lu_str t, struct lu_buf *out, struct line *l)
{
	const char *p = t.p, *q = t.p + t.n;
	uint64_t letters = 0;
	bool word = true;

	for (size_t i = 0; i < t.n; i++) {
		l->chars += ((unsigned char)t.p[i] & 0xC0) != 0x80;
		l->code += is_code_char((unsigned char)t.p[i]);
	}
	strip(&p, &q);
	for (const char *c = p; c < q;) {
		unsigned char b = (unsigned char)*c;

		if (b >= 0x80) {
			letters += weight(lu_utf8_next(&c));
			continue;
		}
		c++;
		if (is_ascii_letter(b))
			letters++;
		else if (!(b >= '0' && b <= '9') && b != '\'' && b != '-' && b != ',')
			word = false;
	}
	if (letters && word) {
		lu_buf_append(out, p, (size_t)(q - p));
		lu_buf_putc(out, ' ');
		l->words++;
		l->letters += letters;
	} else {
		l->others += letters > 0;
	}
}

/* Pass over a character; true if it is a blank. Most are ASCII and need no decoding. */
static bool take_blank(const char **p)
{
	unsigned char b = (unsigned char)**p;

	if (b >= 0x7F)
		return is_blank(lu_utf8_next(p));
	++*p;
	return b <= 0x20;
}

static void add_line(struct lu_str text, struct lu_buf *out, struct lu_lang_sample *s)
{
	const char *p = text.p, *end = text.p + text.n;
	size_t from = out->n;
	struct line l = { 0 };

	while (p < end) {
		const char *start = p, *next = p;

		while (p < end && !take_blank(&next))
			p = next;
		if (p > start)
			add_token((struct lu_str){ start, (size_t)(p - start) }, out, &l);
		p = p < end ? next : end;
	}
	if (l.others > l.words || l.code * 10 > l.chars) {
		out->n = from;
		s->left_out += l.words + l.others;
		return;
	}
	s->left_out += l.others;
	s->words += l.words;
	s->letters += l.letters;
}

static void add_lines(struct lu_str text, struct lu_buf *out, struct lu_lang_sample *s)
{
	const char *p = text.p, *end = text.p + text.n;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *to = nl ? nl : end;

		add_line((struct lu_str){ p, (size_t)(to - p) }, out, s);
		p = to + 1;
	}
}

/* The next blank within 64 bytes of an offset, else the next boundary of a character. */
static size_t boundary(struct lu_str text, size_t at)
{
	size_t end = at + 64 < text.n ? at + 64 : text.n;

	for (size_t i = at; i < end; i++) {
		if (text.p[i] == ' ' || text.p[i] == '\n')
			return i;
	}
	while (at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80)
		at++;
	return at;
}

/* The windows of a text; returns how many there are. */
static size_t windows(struct lu_str text, size_t max_bytes, struct lu_str window[WINDOWS])
{
	size_t n = 0;

	if (text.n <= max_bytes) {
		window[0] = text;
		return 1;
	}
	for (size_t i = 0; i < WINDOWS; i++) {
		size_t from = i ? boundary(text, text.n / WINDOWS * i) : 0;
		size_t to = boundary(text, text.n / WINDOWS * i + max_bytes / WINDOWS);

		if (to > from)
			window[n++] = (struct lu_str){ text.p + from, to - from };
	}
	return n;
}

void lu_lang_sample(
		struct lu_str text, size_t max_bytes, struct lu_buf *out, struct lu_lang_sample *s)
{
	struct lu_str window[WINDOWS];
	size_t n = windows(text, max_bytes, window);

	*s = (struct lu_lang_sample){ 0 };
	for (size_t i = 0; i < n; i++)
		add_lines(window[i], out, s);
}

int lu_lang_sample_words(const struct lu_common_words *w, struct lu_str text, size_t max_bytes,
		struct lu_common_scan *s, struct lu_err *err)
{
	struct lu_str window[WINDOWS];
	size_t n = windows(text, max_bytes, window);

	lu_common_scan_clear(s);
	for (size_t i = 0; i < n; i++) {
		if (lu_common_words_scan(w, window[i], s, err) < 0)
			return -1;
	}
	return 0;
}
