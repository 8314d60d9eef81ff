#include "libcommon/bpetrain/bpetrain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/map.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/learn.h"
#include "libcommon/tokenizer/byte_piece.h"

#define CODE_POINTS 0x110000
#define NO_ID UINT32_MAX

struct symbols LU_VEC(uint32_t);

struct trainer {
	const struct lu_bpe_train *options;
	struct lu_bpe_trained *out;
	struct lu_err *err;

	struct lu_map ids; /* over out->piece */
	uint32_t *chars;   /* length of a piece in characters, by id */
	uint32_t seeds, cap;
	struct lu_buf text;

	uint64_t unit;	      /* of counts */
	uint64_t *char_count; /* by code point */
	uint32_t *char_id;    /* by code point; NO_ID: not in the alphabet */

	/* As learn.h wants them; but code points until the alphabet is known, and then ids. */
	struct symbols sym;
	struct LU_VEC(struct lu_long_word) long_word;
	uint64_t memory;    /* limit for symbols and learning; 0: none */
	uint64_t discarded; /* symbols, once they do not fit */
	struct lu_bpe_learner learner;
};

/* --- pieces ------------------------------------------------------------------------------- */

static uint64_t piece_hash(const void *items, uint32_t i)
{
	const struct lu_str *piece = items;

	return lu_word_hash(piece[i]);
}

static bool piece_same(const void *items, uint32_t i, const void *key)
{
	const struct lu_str *piece = items;

	return lu_str_eq(piece[i], *(const struct lu_str *)key);
}

/* Id of a piece, or NO_ID. */
static uint32_t find_piece(const struct trainer *t, struct lu_str s)
{
	uint32_t id = lu_map_find(&t->ids, lu_word_hash(s), t->out->piece, piece_same, &s);

	return id == LU_MAP_NONE ? NO_ID : id;
}

static uint32_t find_char(const struct trainer *t, uint32_t c)
{
	char utf8[4];

	return find_piece(t, (struct lu_str){ utf8, lu_utf8_put(c, utf8) });
}

/* Add a new piece, which gets the next id. */
static int add_piece(struct trainer *t, struct lu_str s, uint32_t chars)
{
	struct lu_str kept = lu_arena_str(&t->out->arena, s);

	if (!kept.p || !lu_map_reserve(&t->ids, t->out->piece, piece_hash))
		return lu_err_nomem(t->err);
	LU_ASSERT(t->out->pieces < t->cap);
	t->out->piece[t->out->pieces] = kept;
	t->chars[t->out->pieces++] = chars;
	lu_map_add(&t->ids, lu_word_hash(kept));
	return 0;
}

static int add_seeds(struct trainer *t)
{
	const struct lu_bpe_train *o = t->options;
	size_t cap;

	if (!lu_add_size(o->vocab_size, o->seeds, &cap) || cap >= LU_SYM_MAX_IDS)
		return lu_err_set(t->err, "a vocabulary of %u pieces is too large", o->vocab_size);
	t->cap = (uint32_t)cap;
	t->chars = malloc(cap * sizeof(*t->chars) + 4);
	t->out->piece = malloc(cap * sizeof(*t->out->piece) + 1);
	if (!t->chars || !t->out->piece)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < o->seeds; i++) {
		const struct lu_str *seed = &o->seed[i];

		if (find_piece(t, *seed) == NO_ID &&
				add_piece(t, *seed, (uint32_t)lu_utf8_count(seed->p, seed->n)) < 0)
			return -1;
	}
	t->seeds = t->out->pieces;
	if (t->seeds > o->vocab_size)
		return lu_err_set(t->err,
				"a vocabulary of %u pieces is too small for %u special ones",
				o->vocab_size, t->seeds);
	return 0;
}

/* --- symbols ------------------------------------------------------------------------------ */

/* Memory for n symbols and what is learnt on them: 4 bytes for the symbol itself, and about 3 for
 * pairs and positions where a corpus is large. */
static uint64_t memory_for(uint64_t n)
{
	return n * 7;
}

