/* The measures of lines and paragraphs. */
#include "libcommon/filter/measure_lines.h"

#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/filter/measurer.h"
#include "libcommon/filter/ngrams.h"
#include "libcommon/hash/hash.h"

#define SHORT_LINE 30

static inline bool is_space_at(const uint8_t *class, const char *p)
{
	return class[lu_utf8_next(&p)] & LU_CLASS_SPACE;
}

/* The character before p. */
static inline const char *before(const char *p)
{
	do
		p--;
	while (((unsigned char)*p & 0xC0) == 0x80);
	return p;
}

static inline struct lu_str strip(const uint8_t *class, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end && is_space_at(class, p))
		lu_utf8_next(&p);
	while (end > p && is_space_at(class, before(end)))
		end = before(end);
	return (struct lu_str){ p, (size_t)(end - p) };
}

static inline bool ends_with(struct lu_str s, struct lu_str suffix)
{
	return s.n >= suffix.n && memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0;
}

static inline bool starts_with(struct lu_str s, struct lu_str prefix)
{
	return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

struct line_counts {
	uint64_t lines, filled, not_blank; /* all, not empty, with more than blanks */
	uint64_t bullets, ellipses, punct, short_lines;
	uint64_t dup, dup_chars, dup_seen_chars;
};

static bool is_short(const struct lu_measures *w, struct lu_str line)
{
	/* A character has one to four bytes. */
	if (line.n <= SHORT_LINE || line.n > SHORT_LINE * (size_t)4)
		return line.n <= SHORT_LINE;
	return lu_measures_count(w, line.p, line.n) <= SHORT_LINE;
}

static void count_line(const struct lu_measures *w, struct lu_gram_set *seen, struct lu_str line,
		struct line_counts *c)
{
	const uint8_t *class = w->measurer->class;
	struct lu_str bare = strip(class, line);
	const char *last;

	c->lines++;
	c->bullets += starts_with(bare, LU_STR("•")) || starts_with(bare, LU_STR("-"));
	c->ellipses += ends_with(bare, LU_STR("...")) || ends_with(bare, LU_STR("…"));
	if (line.n == 0)
		return;
	if (lu_gram_set_add(seen, lu_hash64(line.p, line.n, 0), c->filled)->count > 1) {
		uint64_t chars = lu_measures_count(w, line.p, line.n);

		c->dup++;
		c->dup_chars += chars;
		c->dup_seen_chars += bare.n ? chars : 0;
	}
	c->filled++;
	if (bare.n == 0)
		return;
	c->not_blank++;
	c->short_lines += is_short(w, line);
	last = before(line.p + line.n);
	c->punct += (class[lu_utf8_next(&last)] & LU_CLASS_SENTENCE_END) != 0;
}

/* The end of the paragraph at p: two line feeds, or the end of the text. */
static const char *paragraph_end(const char *p, const char *end)
{
	for (;; p++) {
		p = memchr(p, '\n', (size_t)(end - p));
		/* The last character of a stripped text is no line feed. */
		if (!p)
			return end;
		if (p[1] == '\n')
			return p;
	}
}

static int paragraphs(struct lu_measures *w, size_t max_paragraphs, struct lu_err *err)
{
	struct lu_str text = strip(w->measurer->class, w->text);
	const char *p = text.p, *end = text.p + text.n;
	uint64_t all = 0, dup = 0, dup_chars = 0;
	struct lu_gram_set seen;

	if (lu_gram_set_start(&seen, &w->seen, max_paragraphs, err) < 0)
		return -1;
	while (p < end) {
		size_t n = (size_t)(paragraph_end(p, end) - p);

		if (lu_gram_set_add(&seen, lu_hash64(p, n, 0), all)->count > 1) {
			dup++;
			dup_chars += lu_measures_count(w, p, n);
		}
		all++;
		for (p += n; p < end && *p == '\n';)
			p++;
	}
	w->value[LU_M_DUP_PARAS] = lu_ratio(dup, all);
	w->value[LU_M_DUP_PARA_CHARS] = lu_ratio(dup_chars, w->chars);
	return 0;
}

/* Without branches, so that the compiler makes vectors of it. */
static size_t count_feeds(const char *p, size_t n)
{
	size_t feeds = 0;

	while (n > 0) {
		size_t step = n < 255 ? n : 255;
		uint8_t some = 0;

		for (size_t i = 0; i < step; i++)
			some += p[i] == '\n';
		feeds += some;
		p += step;
		n -= step;
	}
	return feeds;
}

int lu_measure_lines(struct lu_measures *w, struct lu_err *err)
{
	const char *p = w->text.p, *end = p + w->text.n;
	size_t feeds = count_feeds(p, w->text.n);
	struct line_counts c = { 0 };
	struct lu_gram_set seen;

	if (lu_gram_set_start(&seen, &w->seen, feeds + 1, err) < 0)
		return -1;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *to = nl ? nl : end;

		count_line(w, &seen, (struct lu_str){ p, (size_t)(to - p) }, &c);
		p = to + 1;
	}
	w->value[LU_M_LINES] = (double)c.lines;
	w->value[LU_M_BULLET_LINES] = lu_ratio(c.bullets, c.lines);
	w->value[LU_M_ELLIPSIS_LINES] = lu_ratio(c.ellipses, c.lines);
	w->value[LU_M_DUP_LINES] = lu_ratio(c.dup, c.filled);
	w->value[LU_M_DUP_LINE_CHARS] = lu_ratio(c.dup_chars, w->chars);
	w->value[LU_M_LINE_PUNCT] = lu_ratio(c.punct, c.not_blank);
	w->value[LU_M_SHORT_LINES] = lu_ratio(c.short_lines, c.not_blank);
	w->value[LU_M_CHAR_DUP_RATIO] = lu_ratio(c.dup_seen_chars, w->chars - feeds);
	return paragraphs(w, feeds + 1, err);
}
