#include "libcommon/bpetrain/bpetrain.h"

#include <stdlib.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/bpetrain/learn.h"
#include "libcommon/tokenizer/components.h"

#define CODE_POINTS 0x110000
#define NO_ID UINT32_MAX

struct train {
	const struct lu_bpe_train *set;
	struct lu_bpe_trained *out;
	struct lu_err *err;

	uint32_t *slot; /* piece -> id + 1 */
	size_t slots;
	uint32_t *chars; /* length of a piece in characters, by id */
	uint32_t seeds, cap;
	struct lu_buf text;

	uint64_t unit;	   /* of counts */
	uint64_t *letter;  /* count by code point */
	uint32_t *char_id; /* by code point; NO_ID: not in the alphabet */

	/* learn.h; code points first, ids when the alphabet is known. */
	uint32_t *sym;
	size_t n, sym_cap;
	struct lu_long_word *long_word;
	size_t long_words, long_cap;
	uint64_t memory;   /* for symbols and learning; 0: any */
	uint64_t too_many; /* symbols, once they do not fit */
	struct lu_bpe_learner learn;
};

/* --- pieces ------------------------------------------------------------------------------- */

static size_t piece_slot(const struct train *t, struct lu_str s)
{
	size_t k = lu_word_hash(s) & (t->slots - 1);

	while (t->slot[k] && !lu_str_eq(t->out->piece[t->slot[k] - 1], s))
		k = (k + 1) & (t->slots - 1);
	return k;
}

static bool has_piece(const struct train *t, struct lu_str s)
{
	return t->slot[piece_slot(t, s)] != 0;
}

/* The next id for s, which is new. */
static int add_piece(struct train *t, struct lu_str s, uint32_t chars)
{
	struct lu_str kept = lu_arena_str(&t->out->arena, s);

	if (!kept.p)
		return lu_err_nomem(t->err);
	LU_ASSERT(t->out->pieces < t->cap);
	t->slot[piece_slot(t, s)] = t->out->pieces + 1;
	t->chars[t->out->pieces] = chars;
	t->out->piece[t->out->pieces++] = kept;
	return 0;
}

static int start_pieces(struct train *t)
{
	const struct lu_bpe_train *set = t->set;
	size_t cap;

	if (!lu_add_size(set->vocab_size, set->seeds, &cap) || cap >= LU_SYM_MAX_IDS)
		return lu_err_set(
				t->err, "a vocabulary of %u pieces is too large", set->vocab_size);
	t->cap = (uint32_t)cap;
	for (t->slots = 1 << 10; t->slots < cap * 2;)
		t->slots *= 2;
	t->slot = calloc(t->slots, sizeof(*t->slot));
	t->chars = malloc(cap * sizeof(*t->chars) + 4);
	t->out->piece = malloc(cap * sizeof(*t->out->piece) + 1);
	if (!t->slot || !t->chars || !t->out->piece)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < set->seeds; i++) {
		const struct lu_str *seed = &set->seed[i];

		if (!has_piece(t, *seed) &&
				add_piece(t, *seed, (uint32_t)lu_utf8_count(seed->p, seed->n)) < 0)
			return -1;
	}
	t->seeds = t->out->pieces;
	return t->out->pieces <= set->vocab_size ? 0
						 : lu_err_set(t->err,
								   "a vocabulary of %u pieces is "
								   "too small for %u special ones",
								   set->vocab_size, t->out->pieces);
}

/* --- alphabet ----------------------------------------------------------------------------- */

struct letter {
	uint32_t c;
	uint64_t count;
};

static int by_count(const void *x, const void *y)
{
	const struct letter *a = x, *b = y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->c < b->c ? -1 : a->c > b->c;
}

static int by_code(const void *x, const void *y)
{
	const struct letter *a = x, *b = y;

	return a->c < b->c ? -1 : a->c > b->c;
}

/* The letters with their counts as weights: those wanted in any case before all others. */
static int letters(struct train *t, struct letter **out, size_t *n)
{
	struct letter *list;
	uint8_t *initial = calloc(CODE_POINTS, 1);
	size_t k = 0;

	*out = NULL;
	*n = 0;
	if (!initial)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < t->set->initials; i++) {
		if (t->set->initial[i] < CODE_POINTS)
			initial[t->set->initial[i]] = 1;
	}
	for (unsigned b = 0; t->set->byte_level && b < 256; b++)
		initial[lu_byte_char(b)] = 1;
	for (uint32_t c = 0; c < CODE_POINTS; c++)
		k += t->letter[c] || initial[c];
	list = malloc((k + 1) * sizeof(*list));
	if (list) {
		for (uint32_t c = 0; c < CODE_POINTS; c++) {
			if (t->letter[c] || initial[c])
				list[(*n)++] = (struct letter){ c,
					initial[c] ? UINT64_MAX : t->letter[c] };
		}
	}
	free(initial);
	*out = list;
	return list ? 0 : lu_err_nomem(t->err);
}

