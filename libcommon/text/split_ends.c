#include "libcommon/text/split_ends.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "libcommon/base/utf8.h"

/* Classes of the bytes of a window, bit n for byte n; all bytes of a character have its class. */
struct window {
	const char *p;
	uint64_t exists; /* in the text */
	uint64_t letter, number;
	uint64_t space;	 /* U+0020 */
	uint64_t blank;	 /* white space, line ends too */
	uint64_t line;	 /* CR, LF */
	uint64_t quote;	 /* the apostrophe */
	uint64_t symbol; /* the rest */
	uint64_t high;	 /* beyond ASCII */
	uint64_t inner;	 /* not the first byte of a character */
	uint64_t hard;	 /* first bytes of numbers beyond ASCII */
};

/* --- classes ------------------------------------------------------------------------------ */

#ifdef __SSE2__
static inline uint64_t bits_of(__m128i v, unsigned k)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(v) << k;
}

/* Bytes from `from` to from + n - 1. */
static inline __m128i in_range(__m128i v, char from, char n)
{
	__m128i offset = _mm_sub_epi8(v, _mm_set1_epi8(from));

	return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8((char)(n - 1))), offset);
}

static inline __m128i equal(__m128i v, char c)
{
	return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

static inline __m128i load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* The classes of ASCII. */
static inline void classify_ascii(struct window *w, unsigned n)
{
	for (unsigned k = 0; k < n; k += 16) {
		__m128i v = load(w->p + k);

		w->letter |= bits_of(in_range(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 26), k);
		w->number |= bits_of(in_range(v, '0', 10), k);
		w->space |= bits_of(equal(v, ' '), k);
		w->blank |= bits_of(in_range(v, '\t', 5), k);
		w->line |= bits_of(_mm_or_si128(equal(v, '\r'), equal(v, '\n')), k);
		w->quote |= bits_of(equal(v, '\''), k);
		w->high |= bits_of(v, k);
	}
}

/* Find the inner bytes, and the first bytes of U+00C0 to U+00FF but for the two that are no letters:
 * most of what is beyond ASCII in Western European text. The next byte must be in the window. */
static inline uint64_t find_latin(struct window *w, unsigned n)
{
	uint64_t first = 0, no_letter = 0;

	for (unsigned k = 0; k < n; k += 16) {
		__m128i v = load(w->p + k);

		w->inner |= bits_of(_mm_cmplt_epi8(v, _mm_set1_epi8((char)0xC0)), k);
		first |= bits_of(equal(v, (char)0xC3), k);
		no_letter |= bits_of(_mm_or_si128(equal(v, (char)0x97), equal(v, (char)0xB7)), k);
	}
	return first & ~(no_letter >> 1) & ~(UINT64_C(1) << 63);
}
#else
static void classify_ascii(struct window *w, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		unsigned char c = (unsigned char)w->p[k];

		w->letter |= (uint64_t)((unsigned char)((c | 0x20) - 'a') < 26) << k;
		w->number |= (uint64_t)((unsigned char)(c - '0') < 10) << k;
		w->space |= (uint64_t)(c == ' ') << k;
		w->blank |= (uint64_t)((unsigned char)(c - '\t') < 5) << k;
		w->line |= (uint64_t)(c == '\r' || c == '\n') << k;
		w->quote |= (uint64_t)(c == '\'') << k;
		w->high |= (uint64_t)(c >> 7) << k;
	}
}

static uint64_t find_latin(struct window *w, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		w->inner |= (uint64_t)(((unsigned char)w->p[k] & 0xC0) == 0x80) << k;
	return 0;
}
#endif

/* The classes of characters beyond ASCII. */
static void classify_high(struct window *w, const struct lu_frozen_unicode *u, unsigned n)
{
	uint64_t latin = find_latin(w, n) & w->exists;

	w->inner &= w->exists;
	w->letter |= latin | latin << 1;
	for (uint64_t rest = w->high & ~w->inner & ~latin; rest; rest &= rest - 1) {
		unsigned at = (unsigned)__builtin_ctzll(rest);
		const char *p = w->p + at, *next = p;
		unsigned class = lu_frozen_class(u, lu_utf8_next(&next));
		uint64_t bytes = ((UINT64_C(1) << (next - p)) - 1) << at;

		w->letter |= class & LU_FROZEN_LETTER ? bytes : 0;
		w->number |= class & LU_FROZEN_NUMBER ? bytes : 0;
		w->blank |= class & LU_FROZEN_SPACE ? bytes : 0;
		w->hard |= class & LU_FROZEN_NUMBER ? bytes & -bytes : 0;
	}
}

