#include "libcommon/minhash/shingle.h"

#include <stdlib.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/text/unicode.h"

/* The role of a character. */
enum {
	SPACE,	 /* separates words */
	NOTHING, /* ignored */
	WORD,	 /* part of a word, folded to one character */
	ALONE,	 /* a word by itself */
	SEVERAL, /* part of a word, folded to several characters */
};
#define KIND_SHIFT 24
#define KIND(entry) ((entry) >> KIND_SHIFT & 7)
#define NOT_PLAIN (UINT32_C(1) << 31)
#define CODE_MASK ((UINT32_C(1) << 21) - 1)

/* Planes 0 and 1, nearly everything that is written, have a table; the other planes ask ICU. */
#define TABLE 0x20000
#define FOLD_MAX 3 /* characters of the longest case folding in Unicode 15.0 */
#define SEVERAL_MAX 256

struct lu_shingler {
	uint32_t entry[TABLE]; /* kind and folded character; for SEVERAL: index below */
	struct several {
		uint32_t code[FOLD_MAX];
		size_t n;
	} several[SEVERAL_MAX];
	size_t severals;
};

static uint32_t kind_of(uint32_t c)
{
	switch (lu_unicode_category(c)) {
	case LU_CAT_LETTER:
	case LU_CAT_MARK:
	case LU_CAT_NUMBER: return lu_unicode_is_unspaced(c) ? ALONE : WORD;
	case LU_CAT_OTHER: return c < 0xA0 ? SPACE : NOTHING;
	default: return SPACE;
	}
}

/* Compute the entry of a character; *fold is its case folding where that has several. */
static int describe(uint32_t c, uint32_t *entry, struct several *fold, struct lu_buf *scratch,
		struct lu_err *err)
{
	uint32_t flags = lu_unicode_is_plain(LU_FORM_NFC, c) ? 0 : NOT_PLAIN;
	uint32_t kind = kind_of(c);
	const char *p;
	char utf8[4];

	*entry = flags | kind << KIND_SHIFT | c;
	if (lu_unicode_is_digit(c))
		*entry = flags | kind << KIND_SHIFT | '0';
	if (kind != WORD || lu_unicode_is_digit(c))
		return 0;
	lu_buf_clear(scratch);
	if (lu_unicode_fold((struct lu_str){ utf8, lu_utf8_put(c, utf8) }, scratch, err) < 0)
		return -1;
	fold->n = 0;
	for (p = scratch->p; p < scratch->p + scratch->n && fold->n < FOLD_MAX;)
		fold->code[fold->n++] = lu_utf8_next(&p);
	if (fold->n == 1)
		*entry = flags | kind << KIND_SHIFT | fold->code[0];
	else
		*entry = flags | (uint32_t)SEVERAL << KIND_SHIFT;
	return 0;
}

int lu_shingler_new(struct lu_shingler **out, struct lu_err *err)
{
	struct lu_shingler *s = calloc(1, sizeof(*s));
	struct lu_buf scratch = { 0 };
	int rc = -1;

	if (!s)
		return lu_err_nomem(err);
	for (uint32_t c = 0; c < TABLE; c++) {
		struct several fold;

		if (c >= 0xD800 && c < 0xE000)
			continue;
		if (describe(c, &s->entry[c], &fold, &scratch, err) < 0)
			goto out;
		if (KIND(s->entry[c]) == SEVERAL) {
			LU_ASSERT(s->severals < SEVERAL_MAX);
			s->entry[c] |= (uint32_t)s->severals;
			s->several[s->severals++] = fold;
		}
	}
	*out = s;
	s = NULL;
	rc = 0;
out:
	free(s);
	lu_buf_release(&scratch);
	return rc;
}

void lu_shingler_free(struct lu_shingler *s)
{
	free(s);
}

/* --- one text ----------------------------------------------------------------------------- */

/* An odd number with well-spread bits: 2^64 divided by the golden ratio. */
#define POLYNOMIAL UINT64_C(0x9E3779B97F4A7C15)

struct run {
	uint64_t word[LU_SHINGLE_WORDS]; /* the last words, oldest first */
	size_t words;			 /* so far, up to LU_SHINGLE_WORDS */
	uint64_t block[LU_SHINGLE_BLOCK];
	size_t n;
	lu_shingle_fn *fn;
	void *ctx;
};

