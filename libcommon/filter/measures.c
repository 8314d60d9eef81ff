#include "libcommon/filter/measures.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/filter/ngrams.h"
#include "libcommon/hash/hash.h"
#include "libcommon/text/unicode.h"

#define SHORT_LINE 30

/* Groups of measures that are computed together. */
enum { TOKENS = 1 << 0, LINES = 1 << 1, TOP_GRAMS = 1 << 2, DUP_GRAMS = 1 << 3, TEXT = 1 << 4 };

static const struct {
	const char *name;
	unsigned group;
} measures[LU_MEASURES] = {
	[LU_M_WORDS] = { "words", TOKENS },
	[LU_M_MEAN_WORD_LENGTH] = { "mean_word_length", TOKENS },
	[LU_M_HASH_RATIO] = { "hash_ratio", TOKENS },
	[LU_M_ELLIPSIS_RATIO] = { "ellipsis_ratio", TOKENS },
	[LU_M_ALPHA_WORDS] = { "alpha_words", TOKENS },
	[LU_M_STOP_WORDS] = { "stop_words", TOKENS },
	[LU_M_NEWLINE_RATIO] = { "newline_ratio", TOKENS },
	[LU_M_BULLET_LINES] = { "bullet_lines", LINES },
	[LU_M_ELLIPSIS_LINES] = { "ellipsis_lines", LINES },
	[LU_M_DUP_LINES] = { "dup_lines", LINES },
	[LU_M_DUP_LINE_CHARS] = { "dup_line_chars", LINES },
	[LU_M_DUP_PARAS] = { "dup_paras", LINES },
	[LU_M_DUP_PARA_CHARS] = { "dup_para_chars", LINES },
	[LU_M_LINE_PUNCT] = { "line_punct", LINES },
	[LU_M_SHORT_LINES] = { "short_lines", LINES },
	[LU_M_CHAR_DUP_RATIO] = { "char_dup_ratio", LINES },
	[LU_M_TOP_2GRAM] = { "top_2gram", TOKENS | TOP_GRAMS },
	[LU_M_TOP_3GRAM] = { "top_3gram", TOKENS | TOP_GRAMS },
	[LU_M_TOP_4GRAM] = { "top_4gram", TOKENS | TOP_GRAMS },
	[LU_M_DUP_5GRAM] = { "dup_5gram", TOKENS | DUP_GRAMS },
	[LU_M_DUP_6GRAM] = { "dup_6gram", TOKENS | DUP_GRAMS },
	[LU_M_DUP_7GRAM] = { "dup_7gram", TOKENS | DUP_GRAMS },
	[LU_M_DUP_8GRAM] = { "dup_8gram", TOKENS | DUP_GRAMS },
	[LU_M_DUP_9GRAM] = { "dup_9gram", TOKENS | DUP_GRAMS },
	[LU_M_DUP_10GRAM] = { "dup_10gram", TOKENS | DUP_GRAMS },
	[LU_M_SENTENCES] = { "sentences", TEXT },
	[LU_M_CURLY_RATIO] = { "curly_ratio", TEXT },
	[LU_M_LOREM_IPSUM] = { "lorem_ipsum", TEXT },
};

const char *lu_measure_name(enum lu_measure m)
{
	return measures[m].name;
}

bool lu_measure_is_count(enum lu_measure m)
{
	return m == LU_M_WORDS || m == LU_M_STOP_WORDS || m == LU_M_SENTENCES ||
			m == LU_M_LOREM_IPSUM;
}

/* --- stop words --------------------------------------------------------------------------- */

#define STOPS 18

static const char *const stop_words[][STOPS] = {
	[LU_STOP_NONE] = { NULL },
	[LU_STOP_EN] = { "the", "be", "to", "of", "and", "that", "have", "with" },
	[LU_STOP_FR] = { "de", "la", "le", "et", "à", "en", "l'", "des", "du", "les", "est", "d'",
			"un", "une", "il", "dans", "par", "au" },
};

