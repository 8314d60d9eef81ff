#include "libcommon/langid/langid_sample.h"

#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/langid/langid_code.h"
#include "libcommon/text/unicode.h"

#define PROGRAM 40 /* characters for one sign of code, in a program */

/* Counts of a line, until it is known to be text. */
struct line {
	uint64_t letters, words, chars;
	uint64_t code;	/* tokens with letters and signs of code */
	uint64_t marks; /* characters typical of code */
};

/* One of {}[]()<>=;_\\|#$&*+^~, by a bit for each ASCII character. */
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

/* The number of letters that a character counts for. A mark of a script from U+0800 on is mostly a
 * vowel. */
static unsigned weight(uint32_t c)
{
	enum lu_category cat;

	if (c < 0x80)
		return is_ascii_letter(c);
	if (lu_unicode_is_unspaced(c))
		return 3;
	cat = lu_unicode_category(c);
	if (c >= 0x800 && c < 0x1E00)
		return cat == LU_CAT_LETTER || cat == LU_CAT_MARK ? 2 : 0;
	return cat == LU_CAT_LETTER ? 1 + (c >= 0xAC00 && c < 0xD7B0) : 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ASCII that may be within a word. */
static bool is_inner(char c)
{
	return (unsigned char)c >= 0x80 || is_ascii_letter((unsigned char)c) || is_digit(c) ||
			c == '\'' || c == '-' || c == ',';
}

/* Remove ASCII punctuation and symbols from both ends of *p .. *q - 1. */
static void strip(const char **p, const char **q)
{
	while (*p < *q && (unsigned char)**p < 0x80 && !is_ascii_letter((unsigned char)**p) &&
			!is_digit(**p))
		++*p;
	while (*q > *p && (unsigned char)(*q)[-1] < 0x80 &&
			!is_ascii_letter((unsigned char)(*q)[-1]) && !is_digit((*q)[-1]))
		--*q;
}

/* A dot between names in lower case: that of a file or a host, and not of "U.S.A" or "fin.Debut". */
static bool has_suffix(const char *p, const char *q)
{
	for (const char *c = p + 2; c + 1 < q; c++) {
		if (*c == '.' && is_ascii_letter((unsigned char)c[-1]) && is_inner(c[-2]) &&
				c[1] >= 'a' && c[1] <= 'z')
			return true;
	}
	return false;
}

/* An address: URL, e-mail, path, name of a file or a host. p .. q - 1 is without what is around it. */
static bool is_address(struct lu_str t, const char *p, const char *q)
{
	const char *slash = memchr(p, '/', (size_t)(q - p));

	if (*t.p == '/' || *t.p == '~' || (t.n > 2 && memcmp(t.p, "./", 2) == 0))
		return slash || *t.p == '/';
	if (memchr(p, '@', (size_t)(q - p)) || has_suffix(p, q))
		return true;
	return slash && (slash[-1] == ':' || memchr(slash + 1, '/', (size_t)(q - slash - 1)));
}

/* Append the words of a token: what is between punctuation, if it has letters. */
static void add_words(const char *p, const char *q, struct lu_buf *out, struct line *l)
{
	while (p < q) {
		const char *from = p;
		uint64_t letters = 0;

		while (p < q && is_inner(*p)) {
			const char *c = p;

			letters += weight(lu_utf8_next(&c));
			p = c;
		}
		if (letters) {
			lu_buf_append(out, from, (size_t)(p - from));
			lu_buf_putc(out, ' ');
			l->words++;
			l->letters += letters;
		}
		while (p < q && !is_inner(*p))
			p++;
	}
}

static bool has_letter(const char *p, const char *q)
{
	while (p < q) {
		if (weight(lu_utf8_next(&p)))
			return true;
	}
	return false;
}

/* The end of a sentence within one byte of the end of a token, but for its closing punctuation. */
static bool ends_sentence(struct lu_str t)
{
	for (size_t i = t.n; i > 0; i--) {
		char c = t.p[i - 1];

		if (c == '.' || c == '!' || c == '?')
			return i > 2;
		if (c != ')' && c != '"' && c != '\'')
			return i > 3 && memcmp(t.p + i - 3, "\xE3\x80\x82", 3) == 0;
	}
	return false;
}

static bool is_word(const char *p, const char *q)
{
	while (p < q && is_inner(*p))
		p++;
	return p == q;
}

static void add_token(struct lu_str t, bool program, struct lu_buf *out, struct line *l)
{
	const char *p = t.p, *q = t.p + t.n;

	for (size_t i = 0; i < t.n; i++) {
		l->chars += ((unsigned char)t.p[i] & 0xC0) != 0x80;
		l->marks += is_code_char((unsigned char)t.p[i]);
	}
	strip(&p, &q);
	if (p == q || (!program && is_address(t, p, q)))
		return;
	if (is_word(p, q) || (!program && lu_lang_code_signs(t) == 0))
		add_words(p, q, out, l);
	else
		l->code += has_letter(p, q);
	if (out->n && out->p[out->n - 1] == ' ' && ends_sentence(t))
		out->p[out->n - 1] = '\n';
}

/* A token of ASCII letters alone, as most are. */
static void add_plain(struct lu_str t, struct lu_buf *out, struct line *l)
{
	lu_buf_append(out, t.p, t.n);
	lu_buf_putc(out, ' ');
	l->words++;
	l->letters += t.n;
	l->chars += t.n;
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

static struct line add_tokens(struct lu_str text, bool program, struct lu_buf *out)
{
	const char *p = text.p, *end = text.p + text.n;
	struct line l = { 0 };

	while (p < end) {
		const char *start = p, *next;

		while (p < end && is_ascii_letter((unsigned char)*p))
			p++;
		next = p;
		if (p > start && (p == end || (unsigned char)*p <= 0x20)) {
			add_plain((struct lu_str){ start, (size_t)(p - start) }, out, &l);
			p += p < end;
			continue;
		}
		while (p < end && !take_blank(&next))
			p = next;
		if (p > start)
			add_token((struct lu_str){ start, (size_t)(p - start) }, program, out, &l);
		p = p < end ? next : end;
	}
	return l;
}

/* Append a line as it is, on one line and without control characters. */
static void add_raw(struct lu_str text, struct lu_buf *out)
{
	lu_buf_str(out, text);
	for (size_t i = out->n - text.n; out->p && i < out->n; i++) {
		if ((unsigned char)out->p[i] < ' ' || out->p[i] == 0x7F)
			out->p[i] = ' ';
	}
	lu_buf_putc(out, ' ');
}

/* A line without references and tags. */
static struct lu_str unmarked(struct lu_lang_sampler *s, struct lu_str line)
{
	if (!memchr(line.p, '&', line.n) && !memchr(line.p, '<', line.n))
		return line;
	lu_buf_clear(&s->line);
	lu_lang_unmark(line, &s->line);
	return lu_buf_slice(&s->line);
}

static void add_line(struct lu_lang_sampler *s, struct lu_str line, bool raw)
{
	size_t from = s->out.n;
	struct line l;
	unsigned signs;

	line = unmarked(s, line);
	l = add_tokens(line, s->program, &s->out);
	signs = l.marks ? lu_lang_code_signs(line) : 0;
	if (l.code > l.words || (signs > 1 && signs * 10 > l.chars) ||
			(s->program && l.marks * 10 > l.chars)) {
		s->out.n = from;
		s->left_out += l.words + l.code;
		return;
	}
	s->left_out += l.code;
	s->words += l.words;
	s->letters += l.letters;
	if (raw) {
		s->out.n = from;
		add_raw(line, &s->out);
	} else if (s->out.n > from) {
		s->out.p[s->out.n - 1] = '\n';
	}
}

/* Count the signs of code and the characters of a line. */
static void weigh_line(struct lu_lang_sampler *s, struct lu_str line, bool raw)
{
	bool marks = false;

	(void)raw;
	line = unmarked(s, line);
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];

		s->chars += c > ' ' && (c & 0xC0) != 0x80;
		marks |= is_code_char(c);
	}
	if (marks)
		s->signs += lu_lang_code_signs(line);
}

