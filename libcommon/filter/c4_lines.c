#include "libcommon/filter/c4_lines.h"

#include <strings.h>

#include "libcommon/base/utf8.h"
#include "libcommon/filter/measurer.h"

#define MIN_WORDS 3
#define MAX_WORD_LENGTH 1000

#define WORDS(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
static const struct lu_str phrases[] = {
	WORDS("javascript"),
	WORDS("terms of use"),
	WORDS("privacy policy"),
	WORDS("cookie policy"),
	WORDS("uses cookies"),
	WORDS("use of cookies"),
	WORDS("use cookies"),
	WORDS("conditions d'utilisation"),
	WORDS("conditions d\u2019utilisation"),
	WORDS("politique de confidentialit\u00E9"),
	WORDS("politique de cookies"),
	WORDS("utilise des cookies"),
	WORDS("utilisons des cookies"),
	WORDS("utilisation de cookies"),
	WORDS("utilisation des cookies"),
};
static const struct lu_str marks[] = {
	WORDS("[edit]"),
	WORDS("[citation needed]"),
	WORDS("[modifier]"),
	WORDS("[modifier le code]"),
	WORDS("[modifier | modifier le code]"),
	WORDS("[r\u00E9f. n\u00E9cessaire]"),
};

static bool has_phrase(struct lu_str line)
{
	for (size_t at = 0; at < line.n; at++) {
		const char *p = line.p + at;

		/* The first letters of the phrases. */
		if (!memchr("jtpcu", *p | 0x20, 5))
			continue;
		for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
			if (phrases[i].n <= line.n - at &&
					strncasecmp(p, phrases[i].p, phrases[i].n) == 0)
				return true;
		}
	}
	return false;
}

/* True if the line has enough words and none is too long. *last is its last character that is no
 * white space, and *ellipsis whether "..." is at the end. */
static bool has_words(const uint8_t *class, struct lu_str line, uint32_t *last, bool *ellipsis)
{
	const char *p = line.p, *end = line.p + line.n;
	size_t words = 0, length = 0, dots = 0;

	*last = 0;
	while (p < end) {
		uint32_t c = lu_utf8_next(&p);

		if (class[c] & LU_CLASS_SPACE) {
			length = 0;
			continue;
		}
		words += length == 0;
		if (++length > MAX_WORD_LENGTH)
			return false;
		dots = c == '.' ? dots + 1 : 0;
		*last = c;
	}
	*ellipsis = dots >= 3 || *last == 0x2026;
	return words >= MIN_WORDS;
}

/* Length of the mark at p, or 0. */
static size_t mark_at(const char *p, const char *end)
{
	const char *q = p + 1;

	while (q < end && *q >= '0' && *q <= '9')
		q++;
	if (q < end && *q == ']')
		return (size_t)(q + 1 - p);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if ((size_t)(end - p) >= marks[i].n && memcmp(p, marks[i].p, marks[i].n) == 0)
			return marks[i].n;
	}
	return 0;
}

static void append_unmarked(struct lu_line_cut *cut, struct lu_str line)
{
	const char *p = line.p, *end = line.p + line.n, *from = p;

	while (p < end && (p = memchr(p, '[', (size_t)(end - p))) != NULL) {
		size_t n = mark_at(p, end);

		if (n == 0) {
			p++;
			continue;
		}
		lu_buf_append(&cut->text, from, (size_t)(p - from));
		cut->bytes += n;
		cut->changed = true;
		p += n;
		from = p;
	}
	lu_buf_append(&cut->text, from, (size_t)(end - from));
}

int lu_c4_cut(const struct lu_measurer *m, struct lu_str text, struct lu_line_cut *cut,
		struct lu_err *err)
{
	const char *p = text.p, *end = text.p + text.n;
	const char *kept = p; /* end of the last line that stays */
	bool any = false, gap = false, blank = false;

	lu_buf_clear(&cut->text);
	cut->lines = cut->bytes = 0;
	cut->changed = false;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *to = nl ? nl : end;
		struct lu_str line = { p, (size_t)(to - p) };
		uint32_t last;
		bool ellipsis, enough = has_words(m->class, line, &last, &ellipsis);

		if (enough && !ellipsis && (m->class[last] & LU_CLASS_SENTENCE_END) &&
				!has_phrase(line)) {
			/* What was between two neighbours, else a line feed or two. */
			if (!gap)
				lu_buf_append(&cut->text, kept, (size_t)(p - kept));
			else if (any)
				lu_buf_puts(&cut->text, blank ? "\n\n" : "\n");
			append_unmarked(cut, line);
			kept = to;
			any = true;
			gap = blank = false;
		} else if (last == 0) {
			blank = true;
		} else {
			gap = true;
			cut->lines++;
			cut->bytes += line.n;
		}
		p = nl ? nl + 1 : end;
	}
	if (!gap)
		lu_buf_append(&cut->text, kept, (size_t)(end - kept));
	cut->changed |= cut->lines > 0;
	return lu_buf_check(&cut->text, err);
}