enum lu_stop_list lu_stop_list(struct lu_str lang)
{
	return lu_str_is(lang, "en")		? LU_STOP_EN
			: lu_str_is(lang, "fr") ? LU_STOP_FR
						: LU_STOP_NONE;
}

struct lu_measurer {
	uint8_t *class;
};

struct lu_measurer *lu_measurer_new(struct lu_err *err)
{
	struct lu_measurer *m = calloc(1, sizeof(*m));

	if (m)
		m->class = calloc(0x110000, 1);
	if (!m || !m->class) {
		lu_measurer_free(m);
		lu_err_nomem(err);
		return NULL;
	}
	if (lu_unicode_classes(m->class, err) < 0) {
		lu_measurer_free(m);
		return NULL;
	}
	return m;
}

void lu_measurer_free(struct lu_measurer *m)
{
	if (!m)
		return;
	free(m->class);
	free(m);
}

void lu_measures_start(const struct lu_measurer *m, struct lu_measures *w, struct lu_str text,
		enum lu_stop_list stop)
{
	w->measurer = m;
	w->text = text;
	w->stop = stop;
	w->chars = lu_utf8_count(text.p, text.n);
	w->done = 0;
	memset(w->value, 0, sizeof(w->value));
	w->tokens.n = 0;
}

void lu_measures_release(struct lu_measures *w)
{
	lu_vec_release(&w->tokens);
	lu_buf_release(&w->seen);
	lu_buf_release(&w->grams);
}

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

/* --- tokens ------------------------------------------------------------------------------- */

struct piece {
	const char *end;
	uint64_t chars;
	bool alpha; /* has a letter */
	bool punctuation;
};

static bool is_apostrophe(uint32_t c)
{
	return c == '\'' || c == 0x2019;
}

/* True for a word that has lost its vowel before another one, and ends with the apostrophe. */
static bool is_elided(const char *p, size_t n)
{
	static const char *const longer[] = { "qu", "jusqu", "lorsqu", "puisqu", "quoiqu",
		"presqu" };
	char low[8];

	if (n == 1)
		return strchr("cdjlmnstCDJLMNST", *p) != NULL;
	if (n > 6)
		return false;
	for (size_t i = 0; i < n; i++)
		low[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
		if (lu_str_eq((struct lu_str){ low, n }, lu_str_of(longer[i])))
			return true;
	}
	return false;
}

/* The word at p, which begins with a word character. */
static struct piece word(const uint8_t *class, const char *p, const char *end)
{
	struct piece w = { .end = p };

	while (w.end < end) {
		const char *next = w.end, *after;
		uint32_t c = lu_utf8_next(&next);

		if (is_apostrophe(c) && w.chars > 0 && w.alpha) {
			if (is_elided(p, (size_t)(w.end - p))) {
				w.end = next;
				w.chars++;
				return w;
			}
			after = next;
			if (next == end || !(class[lu_utf8_next(&after)] & LU_CLASS_LETTER))
				return w;
		} else if (!(class[c] & LU_CLASS_WORD) ||
				(w.chars > 0 && (class[c] & LU_CLASS_UNSPACED))) {
			return w;
		}
		w.alpha |= (class[c] & LU_CLASS_LETTER) != 0;
		w.end = next;
		w.chars++;
		if (class[c] & LU_CLASS_UNSPACED) {
			/* Include its combining marks. */
			while (w.end < end &&
					(after = w.end, c = lu_utf8_next(&after),
							(class[c] & LU_CLASS_WORD) &&
									!(class[c] &
											(LU_CLASS_LETTER |
													LU_CLASS_UNSPACED |
													LU_CLASS_NUMBER)))) {
				w.end = after;
				w.chars++;
			}
			return w;
		}
	}
	return w;
}

static struct piece piece_at(const uint8_t *class, const char *p, const char *end)
{
	struct piece w = { .end = p };
	uint32_t first = lu_utf8_next(&w.end);