static void put_count(struct symbols *s, uint64_t count)
{
	const uint64_t low = LU_SYM_MORE - 1;

	if (count >> 2 * LU_SYM_BITS)
		s->p[s->n++] = LU_SYM_BOUNDARY | (uint32_t)(count >> 2 * LU_SYM_BITS & low);
	if (count >> LU_SYM_BITS)
		s->p[s->n++] = LU_SYM_BOUNDARY | (uint32_t)(count >> LU_SYM_BITS & low) |
				(count >> 2 * LU_SYM_BITS ? LU_SYM_MORE : 0);
	s->p[s->n++] = LU_SYM_BOUNDARY | (uint32_t)(count & low) |
			(count >> LU_SYM_BITS ? LU_SYM_MORE : 0);
}

/* Append a word to the symbols of its part. */
static int append_word(
		void *ctx, void *local, struct lu_str word, uint64_t count, struct lu_err *err)
{
	const struct trainer *t = ctx;
	struct symbols *s = local;
	const char *p = word.p, *end = word.p + word.n;

	if (!lu_vec_reserve(s, word.n + 3))
		return lu_err_nomem(err);
	put_count(s, count);
	if (t->options->byte_level) {
		while (p < end)
			s->p[s->n++] = lu_byte_level_char((unsigned char)*p++);
	} else {
		while (p < end)
			s->p[s->n++] = lu_utf8_next(&p);
	}
	return 0;
}

static void release_symbols(void *local)
{
	lu_vec_release((struct symbols *)local);
}

/* Append the symbols of a part to all. */
static int append_part(void *ctx, void *local, struct lu_err *err)
{
	struct trainer *t = ctx;
	struct symbols *part = local;

	if (t->memory && memory_for(t->sym.n + part->n) > t->memory) {
		/* Go on without them, to tell how much memory is needed. */
		t->discarded += t->sym.n + part->n;
		t->sym.n = 0;
		release_symbols(part);
		return 0;
	}
	/* One more for the boundary at the end. */
	if (!lu_vec_reserve(&t->sym, part->n + 1))
		return lu_err_nomem(err);
	if (part->n)
		memcpy(t->sym.p + t->sym.n, part->p, part->n * sizeof(*part->p));
	t->sym.n += part->n;
	release_symbols(part);
	return t->sym.n < LU_SYM_BOUNDARY
			? 0
			: lu_err_set(err, "more than 2147483647 characters in distinct words");
}

/* Count of the word at `at`, from the boundary before it. */
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

static int count_chars(struct trainer *t)
{
	const uint32_t *sym = t->sym.p;
	uint64_t n = 0;

	t->char_count = calloc(CODE_POINTS, sizeof(*t->char_count));
	if (!t->char_count)
		return lu_err_nomem(t->err);
	for (size_t i = 0; i < t->sym.n; i++) {
		if (sym[i] < LU_SYM_BOUNDARY)
			t->char_count[sym[i]] += n;
		else if (i + 1 < t->sym.n && sym[i + 1] < LU_SYM_BOUNDARY)
			n = count_before(&sym[i + 1]);
	}
	return 0;
}

/* Lay out all words as code points, and count these. */
static int lay_out_words(struct trainer *t, struct lu_word_counts *counts)
{
	struct lu_word_counts_visitor r = { .ctx = t,
		.local_size = sizeof(struct symbols),
		.word = append_word,
		.end = append_part,
		.free_local = release_symbols };
	uint64_t n;

	t->unit = lu_word_counts_unit(counts);
	t->memory = counts->memory;
	lu_big_trim();
	if (lu_word_counts_visit(counts, &r, t->err) < 0)
		return -1;
	n = t->discarded + t->sym.n;
	if (t->discarded)
		return lu_err_set(t->err,
				"-m: the distinct words have %" PRIu64
				" characters, which needs about %" PRIu64 "M of memory",
				n, ((memory_for(n) + counts->base) >> 20) + 1);
	if (!lu_vec_push(&t->sym, LU_SYM_BOUNDARY))
		return lu_err_nomem(t->err);
	return count_chars(t);
}

/* Replace code points by ids, in place. Characters outside the alphabet are dropped, which makes
 * their neighbours adjacent, and so are words without a pair. */
