/*
 * Tokens and the measures that count them. Almost every token is a word of ASCII and accented Latin
 * letters that fits into one register: piece_at() finds its end, and its hash comes from the same
 * register. The rest takes word(), a character at a time.
 */
#include "libcommon/filter/measure_tokens.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "libcommon/base/utf8.h"
#include "libcommon/filter/measurer.h"
#include "libcommon/hash/hash.h"

#define WIDTH 16

struct piece {
	const char *end;
	uint64_t chars, hash;
	bool alpha; /* has a letter */
	bool punctuation;
};

/* The bytes at p, as many as there are up to WIDTH, then zeros. */
struct window {
	char byte[WIDTH];
};

static inline struct window window_at(const char *p, const char *end)
{
	struct window v = { { 0 } };

	if (end - p >= WIDTH)
		memcpy(v.byte, p, WIDTH);
	else
		memcpy(v.byte, p, (size_t)(end - p));
	return v;
}

/* --- hashes ------------------------------------------------------------------------------- */

/* The first n bytes of a window, by the two halves of a product of 128 bits. */
static inline uint64_t window_hash(const struct window *v, size_t n)
{
	static const unsigned char ones[2 * WIDTH] = { 255, 255, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255, 255, 255 };
	uint64_t lo, hi, mask[2];
	__uint128_t product;

	memcpy(mask, ones + WIDTH - n, WIDTH);
	memcpy(&lo, v->byte, 8);
	memcpy(&hi, v->byte + 8, 8);
	lo = (lo & mask[0]) ^ UINT64_C(0x2D358DCCAA6C78A5);
	hi = (hi & mask[1]) ^ UINT64_C(0x8BB84B93962EACC9) ^ n;
	product = (__uint128_t)lo * hi;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t token_hash(const char *p, size_t n, const char *end)
{
	struct window v;

	if (n > WIDTH)
		return lu_hash64(p, n, 0);
	v = window_at(p, end);
	return window_hash(&v, n);
}

#define STOPS 18 /* most words of a list */

static const char *const stop_words[LU_STOP_LISTS][STOPS] = {
	[LU_STOP_NONE] = { NULL },
	[LU_STOP_EN] = { "the", "be", "to", "of", "and", "that", "have", "with" },
	[LU_STOP_FR] = { "de", "la", "le", "et", "à", "en", "l'", "des", "du", "les", "est", "d'",
			"un", "une", "il", "dans", "par", "au" },
};

static inline size_t slot_of(const struct lu_stops *s, uint64_t hash)
{
	return hash >> s->shift & (LU_STOP_SLOTS - 1);
}

/* False if the slot is taken. */
static bool add_stop(struct lu_stops *s, const char *p, size_t n, uint32_t bit)
{
	uint64_t hash = token_hash(p, n, p + n);
	size_t at = slot_of(s, hash);

	if (s->bit[at])
		return false;
	s->hash[at] = hash;
	s->bit[at] = bit;
	return true;
}

static bool add_stops(struct lu_stops *s, enum lu_stop_list list)
{
	for (uint32_t i = 0; i < STOPS && stop_words[list][i]; i++) {
		struct lu_str w = lu_str_of(stop_words[list][i]);
		char typographic[2 * WIDTH];

		if (!add_stop(s, w.p, w.n, 1u << i))
			return false;
		if (w.p[w.n - 1] != '\'')
			continue;
		memcpy(typographic, w.p, w.n - 1);
		memcpy(typographic + w.n - 1, "\u2019", 3);
		if (!add_stop(s, typographic, w.n + 2, 1u << i))
			return false;
	}
	return true;
}

void lu_stops_start(struct lu_stops *s, enum lu_stop_list list)
{
	unsigned shift = 0;

	/* Every other shift does for twenty words. */
	do {
		LU_ASSERT(shift < 56);
		memset(s, 0, sizeof(*s));
		s->shift = shift++;
	} while (!add_stops(s, list));
}

static inline uint32_t stop_bit(const struct lu_stops *s, uint64_t hash)
{
	size_t at = slot_of(s, hash);

	return s->hash[at] == hash ? s->bit[at] : 0;
}

/* --- words -------------------------------------------------------------------------------- */

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

/* True for what may follow an unspaced letter within its word: combining marks and the like. */
static bool is_attached(uint8_t class)
{
	return (class & LU_CLASS_WORD) &&
			!(class & (LU_CLASS_LETTER | LU_CLASS_UNSPACED | LU_CLASS_NUMBER));
}

/* The word at p, of which w has the beginning: letters of spaced scripts and numbers. */
static struct piece word(const uint8_t *class, const char *p, const char *end, struct piece w)
{
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
		if (!(class[c] & LU_CLASS_UNSPACED))
			continue;
		for (after = w.end; after < end; w.end = after, w.chars++) {
			if (!is_attached(class[lu_utf8_next(&after)]))
				break;
		}
		return w;
	}
	return w;
}

