#include "tests/unit/plain_measures.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

#define MOST 4000

struct text {
	const uint8_t *class;
	uint32_t c[MOST + 1];
	size_t n;
};
struct span {
	size_t from, to;
};
struct spans {
	struct span s[MOST + 1];
	size_t n;
};

static bool is(const struct text *t, size_t i, unsigned bits)
{
	return i < t->n && (t->class[t->c[i]] & bits);
}

static double part(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static size_t length(struct span s)
{
	return s.to - s.from;
}

static bool same(const struct text *t, struct span a, struct span b)
{
	return length(a) == length(b) &&
			memcmp(t->c + a.from, t->c + b.from, length(a) * sizeof(t->c[0])) == 0;
}

static bool spells(const struct text *t, struct span s, const char *word)
{
	size_t i = s.from;

	for (const char *p = word; *p; i++) {
		uint32_t want = lu_utf8_next(&p), c = i < s.to ? t->c[i] : 0;

		/* The typographic apostrophe is an apostrophe, where a word ends. */
		if (c != want && !(want == '\'' && c == 0x2019))
			return false;
	}
	return i == s.to;
}

static bool is_elision(const struct text *t, struct span s)
{
	static const char *const words[] = { "c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu",
		"lorsqu", "puisqu", "quoiqu", "presqu" };
	struct text low = { t->class, { 0 }, 0 };

	if (length(s) > 6)
		return false;
	for (size_t i = s.from; i < s.to; i++)
		low.c[low.n++] = t->c[i] >= 'A' && t->c[i] <= 'Z' ? t->c[i] + 32 : t->c[i];
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (spells(&low, (struct span){ 0, low.n }, words[i]))
			return true;
	}
	return false;
}

static bool apostrophe(uint32_t c)
{
	return c == '\'' || c == 0x2019;
}

/* The end of the word at `from`. */
static size_t word_end(const struct text *t, size_t from)
{
	size_t i = from;
	bool letter = false;

	if (is(t, i, LU_CLASS_UNSPACED)) {
		for (i++; is(t, i, LU_CLASS_WORD) &&
				!is(t, i, LU_CLASS_LETTER | LU_CLASS_UNSPACED | LU_CLASS_NUMBER);)
			i++;
		return i;
	}
	while (i < t->n) {
		if (is(t, i, LU_CLASS_WORD) && !is(t, i, LU_CLASS_UNSPACED)) {
			letter |= is(t, i, LU_CLASS_LETTER);
			i++;
		} else if (apostrophe(t->c[i]) && letter && i > from) {
			if (is_elision(t, (struct span){ from, i }))
				return i + 1;
			if (!is(t, i + 1, LU_CLASS_LETTER))
				return i;
			i++;
		} else {
			break;
		}
	}
	return i;
}

static void find_tokens(const struct text *t, struct spans *tokens)
{
	size_t i = 0;

	tokens->n = 0;
	while (i < t->n) {
		size_t from = i;

		if (is(t, i, LU_CLASS_SPACE)) {
			i++;
			continue;
		}
		if (is(t, i, LU_CLASS_WORD))
			i = word_end(t, i);
		else if (is(t, i, LU_CLASS_PUNCTUATION))
			while (i < t->n && t->c[i] == t->c[from])
				i++;
		else
			i++;
		tokens->s[tokens->n++] = (struct span){ from, i };
	}
}

static void measure_tokens(const struct text *t, const struct spans *tokens, enum lu_stop_list stop,
		double *value)
{
	static const char *const lists[][19] = {
		[LU_STOP_EN] = { "the", "be", "to", "of", "and", "that", "have", "with" },
		[LU_STOP_FR] = { "de", "la", "le", "et", "à", "en", "l'", "des", "du", "les", "est",
				"d'", "un", "une", "il", "dans", "par", "au" },
	};
	double words = 0, chars = 0, hashes = 0, dots = 0, alpha = 0, feeds = 0, stops = 0;

	for (size_t i = 0; i < tokens->n; i++) {
		struct span s = tokens->s[i];
		bool letter = false;

		for (size_t k = s.from; k < s.to; k++)
			letter |= is(t, k, LU_CLASS_LETTER);
		alpha += letter;
		hashes += t->c[s.from] == '#' ? (double)length(s) : 0;
		dots += t->c[s.from] == '.' ? (double)(length(s) / 3) : 0;
		dots += t->c[s.from] == 0x2026 ? (double)length(s) : 0;
		if (is(t, s.from, LU_CLASS_WORD) || !is(t, s.from, LU_CLASS_PUNCTUATION)) {
			words++;
			chars += (double)length(s);
		}
	}
	for (size_t i = 0; i < t->n; i++)
		feeds += t->c[i] == '\n';
	for (size_t w = 0; stop != LU_STOP_NONE && lists[stop][w]; w++) {
		size_t i = 0;

		while (i < tokens->n && !spells(t, tokens->s[i], lists[stop][w]))
			i++;
		stops += i < tokens->n;
	}
	value[LU_M_WORDS] = words;
	value[LU_M_MEAN_WORD_LENGTH] = part(chars, words);
	value[LU_M_HASH_RATIO] = part(hashes, (double)tokens->n);
	value[LU_M_ELLIPSIS_RATIO] = part(dots, (double)tokens->n);
	value[LU_M_ALPHA_WORDS] = part(alpha, (double)tokens->n);
	value[LU_M_STOP_WORDS] = stops;
	value[LU_M_NEWLINE_RATIO] = part(feeds, (double)tokens->n);
}