	if (class[first] & LU_CLASS_WORD)
		return word(class, p, end);
	w.chars = 1;
	w.punctuation = class[first] & LU_CLASS_PUNCTUATION;
	while (w.punctuation && w.end < end) {
		const char *next = w.end;

		if (lu_utf8_next(&next) != first)
			break;
		w.end = next;
		w.chars++;
	}
	return w;
}

struct stops {
	uint64_t hash[STOPS], other[STOPS]; /* other: with the typographic apostrophe */
	uint64_t bloom;			    /* bits of hash % 64 */
	size_t n;
};

static void stops_start(struct stops *s, enum lu_stop_list list)
{
	*s = (struct stops){ .n = 0 };
	for (size_t i = 0; i < STOPS && stop_words[list][i]; i++) {
		struct lu_str w = lu_str_of(stop_words[list][i]);
		char typographic[8];

		s->hash[i] = s->other[i] = lu_hash64(w.p, w.n, 0);
		if (w.p[w.n - 1] == '\'') {
			memcpy(typographic, w.p, w.n - 1);
			memcpy(typographic + w.n - 1, "\u2019", 3);
			s->other[i] = lu_hash64(typographic, w.n + 2, 0);
		}
		s->bloom |= UINT64_C(1) << (s->hash[i] & 63) | UINT64_C(1) << (s->other[i] & 63);
		s->n++;
	}
}

static uint64_t stop_bit(const struct stops *s, uint64_t hash)
{
	if (s->bloom >> (hash & 63) & 1) {
		for (size_t i = 0; i < s->n; i++) {
			if (s->hash[i] == hash || s->other[i] == hash)
				return UINT64_C(1) << i;
		}
	}
	return 0;
}

static int tokens(struct lu_measures *w, struct lu_err *err)
{
	const uint8_t *class = w->measurer->class;
	const char *p = w->text.p, *end = p + w->text.n;
	uint64_t words = 0, word_chars = 0, alpha = 0, hashes = 0, dots = 0, feeds = 0, chars = 0;
	uint64_t found = 0;
	struct lu_token t;
	struct stops stops;
	size_t n;

	stops_start(&stops, w->stop);
	while (p < end) {
		const char *next = p;
		uint32_t c = lu_utf8_next(&next);
		struct piece x;

		if (class[c] & LU_CLASS_SPACE) {
			feeds += c == '\n';
			p = next;
			continue;
		}
		x = piece_at(class, p, end);
		t = (struct lu_token){ lu_hash64(p, (size_t)(x.end - p), 0), chars };
		if (!lu_vec_push(&w->tokens, t))
			return lu_err_nomem(err);
		chars += x.chars;
		if (!x.punctuation) {
			words++;
			word_chars += x.chars;
		}
		alpha += x.alpha;
		hashes += c == '#' ? x.chars : 0;
		dots += c == 0x2026 ? x.chars : c == '.' ? x.chars / 3 : 0;
		found |= stop_bit(&stops, t.hash);
		p = x.end;
	}
	t = (struct lu_token){ 0, chars };
	n = w->tokens.n;
	if (!lu_vec_push(&w->tokens, t))
		return lu_err_nomem(err);
	w->value[LU_M_WORDS] = (double)words;
	w->value[LU_M_MEAN_WORD_LENGTH] = ratio(word_chars, words);
	w->value[LU_M_HASH_RATIO] = ratio(hashes, n);
	w->value[LU_M_ELLIPSIS_RATIO] = ratio(dots, n);
	w->value[LU_M_ALPHA_WORDS] = ratio(alpha, n);
	w->value[LU_M_STOP_WORDS] = (double)__builtin_popcountll(found);
	w->value[LU_M_NEWLINE_RATIO] = ratio(feeds, n);
	return 0;
}

/* --- n-grams ------------------------------------------------------------------------------ */