/* How many of the letters, most frequent first, can stay. */
static size_t count_kept(struct train *t, const struct letter *list, size_t n)
{
	size_t limit = t->set->limit_alphabet && !t->set->byte_level ? t->set->limit_alphabet : n;
	uint32_t room = t->set->vocab_size - t->out->pieces;
	size_t keep;

	for (keep = 0; keep < n && keep < limit; keep++) {
		char utf8[4];

		if (has_piece(t, (struct lu_str){ utf8, lu_utf8_put(list[keep].c, utf8) }))
			continue;
		if (room == 0) {
			t->out->squeezed = true;
			break;
		}
		room--;
	}
	return keep;
}

/* How many of those that cannot stay occur as often as the last that can. */
static uint32_t count_tied(const struct train *t, const struct letter *list, size_t n, size_t keep)
{
	uint32_t tied = 0;

	for (size_t i = keep; keep && i < n && list[i].count == list[keep - 1].count; i++) {
		char utf8[4];

		tied += !has_piece(t, (struct lu_str){ utf8, lu_utf8_put(list[i].c, utf8) });
	}
	return tied;
}

static int make_alphabet(struct train *t)
{
	struct letter *list;
	size_t n, keep;
	int rc = -1;

	if (letters(t, &list, &n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		t->out->chars += t->letter[list[i].c];
	qsort(list, n, sizeof(*list), by_count);
	keep = count_kept(t, list, n);
	t->out->tied = count_tied(t, list, n, keep);
	qsort(list, keep, sizeof(*list), by_code);
	if (t->set->byte_level && keep < n) {
		lu_err_set(t->err, "a vocabulary of %u pieces is too small for 256 bytes",
				t->set->vocab_size);
		goto out;
	}
	t->char_id = malloc(CODE_POINTS * sizeof(*t->char_id));
	if (!t->char_id) {
		lu_err_nomem(t->err);
		goto out;
	}
	memset(t->char_id, 0xff, CODE_POINTS * sizeof(*t->char_id));
	t->out->alphabet = (uint32_t)keep;
	for (size_t i = 0; i < keep; i++) {
		char utf8[4];
		struct lu_str s = { utf8, lu_utf8_put(list[i].c, utf8) };

		t->out->chars_kept += t->letter[list[i].c];
		if (!has_piece(t, s) && add_piece(t, s, 1) < 0)
			goto out;
		t->char_id[list[i].c] = t->slot[piece_slot(t, s)] - 1;
	}
	/* A character that is a seed has its piece whatever the limit. */
	for (size_t i = keep; i < n; i++) {
		char utf8[4];
		struct lu_str s = { utf8, lu_utf8_put(list[i].c, utf8) };

		if (has_piece(t, s)) {
			t->out->chars_kept += t->letter[list[i].c];
			t->char_id[list[i].c] = t->slot[piece_slot(t, s)] - 1;
		}
	}
	t->out->chars /= t->unit;
	t->out->chars_kept /= t->unit;
	rc = 0;
out:
	free(list);
	return rc;
}

/* --- layout ------------------------------------------------------------------------------- */

/* Bytes for n symbols and what is learnt on them: 4 for the symbol itself, and for pairs and places
 * about 3 where a corpus is large. */
#define NEED(n) ((uint64_t)(n)*7)

/* Words of one part of the counting, as they will stand in train.sym. */
struct chunk {
	uint32_t *sym;
	size_t n, cap;
};

static int room(uint32_t **sym, size_t *cap, size_t n, size_t more, struct lu_err *err)
{
	size_t want = *cap + *cap / 2, bytes;
	uint32_t *p;

	if (*cap - n >= more)
		return 0;
	if (want < n + more)
		want = n + more + 256;
	p = lu_mul_size(want, sizeof(*p), &bytes) ? realloc(*sym, bytes) : NULL;
	if (!p)
		return lu_err_nomem(err);
	*sym = p;
	*cap = want;
	return 0;
}

static void put_count(struct chunk *c, uint64_t count)
{
	const uint64_t low = LU_SYM_MORE - 1;

	if (count >> 2 * LU_SYM_BITS)
		c->sym[c->n++] = LU_SYM_BOUNDARY | (uint32_t)(count >> 2 * LU_SYM_BITS & low);
	if (count >> LU_SYM_BITS)
		c->sym[c->n++] = LU_SYM_BOUNDARY | (uint32_t)(count >> LU_SYM_BITS & low) |
				(count >> 2 * LU_SYM_BITS ? LU_SYM_MORE : 0);
	c->sym[c->n++] = LU_SYM_BOUNDARY | (uint32_t)(count & low) |
			(count >> LU_SYM_BITS ? LU_SYM_MORE : 0);
}

static int add_word(void *ctx, void *local, struct lu_str word, uint64_t count, struct lu_err *err)
{
	const struct train *t = ctx;
	struct chunk *c = local;
	const char *p = word.p, *end = word.p + word.n;

	if (room(&c->sym, &c->cap, c->n, word.n + 3, err) < 0)
		return -1;
	put_count(c, count);
	if (t->set->byte_level) {
		while (p < end)
			c->sym[c->n++] = lu_byte_char((unsigned char)*p++);
	} else {
		while (p < end)
			c->sym[c->n++] = lu_utf8_next(&p);
	}
	return 0;
}

static void free_chunk(void *local)
{
	struct chunk *c = local;

	free(c->sym);
	*c = (struct chunk){ 0 };
}

static int add_chunk(void *ctx, void *local, struct lu_err *err)
{
	struct train *t = ctx;
	struct chunk *c = local;

	if (t->memory && NEED(t->n + c->n) > t->memory) {
		/* Goes on without keeping them, to say how much would do. */
		t->too_many += t->n + c->n;
		t->n = 0;
		free_chunk(c);
		return 0;
	}
	/* One more for the border at the end. */
	if (room(&t->sym, &t->sym_cap, t->n, c->n + 1, err) < 0)
		return -1;
	if (c->n)
		memcpy(t->sym + t->n, c->sym, c->n * sizeof(*c->sym));
	t->n += c->n;
	free_chunk(c);
	return t->n < LU_SYM_BOUNDARY
			? 0
			: lu_err_set(err, "more than 2147483647 characters in distinct words");
}

static uint64_t count_before(const uint32_t *at)
{
	uint64_t count = 0;
	unsigned shift = 0;

	do {
		count |= (uint64_t)(*--at & (LU_SYM_MORE - 1)) << shift;
		shift += LU_SYM_BITS;
	} while (*at & LU_SYM_MORE);
	return count;
}

/* All words as code points, and how often each occurs. */
static int lay_out(struct train *t, struct lu_tokcount *count)
{
	struct lu_tokcount_reader r = { .ctx = t,
		.local_size = sizeof(struct chunk),
		.word = add_word,
		.end = add_chunk,
		.free_local = free_chunk };
	uint64_t n = 0;

	t->unit = lu_tokcount_unit(count);
	t->memory = count->memory;
	lu_big_trim();
	if (lu_tokcount_each(count, &r, t->err) < 0)
		return -1;
	if (t->too_many)
		return lu_err_set(t->err,
				"-m: the distinct words have %llu characters, for which about "
				"%lluM of "
				"memory "
				"would do",
				(unsigned long long)(t->too_many + t->n),
				(unsigned long long)((NEED(t->too_many + t->n) + count->base) >>
						20) +
						1);
	if (room(&t->sym, &t->sym_cap, t->n, 1, t->err) < 0)
		return -1;
	t->sym[t->n++] = LU_SYM_BOUNDARY;
	t->letter = calloc(CODE_POINTS, sizeof(*t->letter));
	if (!t->letter)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < t->n; i++) {
		if (t->sym[i] < LU_SYM_BOUNDARY)
			t->letter[t->sym[i]] += n;
		else if (i + 1 < t->n && t->sym[i + 1] < LU_SYM_BOUNDARY)
			n = count_before(&t->sym[i + 1]);
	}
	return 0;
}

static int note_long_word(struct train *t, size_t from, size_t to)
{
	if (t->long_words == t->long_cap) {
		size_t cap = t->long_cap ? t->long_cap * 2 : 64;
		struct lu_long_word *p = realloc(t->long_word, cap * sizeof(*p));

		if (!p)
			return lu_err_nomem(t->err);
		t->long_word = p;
		t->long_cap = cap;
	}
	t->long_word[t->long_words++] =
			(struct lu_long_word){ from, to, count_before(t->sym + from) };
	return 0;
}

/* Code points become ids, in place. What is not in the alphabet goes, and its neighbours meet;
 * so do words without a pair. */
static int to_ids(struct train *t)
{
	size_t to = 0;

	for (size_t i = 0; i < t->n;) {
		size_t border = to, word;

		while (i < t->n && t->sym[i] >= LU_SYM_BOUNDARY)
			t->sym[to++] = t->sym[i++];
		word = to;
		for (; i < t->n && t->sym[i] < LU_SYM_BOUNDARY; i++) {
			uint32_t id = t->char_id[t->sym[i]];

			if (id != NO_ID)
				t->sym[to++] = id;
		}
		if (to - word < 2)
			to = border;
		else if (to - word > LU_LONG_WORD && note_long_word(t, word, to) < 0)
			return -1;
	}
	t->sym[to++] = LU_SYM_BOUNDARY;
	t->n = to;
	free(t->char_id);
	free(t->letter);
	t->char_id = NULL;
	t->letter = NULL;
	return 0;
}

/* --- merging ------------------------------------------------------------------------------ */

/* What the merged pair becomes: learn.h. */
static int piece_of(void *ctx, uint32_t a, uint32_t b, uint32_t *id, struct lu_err *err)
{
	struct train *t = ctx;
	size_t k;

	lu_buf_clear(&t->text);
	lu_buf_str(&t->text, t->out->piece[a]);
	lu_buf_str(&t->text, t->out->piece[b]);
	if (lu_buf_check(&t->text, err) < 0)
		return -1;
	if (t->set->keep) {
		int kept = t->set->keep(t->set->keep_ctx, lu_buf_slice(&t->text), err);

		if (kept <= 0)
			return kept;
	}
	k = piece_slot(t, lu_buf_slice(&t->text));
	if (t->slot[k]) {
		*id = t->slot[k] - 1;
		return !t->set->seeds_apart || *id >= t->seeds;
	}
	*id = t->out->pieces;
	if (add_piece(t, lu_buf_slice(&t->text), t->chars[a] + t->chars[b]) < 0)
		return -1;
	t->learn.ids = t->out->pieces;
	if (t->set->tick)
		t->set->tick(t->set->ctx, t->out->pieces);
	return 1;
}

static int learn(struct train *t)
{
	uint64_t least = t->set->min_frequency > 1 ? t->set->min_frequency : 1;

	if (__builtin_mul_overflow(least, t->unit, &least) || least > INT64_MAX)
		least = INT64_MAX;
	t->learn = (struct lu_bpe_learner){ .sym = t->sym,
		.n = t->n,
		.long_word = t->long_word,
		.long_words = t->long_words,
		.ids = t->out->pieces,
		.max_ids = t->set->vocab_size,
		.chars = t->chars,
		.max_chars = t->set->max_chars,
		.least = least,
		.memory = t->memory,
		.piece = piece_of,
		.ctx = t };
	lu_big_trim();
	if (lu_bpe_learn(&t->learn, t->err) < 0)
		return -1;
	t->out->pair = t->learn.merge;
	t->out->merges = t->learn.merges;
	t->learn.merge = NULL;
	return 0;
}

static void release(struct train *t)
{
	free(t->learn.merge);
	free(t->sym);
	free(t->long_word);
	free(t->letter);
	free(t->char_id);
	free(t->chars);
	free(t->slot);
	lu_buf_release(&t->text);
}

int lu_bpe_train(const struct lu_bpe_train *tr, struct lu_tokcount *count,
		struct lu_bpe_trained *out, struct lu_err *err)
{
	struct train t = { .set = tr, .out = out, .err = err };
	int rc = -1;

	*out = (struct lu_bpe_trained){ 0 };
	if (start_pieces(&t) == 0 && lay_out(&t, count) == 0 && make_alphabet(&t) == 0 &&
			to_ids(&t) == 0)
		rc = learn(&t);
	release(&t);
	if (rc < 0)
		lu_bpe_trained_release(out);
	return rc;
}

void lu_bpe_trained_release(struct lu_bpe_trained *out)
{
	lu_arena_release(&out->arena);
	free(out->piece);
	free(out->pair);
	*out = (struct lu_bpe_trained){ 0 };
}