static int encode_symbols(struct trainer *t)
{
	uint32_t *sym = t->sym.p;
	size_t to = 0;

	for (size_t i = 0; i < t->sym.n;) {
		size_t boundary = to, word;

		while (i < t->sym.n && sym[i] >= LU_SYM_BOUNDARY)
			sym[to++] = sym[i++];
		word = to;
		for (; i < t->sym.n && sym[i] < LU_SYM_BOUNDARY; i++) {
			uint32_t id = t->char_id[sym[i]];

			if (id != NO_ID)
				sym[to++] = id;
		}
		if (to - word < 2)
			to = boundary;
		else if (to - word > LU_LONG_WORD &&
				!lu_vec_push(&t->long_word,
						(struct lu_long_word){ word, to,
								count_before(sym + word) }))
			return lu_err_nomem(t->err);
	}
	sym[to++] = LU_SYM_BOUNDARY;
	t->sym.n = to;
	free(t->char_id);
	free(t->char_count);
	t->char_id = NULL;
	t->char_count = NULL;
	return 0;
}

/* --- alphabet ----------------------------------------------------------------------------- */

struct char_weight {
	uint32_t c;
	uint64_t weight;
};

static int by_weight(const void *x, const void *y)
{
	const struct char_weight *a = x, *b = y;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->c < b->c ? -1 : a->c > b->c;
}

static int by_code_point(const void *x, const void *y)
{
	const struct char_weight *a = x, *b = y;

	return a->c < b->c ? -1 : a->c > b->c;
}

/* List the characters that may be in the alphabet, weighted by count; the initial alphabet
 * outweighs all others. */
static int list_chars(struct trainer *t, struct char_weight **out, size_t *n)
{
	const struct lu_bpe_train *o = t->options;
	struct LU_VEC(struct char_weight) list = { 0 };
	uint8_t *initial = calloc(CODE_POINTS, 1);
	bool ok = initial;

	for (size_t i = 0; ok && i < o->initial_chars; i++) {
		if (o->initial_alphabet[i] < CODE_POINTS)
			initial[o->initial_alphabet[i]] = 1;
	}
	for (unsigned b = 0; ok && o->byte_level && b < 256; b++)
		initial[lu_byte_level_char(b)] = 1;
	for (uint32_t c = 0; ok && c < CODE_POINTS; c++) {
		if (t->char_count[c] || initial[c])
			ok = lu_vec_push(&list,
					(struct char_weight){ c,
							initial[c] ? UINT64_MAX
								   : t->char_count[c] });
	}
	free(initial);
	*out = list.p;
	*n = list.n;
	return ok ? 0 : lu_err_nomem(t->err);
}

/* How many of the characters, heaviest first, can stay. */
static size_t count_kept(struct trainer *t, const struct char_weight *list, size_t n)
{
	const struct lu_bpe_train *o = t->options;
	size_t limit = o->limit_alphabet && !o->byte_level ? o->limit_alphabet : n, keep;
	uint32_t room = o->vocab_size - t->out->pieces;

	for (keep = 0; keep < n && keep < limit; keep++) {
		if (find_char(t, list[keep].c) != NO_ID)
			continue;
		if (room == 0) {
			t->out->truncated = true;
			break;
		}
		room--;
	}
	return keep;
}

/* How many of the dropped characters are as heavy as the last one kept. */
static uint32_t count_tied(
		const struct trainer *t, const struct char_weight *list, size_t n, size_t keep)
{
	uint32_t tied = 0;

	for (size_t i = keep; keep && i < n && list[i].weight == list[keep - 1].weight; i++)
		tied += find_char(t, list[i].c) == NO_ID;
	return tied;
}

/* Give the first `keep` of the characters their ids, by code point. A dropped character that is a
 * seed has its piece all the same. */
static int assign_ids(struct trainer *t, struct char_weight *list, size_t n, size_t keep)
{
	t->char_id = malloc(CODE_POINTS * sizeof(*t->char_id));
	if (!t->char_id)
		return lu_err_nomem(t->err);
	memset(t->char_id, 0xff, CODE_POINTS * sizeof(*t->char_id));
	qsort(list, keep, sizeof(*list), by_code_point);
	for (size_t i = 0; i < n; i++) {
		uint32_t c = list[i].c;
		char utf8[4];
		struct lu_str s = { utf8, lu_utf8_put(c, utf8) };

		if (i < keep && find_piece(t, s) == NO_ID && add_piece(t, s, 1) < 0)
			return -1;
		t->char_id[c] = find_piece(t, s);
		if (t->char_id[c] != NO_ID)
			t->out->chars_kept += t->char_count[c];
	}
	return 0;
}