/* Start the n-grams over the tokens. */
static int start_grams(struct lu_measures *w, struct lu_grams *g, size_t n, struct lu_err *err)
{
	const struct lu_token *t = w->tokens.p;

	if (lu_grams_start(g, &w->grams, &t->hash, sizeof(*t) / sizeof(uint64_t), w->tokens.n - 1,
			    err) < 0)
		return -1;
	while (g->n < n)
		lu_grams_grow(g);
	return 0;
}

static int top_grams(struct lu_measures *w, struct lu_err *err)
{
	const struct lu_token *t = w->tokens.p;
	struct lu_grams g;

	if (start_grams(w, &g, 2, err) < 0)
		return -1;
	for (size_t n = 2; n <= 4; n++, lu_grams_grow(&g)) {
		size_t count = lu_grams_count(&g);
		uint32_t most = 0, first = 0;
		struct lu_gram_set s;

		if (lu_gram_set_start(&s, &w->seen, count, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			const struct lu_gram_slot *slot = lu_gram_set_add(&s, g.key[i], i);

			if (slot->count > most || (slot->count == most && slot->first < first)) {
				most = slot->count;
				first = slot->first;
			}
		}
		if (most)
			w->value[LU_M_TOP_2GRAM + n - 2] =
					ratio(most * (t[first + n].chars - t[first].chars + n - 1),
							w->chars);
	}
	return 0;
}

static int dup_grams(struct lu_measures *w, struct lu_err *err)
{
	const struct lu_token *t = w->tokens.p;
	struct lu_grams g;

	if (start_grams(w, &g, 5, err) < 0)
		return -1;
	for (size_t n = 5; n <= 10; n++, lu_grams_grow(&g)) {
		size_t count = lu_grams_count(&g);
		uint64_t repeated = 0;
		struct lu_gram_set s;

		if (lu_gram_set_start(&s, &w->seen, count, err) < 0)
			return -1;
		for (size_t i = 0; i < count;) {
			if (lu_gram_set_add(&s, g.key[i], i)->count > 1) {
				repeated += t[i + n].chars - t[i].chars;
				i += n;
			} else {
				i++;
			}
		}
		/* If no n-gram occurs twice, no longer one does either. */
		if (repeated == 0)
			break;
		w->value[LU_M_DUP_5GRAM + n - 5] = ratio(repeated, w->chars);
	}
	return 0;
}

/* --- lines -------------------------------------------------------------------------------- */

static bool is_space_at(const uint8_t *class, const char *p)
{
	return class[lu_utf8_next(&p)] & LU_CLASS_SPACE;
}

/* The character before p. */
static const char *before(const char *p)
{
	do
		p--;
	while (((unsigned char)*p & 0xC0) == 0x80);
	return p;
}

static struct lu_str strip(const uint8_t *class, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end && is_space_at(class, p))
		lu_utf8_next(&p);
	while (end > p && is_space_at(class, before(end)))
		end = before(end);
	return (struct lu_str){ p, (size_t)(end - p) };
}