/* Bits of the bytes of a window: in a run of letters, digits and '_', letters, and second bytes. */
struct masks {
	unsigned word, alpha, second;
};

#ifdef __SSE2__
static inline __m128i load(const struct window *w)
{
	return _mm_loadu_si128((const __m128i *)(const void *)w->byte);
}

static inline __m128i within(__m128i v, char from, char to)
{
	__m128i x = _mm_sub_epi8(v, _mm_set1_epi8(from));

	return _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8((char)(to - from))), x);
}

static inline unsigned equal(__m128i v, char c)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

static inline struct masks ascii_masks(const struct window *w)
{
	__m128i v = load(w), letter = within(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 'z');
	__m128i digit = _mm_or_si128(within(v, '0', '9'), _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));

	return (struct masks){ (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, digit)),
		(unsigned)_mm_movemask_epi8(letter), 0 };
}

/* Add the letters of U+00C0-U+017F, whose first bytes are C3, C4 and C5; D7 and F7, the signs of
 * multiplication and division, are C3 97 and C3 B7. A letter may not fit into the window. */
static inline void add_latin(const struct window *w, struct masks *m)
{
	__m128i v = load(w);
	unsigned sign = equal(v, (char)0x97) | equal(v, (char)0xB7);
	unsigned first = (unsigned)_mm_movemask_epi8(within(v, (char)0xC3, (char)0xC5));

	first &= ~(equal(v, (char)0xC3) & sign >> 1) & 0x7FFF;
	m->second = first << 1;
	m->alpha |= first | m->second;
	m->word |= first | m->second;
}
#else
static inline struct masks ascii_masks(const struct window *w)
{
	struct masks m = { 0, 0, 0 };

	for (unsigned i = 0; i < WIDTH; i++) {
		char c = w->byte[i], low = (char)(c | 0x20);

		m.alpha |= (unsigned)(low >= 'a' && low <= 'z') << i;
		m.word |= (unsigned)((c >= '0' && c <= '9') || c == '_') << i;
	}
	m.word |= m.alpha;
	return m;
}

static inline void add_latin(const struct window *w, struct masks *m)
{
	for (unsigned i = 0; i + 1 < WIDTH; i++) {
		unsigned char c = (unsigned char)w->byte[i], next = (unsigned char)w->byte[i + 1];

		if (c >= 0xC3 && c <= 0xC5 && !(c == 0xC3 && (next == 0x97 || next == 0xB7)))
			m->second |= 2u << i;
	}
	m->alpha |= m->second | m->second >> 1;
	m->word |= m->second | m->second >> 1;
}
#endif

static inline unsigned popcount16(unsigned x)
{
	x -= x >> 1 & 0x5555;
	x = (x & 0x3333) + (x >> 2 & 0x3333);
	x = (x + (x >> 4)) & 0x0F0F;
	return (x + (x >> 8)) & 0x1F;
}

/* The piece at p, of any kind; one without characters is white space. */
static struct piece other_piece(const uint8_t *class, const char *p, const char *end)
{
	struct piece w = { .end = p };
	uint32_t first = lu_utf8_next(&w.end);