static int make_alphabet(struct trainer *t)
{
	struct char_weight *list;
	size_t n, keep;
	int rc = list_chars(t, &list, &n);

	if (rc < 0)
		goto out;
	if (n)
		qsort(list, n, sizeof(*list), by_weight);
	keep = count_kept(t, list, n);
	t->out->alphabet = (uint32_t)keep;
	t->out->tied = count_tied(t, list, n, keep);
	if (t->options->byte_level && keep < n)
		rc = lu_err_set(t->err, "a vocabulary of %u pieces is too small for 256 bytes",
				t->options->vocab_size);
	for (size_t i = 0; i < n; i++)
		t->out->chars += t->char_count[list[i].c];
	if (rc == 0)
		rc = assign_ids(t, list, n, keep);
	t->out->chars /= t->unit;
	t->out->chars_kept /= t->unit;
out:
	free(list);
	return rc;
}

/* --- merges ------------------------------------------------------------------------------- */

/* The learner's callback: the id of the piece that a merge makes. */
static int merged_piece(void *ctx, uint32_t left, uint32_t right, uint32_t *id, struct lu_err *err)
{
	struct trainer *t = ctx;
	const struct lu_bpe_train *o = t->options;
	struct lu_str text;

	lu_buf_clear(&t->text);
	lu_buf_str(&t->text, t->out->piece[left]);
	lu_buf_str(&t->text, t->out->piece[right]);
	if (lu_buf_check(&t->text, err) < 0)
		return -1;
	text = lu_buf_slice(&t->text);
	if (o->accept) {
		int rc = o->accept(o->accept_ctx, text, err);

		if (rc <= 0)
			return rc;
	}
	*id = find_piece(t, text);
	if (*id != NO_ID)
		return !o->protect_seeds || *id >= t->seeds;
	*id = t->out->pieces;
	if (add_piece(t, text, t->chars[left] + t->chars[right]) < 0)
		return -1;
	t->learner.ids = t->out->pieces;
	if (o->progress)
		o->progress(o->ctx, t->out->pieces);
	return 1;
}

static int learn(struct trainer *t)
{
	const struct lu_bpe_train *o = t->options;
	uint64_t least = o->min_frequency > 1 ? o->min_frequency : 1;
	int rc;

	if (__builtin_mul_overflow(least, t->unit, &least) || least > INT64_MAX)
		least = INT64_MAX;
	t->learner = (struct lu_bpe_learner){ .sym = t->sym.p,
		.n = t->sym.n,
		.long_word = t->long_word.p,
		.long_words = t->long_word.n,
		.ids = t->out->pieces,
		.max_ids = o->vocab_size,
		.chars = t->chars,
		.max_chars = o->max_chars,
		.least = least,
		.memory = t->memory,
		.piece = merged_piece,
		.ctx = t };
	lu_big_trim();
	rc = lu_bpe_learn(&t->learner, t->err);
	t->out->merge = t->learner.merge;
	t->out->merges = t->learner.merges;
	return rc;
}

static void release(struct trainer *t)
{
	lu_vec_release(&t->sym);
	lu_vec_release(&t->long_word);
	free(t->char_count);
	free(t->char_id);
	free(t->chars);
	lu_map_release(&t->ids);
	lu_buf_release(&t->text);
}

int lu_bpe_train(const struct lu_bpe_train *options, struct lu_word_counts *counts,
		struct lu_bpe_trained *out, struct lu_err *err)
{
	struct trainer t = { .options = options, .out = out, .err = err };
	int rc = -1;

	*out = (struct lu_bpe_trained){ 0 };
	if (add_seeds(&t) == 0 && lay_out_words(&t, counts) == 0 && make_alphabet(&t) == 0 &&
			encode_symbols(&t) == 0)
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
	free(out->merge);
	*out = (struct lu_bpe_trained){ 0 };
}