static void each_line(struct lu_lang_sampler *s, struct lu_str text, bool raw,
		void (*f)(struct lu_lang_sampler *s, struct lu_str line, bool raw))
{
	const char *p = text.p, *end = text.p + text.n;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *to = nl ? nl : end;

		f(s, (struct lu_str){ p, (size_t)(to - p) }, raw);
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

size_t lu_lang_windows(struct lu_str text, size_t max_bytes, struct lu_str window[LU_LANG_WINDOWS])
{
	size_t n = 0;

	if (text.n <= max_bytes) {
		window[0] = text;
		return 1;
	}
	for (size_t i = 0; i < LU_LANG_WINDOWS; i++) {
		size_t from = i ? boundary(text, text.n / LU_LANG_WINDOWS * i) : 0;
		size_t to = boundary(
				text, text.n / LU_LANG_WINDOWS * i + max_bytes / LU_LANG_WINDOWS);

		if (to > from)
			window[n++] = (struct lu_str){ text.p + from, to - from };
	}
	return n;
}

void lu_lang_sample(struct lu_lang_sampler *s, struct lu_str text, size_t max_bytes, bool raw)
{
	struct lu_str window[LU_LANG_WINDOWS];
	size_t n = lu_lang_windows(text, max_bytes, window);

	s->letters = s->words = s->left_out = s->signs = s->chars = 0;
	lu_buf_clear(&s->out);
	for (size_t i = 0; i < n; i++)
		each_line(s, window[i], raw, weigh_line);
	s->program = s->signs * PROGRAM > s->chars;
	for (size_t i = 0; i < n; i++)
		each_line(s, window[i], raw, add_line);
}

void lu_lang_sampler_release(struct lu_lang_sampler *s)
{
	lu_buf_release(&s->out);
	lu_buf_release(&s->line);
}

int lu_lang_sample_words(const struct lu_common_words *w, struct lu_str text, size_t max_bytes,
		struct lu_common_scan *s, struct lu_err *err)
{
	struct lu_str window[LU_LANG_WINDOWS];
	size_t n = lu_lang_windows(text, max_bytes, window);

	lu_common_scan_clear(s);
	for (size_t i = 0; i < n; i++) {
		if (lu_common_words_scan(w, window[i], s, err) < 0)
			return -1;
	}
	return 0;
}