/* fmix64 of MurmurHash3 (Appleby): each bit of the input affects each bit of the result. */
static uint64_t finalise(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

static inline void end_word(struct run *r, uint64_t hash)
{
	uint64_t h;

	for (size_t i = 1; i < LU_SHINGLE_WORDS; i++)
		r->word[i - 1] = r->word[i];
	r->word[LU_SHINGLE_WORDS - 1] = hash;
	if (r->words < LU_SHINGLE_WORDS && ++r->words < LU_SHINGLE_WORDS)
		return;
	h = r->word[0];
	for (size_t i = 1; i < LU_SHINGLE_WORDS; i++)
		h = h * POLYNOMIAL + r->word[i];
	r->block[r->n++] = finalise(h);
	if (r->n == LU_SHINGLE_BLOCK) {
		r->fn(r->ctx, r->block, r->n);
		r->n = 0;
	}
}

static inline uint64_t hash_code(uint64_t h, uint32_t c)
{
	return (h ^ c) * LU_FNV_PRIME;
}

static uint64_t hash_several(uint64_t h, const struct several *f)
{
	for (size_t i = 0; i < f->n; i++)
		h = hash_code(h, f->code[i]);
	return h;
}

static uint32_t look_up(const struct lu_shingler *s, uint32_t c)
{
	/* No character beyond the table has a case folding. */
	return c < TABLE ? s->entry[c] : kind_of(c) << KIND_SHIFT | c;
}

/* True if composition may change the text. No character below U+0300, whose first byte is 0xCC, is
 * affected. */
static bool needs_composing(const struct lu_shingler *s, struct lu_str text)
{
	const char *p = text.p, *end = text.p + text.n;

	while (p < end) {
		uint32_t c = (unsigned char)*p;

		if (c < 0xCC) {
			p++;
			continue;
		}
		c = lu_utf8_next(&p);
		if (c < TABLE ? (s->entry[c] & NOT_PLAIN) != 0
			      : !lu_unicode_is_plain(LU_FORM_NFC, c))
			return true;
	}
	return false;
}

static void scan(const struct lu_shingler *s, struct lu_str text, struct run *r)
{
	const char *p = text.p, *end = text.p + text.n;
	uint64_t h = LU_FNV_BASIS;

	while (p < end) {
		uint32_t c = (unsigned char)*p, e;

		if (c < 0x80)
			p++;
		else
			c = lu_utf8_next(&p);
		e = look_up(s, c);
		switch (KIND(e)) {
		case WORD: h = hash_code(h, e & CODE_MASK); continue;
		case NOTHING: continue;
		case SEVERAL: h = hash_several(h, &s->several[e & CODE_MASK]); continue;
		case ALONE:
			if (h != LU_FNV_BASIS)
				end_word(r, h);
			end_word(r, hash_code(LU_FNV_BASIS, e & CODE_MASK));
			break;
		default:
			if (h != LU_FNV_BASIS)
				end_word(r, h);
		}
		h = LU_FNV_BASIS;
	}
	if (h != LU_FNV_BASIS)
		end_word(r, h);
}

/* The text in NFC: itself, or a copy in `scratch`. */
static int compose(const struct lu_shingler *s, struct lu_str *text, struct lu_buf *scratch,
		struct lu_err *err)
{
	if (!needs_composing(s, *text))
		return 0;
	lu_buf_clear(scratch);
	if (lu_unicode_normalize(LU_FORM_NFC, *text, scratch, err) < 0)
		return -1;
	*text = lu_buf_slice(scratch);
	return 0;
}

int lu_shingles(const struct lu_shingler *s, struct lu_str text, struct lu_buf *scratch,
		lu_shingle_fn *fn, void *ctx, struct lu_err *err)
{
	struct run r = { .fn = fn, .ctx = ctx };
	struct lu_str composed = text;

	if (compose(s, &composed, scratch, err) < 0)
		return -1;
	scan(s, composed, &r);
	if (r.words < LU_SHINGLE_WORDS)
		r.block[r.n++] = lu_hash64(text.p, text.n, 0);
	if (r.n)
		fn(ctx, r.block, r.n);
	return 0;
}

/* --- words written out -------------------------------------------------------------------- */

/* End the word that began behind the last one; false when memory is out. */
static bool close_word(struct lu_folded_words *w, char *base, char **to)
{
	size_t end = (size_t)(*to - base);

	if (end == (w->end.n ? w->end.p[w->end.n - 1] + 1 : 0))
		return true;
	*(*to)++ = ' ';
	return lu_vec_push(&w->end, end);
}

/* Append the case folding of a character to what is at `to`. */
static char *put_folded(const struct lu_shingler *s, uint32_t c, uint32_t e, char *to)
{
	const struct several *f;

	if (KIND(e) != SEVERAL)
		return to + lu_utf8_put(lu_unicode_is_digit(c) ? c : e & CODE_MASK, to);
	f = &s->several[e & CODE_MASK];
	for (size_t i = 0; i < f->n; i++)
		to += lu_utf8_put(f->code[i], to);
	return to;
}

int lu_fold_words(const struct lu_shingler *s, struct lu_str text, struct lu_buf *scratch,
		struct lu_folded_words *w, struct lu_err *err)
{
	const char *p, *end;
	char *to;

	w->end.n = 0;
	lu_buf_clear(&w->text);
	if (compose(s, &text, scratch, err) < 0)
		return -1;
	/* Folding makes at most three bytes of one (U+0390, 2 bytes, becomes 6), and a character
	 * that is a word by itself has three bytes and gets a blank. */
	if (text.n > SIZE_MAX / 4 || !lu_buf_reserve(&w->text, 3 * text.n + 4))
		return lu_err_nomem(err);
	p = text.p, end = p + text.n, to = w->text.p;
	while (p < end) {
		uint32_t c = (unsigned char)*p, e;

		if (c < 0x80)
			p++;
		else
			c = lu_utf8_next(&p);
		e = look_up(s, c);
		if (KIND(e) == NOTHING)
			continue;
		if (c < 0x80 && KIND(e) == WORD) {
			*to++ = (char)(c >= '0' && c <= '9' ? c : e & CODE_MASK);
			continue;
		}
		if (KIND(e) != WORD && KIND(e) != SEVERAL && !close_word(w, w->text.p, &to))
			return lu_err_nomem(err);
		if (KIND(e) != SPACE)
			to = put_folded(s, c, e, to);
		if (KIND(e) == ALONE && !close_word(w, w->text.p, &to))
			return lu_err_nomem(err);
	}
	if (!close_word(w, w->text.p, &to))
		return lu_err_nomem(err);
	w->text.n = (size_t)(to - w->text.p);
	return 0;
}

void lu_folded_words_release(struct lu_folded_words *w)
{
	lu_buf_release(&w->text);
	lu_vec_release(&w->end);
}