/* --- n-grams ------------------------------------------------------------------------------ */

static bool same_gram(
		const struct text *t, const struct spans *tokens, size_t a, size_t b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!same(t, tokens->s[a + i], tokens->s[b + i]))
			return false;
	}
	return true;
}

static size_t gram_length(const struct spans *tokens, size_t at, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += length(tokens->s[at + i]);
	return chars;
}

static double top(const struct text *t, const struct spans *tokens, size_t n)
{
	size_t most = 0, best = 0;

	for (size_t a = 0; a + n <= tokens->n; a++) {
		size_t count = 0;

		for (size_t b = a; b + n <= tokens->n; b++)
			count += same_gram(t, tokens, a, b, n);
		if (count > most) {
			most = count;
			best = a;
		}
	}
	return most ? part((double)(most * (gram_length(tokens, best, n) + n - 1)), (double)t->n)
		    : 0;
}

static double dup(const struct text *t, const struct spans *tokens, size_t n)
{
	bool occurred[MOST + 1] = { false };
	size_t chars = 0;

	for (size_t a = 0; a + n <= tokens->n;) {
		bool before = false;

		for (size_t b = 0; b < a && !before; b++)
			before = occurred[b] && same_gram(t, tokens, a, b, n);
		occurred[a] = !before;
		chars += before ? gram_length(tokens, a, n) : 0;
		a += before ? n : 1;
	}
	return part((double)chars, (double)t->n);
}

/* --- lines -------------------------------------------------------------------------------- */

static struct span strip(const struct text *t, struct span s)
{
	while (s.from < s.to && is(t, s.from, LU_CLASS_SPACE))
		s.from++;
	while (s.from < s.to && is(t, s.to - 1, LU_CLASS_SPACE))
		s.to--;
	return s;
}

static void find_lines(const struct text *t, struct spans *lines)
{
	size_t from = 0;

	lines->n = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (t->c[i] != '\n')
			continue;
		lines->s[lines->n++] = (struct span){ from, i };
		from = i + 1;
	}
	if (from < t->n)
		lines->s[lines->n++] = (struct span){ from, t->n };
}

static void find_paragraphs(const struct text *t, struct spans *paragraphs)
{
	struct span all = strip(t, (struct span){ 0, t->n });
	size_t from = all.from;

	paragraphs->n = 0;
	for (size_t i = all.from; i < all.to; i++) {
		if (t->c[i] != '\n' || t->c[i + 1] != '\n')
			continue;
		paragraphs->s[paragraphs->n++] = (struct span){ from, i };
		while (t->c[i] == '\n')
			i++;
		from = i;
	}
	if (from < all.to)
		paragraphs->s[paragraphs->n++] = (struct span){ from, all.to };
}

/* The pieces that are not empty and occurred before: how many and how long. `visible` counts those
 * that are more than blanks. */
static void repeats(const struct text *t, const struct spans *pieces, double *n, double *chars,
		double *visible)
{
	*n = *chars = *visible = 0;
	for (size_t a = 0; a < pieces->n; a++) {
		size_t b = 0;

		while (b < a && !same(t, pieces->s[a], pieces->s[b]))
			b++;
		if (b == a || length(pieces->s[a]) == 0)
			continue;
		*n += 1;
		*chars += (double)length(pieces->s[a]);
		*visible += length(strip(t, pieces->s[a])) ? (double)length(pieces->s[a]) : 0;
	}
}