static inline void load_window(
		struct window *w, const struct lu_frozen_unicode *u, const char *p, unsigned n)
{
	*w = (struct window){ .p = p, .exists = UINT64_MAX >> (64 - n) };
	if (n == 64)
		classify_ascii(w, 64);
	else
		classify_ascii(w, n);
	w->letter &= w->exists;
	w->number &= w->exists;
	w->space &= w->exists;
	w->blank = (w->blank | w->space) & w->exists;
	w->line &= w->exists;
	w->quote &= w->exists;
	w->high &= w->exists;
	if (w->high)
		classify_high(w, u, n);
	w->symbol = w->exists & ~(w->letter | w->number | w->blank);
}

/* --- beginnings of matches ---------------------------------------------------------------- */

static inline uint64_t first_of_run(uint64_t class)
{
	return class & ~(class << 1);
}

/* First bytes of the last characters of runs of blanks that something else follows. */
static inline uint64_t last_blanks(const struct window *w, uint64_t blank)
{
	uint64_t last = blank & ~(w->blank >> 1) & (w->exists >> 1);
	uint64_t inner = last & w->inner;

	/* A blank beyond ASCII has two or three bytes. */
	last &= ~inner;
	inner >>= 1;
	last |= inner & ~w->inner;
	return last | (inner & w->inner) >> 1;
}

/* Move the beginnings behind contractions, where letters go on: those of the apostrophes in `quote`,
 * which letters follow. */
static inline uint64_t add_contractions(
		const struct window *w, const char *end, uint64_t quote, bool fold, uint64_t begin)
{
	for (; quote; quote &= quote - 1) {
		unsigned at = (unsigned)__builtin_ctzll(quote);
		size_t n = lu_split_contraction(w->p + at, end, fold);

		if (n == 0)
			continue;
		begin &= ~(quote & -quote) << 1 | 1;
		if (at + n < 64)
			begin |= UINT64_C(1) << (at + n) & w->letter;
	}
	return begin;
}

/* The beginnings of matches of GPT-2's expression. A space belongs to the run behind it. */
static inline uint64_t begin_gpt2(const struct window *w, const char *end)
{
	uint64_t not_after_space = ~(w->space << 1);
	uint64_t begin =
			first_of_run(w->letter) | first_of_run(w->number) | first_of_run(w->symbol);
	uint64_t quote = w->quote & first_of_run(w->symbol) & not_after_space & w->letter >> 1;

	begin &= not_after_space;
	begin |= first_of_run(w->blank) | last_blanks(w, w->blank);
	return quote ? add_contractions(w, end, quote, false, begin) : begin;
}

/* The same in numbers of up to `digits` characters. */
static inline uint64_t begin_numbers(const struct window *w, unsigned digits)
{
	uint64_t begin = first_of_run(w->number), third;

	if (digits == 1)
		return w->number & ~w->inner;
	third = w->number & w->number << 1 & w->number << 2 & w->number << 3;
	for (uint64_t from = begin; third && (from = from << 3 & third);)
		begin |= from;
	return begin;
}

/* The same in white space, for the later expressions. */
static inline uint64_t begin_blanks(const struct window *w)
{
	uint64_t after_symbol = w->line & w->symbol << 1;
	/* Line ends behind symbols belong to those: an addition carries through each such run. */
	uint64_t eaten = w->line & ~(w->line + after_symbol);
	uint64_t blank = w->blank & ~w->line;
	uint64_t begin = w->line & (w->letter | w->number) << 1;
	uint64_t indent = blank & (w->line & ~eaten) << 1, late;

	begin |= blank & (w->letter | w->number | w->symbol | eaten) << 1;
	/* Blanks behind the last line end of a run begin a match, but not before a further one. */
	late = (blank + indent) & ~blank & w->line;
	for (; late; late &= late - 1) {
		uint64_t before = (late & -late) - 1;
		uint64_t other = before & ~blank;

		indent &= ~before | (other ? UINT64_MAX >> __builtin_clzll(other) : 0);
	}
	return begin | indent | last_blanks(w, blank);
}