	if (class[first] & LU_CLASS_SPACE)
		return w;
	if (class[first] & LU_CLASS_WORD) {
		w.end = p;
		w = word(class, p, end, w);
	} else {
		w.chars = 1;
		w.punctuation = class[first] & LU_CLASS_PUNCTUATION;
		while (w.punctuation && w.end < end) {
			const char *next = w.end;

			if (lu_utf8_next(&next) != first)
				break;
			w.end = next;
			w.chars++;
		}
	}
	w.hash = token_hash(p, (size_t)(w.end - p), end);
	return w;
}

static inline bool beyond_ascii(const struct window *v, unsigned n)
{
	return n < WIDTH && (unsigned char)v->byte[n] >= 0x80;
}

static inline struct piece piece_at(const uint8_t *class, const char *p, const char *end)
{
	struct window v = window_at(p, end);
	struct masks m = ascii_masks(&v);
	unsigned n = (unsigned)__builtin_ctz(~m.word), bits;
	struct piece w = { .end = p };

	if (beyond_ascii(&v, n)) {
		add_latin(&v, &m);
		n = (unsigned)__builtin_ctz(~m.word);
	}
	if (n == 0)
		return other_piece(class, p, end);
	bits = (1u << n) - 1;
	w.end = p + n;
	w.chars = n - (m.second & bits ? popcount16(m.second & bits) : 0);
	w.alpha = (m.alpha & bits) != 0;
	/* A zero is behind the text, or in it; neither is part of a word. */
	if (n < WIDTH && v.byte[n] != '\'' && !beyond_ascii(&v, n)) {
		w.hash = window_hash(&v, n);
		return w;
	}
	w = word(class, p, end, w);
	w.hash = token_hash(p, (size_t)(w.end - p), end);
	return w;
}

struct counts {
	uint64_t chars, alpha, marks, mark_chars, hashes, dots, feeds;
	uint32_t stops;
};

/* Count a run of a punctuation mark. */
static void count_mark(struct counts *n, const struct piece *x, const char *p)
{
	n->marks++;
	n->mark_chars += x->chars;
	if (*p == '#')
		n->hashes += x->chars;
	else if (*p == '.')
		n->dots += x->chars / 3;
	else if (*p == '\xE2' && memcmp(p, "\u2026", 3) == 0)
		n->dots += x->chars;
}

int lu_measure_tokens(struct lu_measures *w, struct lu_err *err)
{
	const uint8_t *class = w->measurer->class;
	const struct lu_stops *stops = &w->measurer->stops[w->stop];
	const char *p = w->text.p, *end = p + w->text.n;
	struct counts n = { 0 };
	size_t tokens;

	while (p < end) {
		struct piece x = piece_at(class, p, end);

		if (x.chars == 0) {
			n.feeds += *p == '\n';
			p = x.end;
			continue;
		}
		if (!lu_vec_push(&w->tokens, (struct lu_token){ x.hash, n.chars }))
			return lu_err_nomem(err);
		n.chars += x.chars;
		n.alpha += x.alpha;
		if (x.punctuation)
			count_mark(&n, &x, p);
		n.stops |= stop_bit(stops, x.hash);
		/* Most tokens are followed by one blank. */
		p = x.end + (x.end < end && *x.end == ' ');
	}
	tokens = w->tokens.n;
	if (!lu_vec_push(&w->tokens, (struct lu_token){ 0, n.chars }))
		return lu_err_nomem(err);
	w->value[LU_M_WORDS] = (double)(tokens - n.marks);
	w->value[LU_M_MEAN_WORD_LENGTH] = lu_ratio(n.chars - n.mark_chars, tokens - n.marks);
	w->value[LU_M_HASH_RATIO] = lu_ratio(n.hashes, tokens);
	w->value[LU_M_ELLIPSIS_RATIO] = lu_ratio(n.dots, tokens);
	w->value[LU_M_ALPHA_WORDS] = lu_ratio(n.alpha, tokens);
	w->value[LU_M_STOP_WORDS] = (double)__builtin_popcount(n.stops);
	w->value[LU_M_NEWLINE_RATIO] = lu_ratio(n.feeds, tokens);
	return 0;
}