static bool ends_with(struct lu_str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static bool starts_with(struct lu_str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

struct line_counts {
	uint64_t lines, filled, not_blank; /* all, not empty, with more than blanks */
	uint64_t bullets, ellipses, punct, short_lines;
	uint64_t dup, dup_chars, dup_seen_chars;
};

static void count_line(const uint8_t *class, struct lu_gram_set *seen, struct lu_str line,
		struct line_counts *c)
{
	struct lu_str bare = strip(class, line);
	uint64_t chars = lu_utf8_count(line.p, line.n);
	const char *last;

	c->lines++;
	c->bullets += starts_with(bare, "•") || starts_with(bare, "-");
	c->ellipses += ends_with(bare, "...") || ends_with(bare, "…");
	if (line.n == 0)
		return;
	if (lu_gram_set_add(seen, lu_hash64(line.p, line.n, 0), c->filled)->count > 1) {
		c->dup++;
		c->dup_chars += chars;
		c->dup_seen_chars += bare.n ? chars : 0;
	}
	c->filled++;
	if (bare.n == 0)
		return;
	c->not_blank++;
	c->short_lines += chars <= SHORT_LINE;
	last = before(line.p + line.n);
	c->punct += (class[lu_utf8_next(&last)] & LU_CLASS_SENTENCE_END) != 0;
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
		const char *cut = memmem(p, (size_t)(end - p), "\n\n", 2);
		size_t n = (size_t)((cut ? cut : end) - p);

		if (lu_gram_set_add(&seen, lu_hash64(p, n, 0), all)->count > 1) {
			dup++;
			dup_chars += lu_utf8_count(p, n);
		}
		all++;
		for (p += n; p < end && *p == '\n';)
			p++;
	}
	w->value[LU_M_DUP_PARAS] = ratio(dup, all);
	w->value[LU_M_DUP_PARA_CHARS] = ratio(dup_chars, w->chars);
	return 0;
}

static int lines(struct lu_measures *w, struct lu_err *err)
{
	const char *p = w->text.p, *end = p + w->text.n;
	size_t feeds = 0;
	struct line_counts c = { 0 };
	struct lu_gram_set seen;

	for (const char *q = p; q < end && (q = memchr(q, '\n', (size_t)(end - q))) != NULL; q++)
		feeds++;
	if (lu_gram_set_start(&seen, &w->seen, feeds + 1, err) < 0)
		return -1;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *to = nl ? nl : end;

		count_line(w->measurer->class, &seen, (struct lu_str){ p, (size_t)(to - p) }, &c);
		p = to + 1;
	}
	w->value[LU_M_BULLET_LINES] = ratio(c.bullets, c.lines);
	w->value[LU_M_ELLIPSIS_LINES] = ratio(c.ellipses, c.lines);
	w->value[LU_M_DUP_LINES] = ratio(c.dup, c.filled);
	w->value[LU_M_DUP_LINE_CHARS] = ratio(c.dup_chars, w->chars);
	w->value[LU_M_LINE_PUNCT] = ratio(c.punct, c.not_blank);
	w->value[LU_M_SHORT_LINES] = ratio(c.short_lines, c.not_blank);
	w->value[LU_M_CHAR_DUP_RATIO] = ratio(c.dup_seen_chars, w->chars - feeds);
	return paragraphs(w, feeds + 1, err);
}

/* --- the text as a whole ------------------------------------------------------------------ */

static void whole_text(struct lu_measures *w)
{
	static const char lorem[] = "lorem ipsum";
	const char *p = w->text.p, *end = p + w->text.n;
	uint64_t sentences = 0, curly = 0, ipsum = 0;
	bool inside = false;

	while (p < end) {
		if ((size_t)(end - p) >= sizeof(lorem) - 1 && (*p | 0x20) == 'l' &&
				strncasecmp(p, lorem, sizeof(lorem) - 1) == 0)
			ipsum++;
		if (*p == '.' || *p == '!' || *p == '?') {
			sentences += inside;
			inside = false;
		}
		curly += *p == '{' || *p == '}';
		inside |= (w->measurer->class[lu_utf8_next(&p)] & LU_CLASS_WORD) != 0;
	}
	w->value[LU_M_SENTENCES] = (double)(sentences + inside);
	w->value[LU_M_CURLY_RATIO] = ratio(curly, w->chars);
	w->value[LU_M_LOREM_IPSUM] = (double)ipsum;
}

int lu_measures_get(struct lu_measures *w, enum lu_measure which, double *value, struct lu_err *err)
{
	unsigned todo = measures[which].group & ~w->done;

	if ((todo & TOKENS && tokens(w, err) < 0) || (todo & LINES && lines(w, err) < 0) ||
			(todo & TOP_GRAMS && top_grams(w, err) < 0) ||
			(todo & DUP_GRAMS && dup_grams(w, err) < 0))
		return -1;
	if (todo & TEXT)
		whole_text(w);
	w->done |= todo;
	*value = w->value[which];
	return 0;
}