static void measure_lines(const struct text *t, double *value)
{
	static struct spans lines, paragraphs;
	double n, chars, visible, filled = 0, full = 0, bullets = 0, dots = 0, punct = 0;
	double few = 0, feeds = 0;

	find_lines(t, &lines);
	find_paragraphs(t, &paragraphs);
	for (size_t i = 0; i < t->n; i++)
		feeds += t->c[i] == '\n';
	for (size_t i = 0; i < lines.n; i++) {
		struct span line = lines.s[i], bare = strip(t, line);
		size_t k = length(bare);

		filled += length(line) > 0;
		if (k == 0)
			continue;
		full++;
		bullets += t->c[bare.from] == '-' || t->c[bare.from] == 0x2022;
		dots += t->c[bare.to - 1] == 0x2026 ||
				(k >= 3 && t->c[bare.to - 1] == '.' && t->c[bare.to - 2] == '.' &&
						t->c[bare.to - 3] == '.');
		few += length(line) <= 30;
		punct += is(t, line.to - 1, LU_CLASS_SENTENCE_END);
	}
	repeats(t, &lines, &n, &chars, &visible);
	value[LU_M_LINES] = (double)lines.n;
	value[LU_M_BULLET_LINES] = part(bullets, (double)lines.n);
	value[LU_M_ELLIPSIS_LINES] = part(dots, (double)lines.n);
	value[LU_M_DUP_LINES] = part(n, filled);
	value[LU_M_DUP_LINE_CHARS] = part(chars, (double)t->n);
	value[LU_M_LINE_PUNCT] = part(punct, full);
	value[LU_M_SHORT_LINES] = part(few, full);
	value[LU_M_CHAR_DUP_RATIO] = part(visible, (double)t->n - feeds);
	repeats(t, &paragraphs, &n, &chars, &visible);
	value[LU_M_DUP_PARAS] = part(n, (double)paragraphs.n);
	value[LU_M_DUP_PARA_CHARS] = part(chars, (double)t->n);
}

/* --- characters --------------------------------------------------------------------------- */

static bool says(const struct text *t, size_t at, const char *words)
{
	for (; *words; words++, at++) {
		uint32_t c = at < t->n ? t->c[at] : 0;

		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != (uint32_t)(unsigned char)*words)
			return false;
	}
	return true;
}

static void measure_chars(const struct text *t, double *value)
{
	double sentences = 0, curly = 0, lorem = 0, letters = 0, numbers = 0, feeds = 0;
	double longest = 0, here = 0, lines = 0, generated = 0;
	bool inside = false;

	for (size_t i = 0; i < t->n; i++) {
		uint32_t c = t->c[i];

		if (c == '.' || c == '!' || c == '?') {
			sentences += inside;
			inside = false;
		}
		inside |= is(t, i, LU_CLASS_WORD);
		curly += c == '{' || c == '}';
		lorem += says(t, i, "lorem ipsum");
		letters += is(t, i, LU_CLASS_LETTER);
		numbers += is(t, i, LU_CLASS_NUMBER);
		if (feeds < 5)
			generated += says(t, i, "auto-generated") + says(t, i, "autogenerated") +
					says(t, i, "automatically generated");
		feeds += c == '\n';
		here = c == '\n' ? 0 : here + 1;
		longest = here > longest ? here : longest;
	}
	lines = feeds + (t->n > 0 && t->c[t->n - 1] != '\n');
	value[LU_M_SENTENCES] = sentences + inside;
	value[LU_M_CURLY_RATIO] = part(curly, (double)t->n);
	value[LU_M_LOREM_IPSUM] = lorem;
	value[LU_M_MAX_LINE_LENGTH] = longest;
	value[LU_M_MEAN_LINE_LENGTH] = part((double)t->n - feeds, lines);
	value[LU_M_ALPHA_RATIO] = part(letters, (double)t->n);
	value[LU_M_ALNUM_RATIO] = part(letters + numbers, (double)t->n);
	value[LU_M_GENERATED] = generated;
	value[LU_M_CHARS] = (double)t->n;
}

void plain_measures(const uint8_t *class, struct lu_str text, enum lu_stop_list stop,
		double value[LU_MEASURES])
{
	static struct text t;
	static struct spans tokens;

	t.class = class;
	t.n = 0;
	for (const char *p = text.p; p < text.p + text.n;) {
		assert(t.n < MOST);
		t.c[t.n++] = lu_utf8_next(&p);
	}
	t.c[t.n] = 0;
	find_tokens(&t, &tokens);
	measure_tokens(&t, &tokens, stop, value);
	for (size_t n = 2; n <= 4; n++)
		value[LU_M_TOP_2GRAM + n - 2] = top(&t, &tokens, n);
	for (size_t n = 5; n <= 10; n++)
		value[LU_M_DUP_5GRAM + n - 5] = dup(&t, &tokens, n);
	measure_lines(&t, value);
	measure_chars(&t, value);
}