/* The same for the later expressions. One character that is no letter, number or line end may lead a
 * word: the last blank, or a symbol without others beside it and without a space before. */
static inline uint64_t begin_later(const struct window *w, const char *end, unsigned digits)
{
	uint64_t symbols = first_of_run(w->symbol) & ~(w->space << 1), lead = symbols, begin;
	uint64_t quote = w->quote & symbols & w->letter >> 1;

	lead |= lead << 1 & w->inner;
	lead |= lead << 1 & w->inner;
	lead |= lead << 1 & w->inner;
	lead |= w->blank & ~w->line;
	begin = (first_of_run(w->letter) & ~(lead << 1)) | symbols | begin_numbers(w, digits) |
			begin_blanks(w);
	return quote ? add_contractions(w, end, quote, true, begin) : begin;
}

/* --- ends --------------------------------------------------------------------------------- */

/* What a window says: where matches begin in it, but for its own, and whether that is all of them up to
 * the end of the text. */
struct found {
	uint64_t begin;
	bool all;
};

static inline struct found search_window(
		const struct lu_frozen_unicode *u, const char *p, const char *end, unsigned digits)
{
	unsigned n = end - p < 64 ? (unsigned)(end - p) : 64;
	struct window w;
	struct found f = { .all = p + n == end };
	uint64_t other;

	load_window(&w, u, p, n);
	f.begin = (digits ? begin_later(&w, end, digits) : begin_gpt2(&w, end)) & ~UINT64_C(1);
	/* Blanks that go on behind the window may be a match or two. */
	other = ~w.blank;
	if (!f.all && !(other >> 63))
		f.begin &= other ? (UINT64_MAX >> __builtin_clzll(other)) * 2 + 1 : 0;
	/* Three numbers may be any number of bytes. */
	if (digits > 1 && w.hard) {
		f.begin &= (w.hard & -w.hard) * 2 - 1;
		f.all = false;
	}
	return f;
}

/* As lu_split_regex_ends(); digits is 0 for GPT-2. */
static inline size_t find_ends(enum lu_split_regex regex, const struct lu_frozen_unicode *u,
		const char *p, const char *end, const char **ends, size_t max, unsigned digits)
{
	struct found f = { 0 };
	size_t n = 0;

	if (p < end)
		f = search_window(u, p, end, digits);
	while (p < end && (n == 0 || max - n >= 64)) {
		const char *from = p;
		uint64_t begin = f.begin;
		bool all = f.all, last = all || !begin;

		/* Search the next window before the ends of this one are written: how many they are is
		 * a misprediction, which the search need not wait for. */
		p = all			? end
				: begin ? p + 63 - __builtin_clzll(begin)
					: p + lu_split_regex_match(regex, u, p, end);
		if (p < end)
			f = search_window(u, p, end, digits);
		for (; begin && n < max; begin &= begin - 1)
			ends[n++] = from + __builtin_ctzll(begin);
		if (last && n < max)
			ends[n++] = p;
	}
	return n;
}

size_t lu_split_regex_ends(enum lu_split_regex regex, const struct lu_frozen_unicode *u,
		const char *p, const char *end, const char **ends, size_t max)
{
	size_t n = 0;

	switch (regex) {
	case LU_SPLIT_GPT2: return find_ends(regex, u, p, end, ends, max, 0);
	case LU_SPLIT_CL100K: return find_ends(regex, u, p, end, ends, max, 3);
	case LU_SPLIT_QWEN2: return find_ends(regex, u, p, end, ends, max, 1);
	default: break;
	}
	while (p < end && n < max) {
		p += lu_split_regex_match(regex, u, p, end);
		ends[n++] = p;
	}
	return n;
}
