/* Cuts a word where no merge can reach over, and remembers what the chunks gave. */
#include <stdlib.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/bpe.h"

/* 16 and 4 MiB: on 115 MB of French twice the entries of half of it save a sixth of the time. */
#define SMALL_BITS 19
#define LARGE_BITS 16
#define ID_BITS 24
#define ID_MASK ((UINT32_C(1) << ID_BITS) - 1)
#define SMALL_IDS 4
#define TOO_MANY 0xFF /* in the place of their number: the large entry has them */

int lu_bpe_state_init(struct lu_bpe_state *s, struct lu_err *err)
{
	*s = (struct lu_bpe_state){ .window = 1024 };
	s->small = lu_big_alloc(sizeof(*s->small) << SMALL_BITS);
	s->large = lu_big_alloc(sizeof(*s->large) << LARGE_BITS);
	if (!s->small || !s->large) {
		lu_bpe_state_release(s);
		return lu_err_nomem(err);
	}
	return 0;
}

void lu_bpe_state_release(struct lu_bpe_state *s)
{
	free(s->small);
	free(s->large);
	free(s->sym);
	free(s->heap);
	free(s->row.id);
	free(s->row.at);
	free(s->next.id);
	free(s->next.at);
	lu_buf_release(&s->spelled);
	*s = (struct lu_bpe_state){ 0 };
}

/* --- units -------------------------------------------------------------------------------- */

static inline bool can_cut(const struct lu_bpe *b, uint32_t x, uint32_t y)
{
	if ((x | y) < LU_BPE_SMALL)
		return b->apart[x][y];
	return lu_bpe_can_cut(b, x, y);
}

bool lu_bpe_can_cut(const struct lu_bpe *b, uint32_t x, uint32_t y)
{
	size_t bit;

	if ((x | y) < LU_BPE_SMALL)
		return b->apart[x][y];
	bit = lu_bpe_seam_bit(b, x, y);
	if (b->seam[bit / 64] >> (bit % 64) & 1)
		return false;
	return b->all_bytes ||
			(lu_bpe_first_id(b, x) != LU_BPE_NONE &&
					lu_bpe_first_id(b, y) != LU_BPE_NONE);
}

static inline uint32_t next_unit(const struct lu_bpe *b, const char **p)
{
	/* One byte: ASCII, or the mark (-1). */
	if (*(const signed char *)*p >= -1 || b->byte_level)
		return (unsigned char)*(*p)++;
	return lu_bpe_unit(lu_utf8_next(p));
}

/* --- remembered chunks -------------------------------------------------------------------- */

/* The table of small entries has sets of two, the newest first. */
static void find_entry(struct lu_bpe_state *s, struct lu_bpe_chunk *c);
static int entry_ids(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_bpe_chunk c,
		struct lu_ids *ids, struct lu_err *err);

static int chunk_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p, size_t n,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_chunk c = { .p = p, .n = n };

	find_entry(s, &c);
	return entry_ids(b, s, c, ids, err);
}

/* Without looking it up: cut first, when that gives smaller chunks. */
static int fresh_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p, size_t n,
		struct lu_ids *ids, struct lu_err *err)
{
	const char *end = p + n, *from = p, *at = p;
	uint32_t x, y;

	if (!b->cuts)
		return lu_bpe_merge_chunk(b, s, (struct lu_str){ p, n }, ids, err);
	for (x = next_unit(b, &at); at < end; x = y) {
		const char *place = at;

		y = next_unit(b, &at);
		if (!can_cut(b, x, y))
			continue;
		if (chunk_ids(b, s, from, (size_t)(place - from), ids, err) < 0)
			return -1;
		from = place;
	}
	if (from == p)
		return lu_bpe_merge_chunk(b, s, (struct lu_str){ p, n }, ids, err);
	return chunk_ids(b, s, from, (size_t)(end - from), ids, err);
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b << 23 | b >> 41)) * UINT64_C(0x9E3779B97F4A7C15);

	return (h ^ h >> 32) * UINT64_C(0xD6E8FEB86659FD93);
}

/* The key in the chunk's own bytes, zeros behind, its length in the last byte. */
static void large_key(const struct lu_bpe_chunk *c, uint64_t key[5])
{
	memset(key, 0, 5 * sizeof(*key));
	memcpy(key, c->p, c->n);
	key[4] |= (uint64_t)c->n << 56;
}

static struct lu_bpe_large *large_entry(
		struct lu_bpe_state *s, const struct lu_bpe_chunk *c, uint64_t key[5])
{
	uint64_t h;

	large_key(c, key);
	h = mix(mix(key[0], key[1]) ^ key[4], mix(key[2], key[3]));
	return &s->large[h >> (64 - LARGE_BITS)];
}

/* Makes the key and asks for the entry's cache line, which other work can hide. */
static inline void find_entry(struct lu_bpe_state *s, struct lu_bpe_chunk *c)
{
	/* Ones in the first n bytes. */
	static const uint64_t low[16] = { 0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff,
		0xffffffffffff, 0xffffffffffffff, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
		UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
	static const uint64_t high[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff,
		0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff };

	if (c->n <= LU_BPE_SHORT_KEY) {
		memcpy(c->key, c->p, sizeof(c->key));
		c->key[0] &= low[c->n];
		c->key[1] = (c->key[1] & high[c->n]) | (uint64_t)c->n << 56;
		c->entry = &s->small[mix(c->key[0], c->key[1]) >> (64 - SMALL_BITS) & ~UINT64_C(1)];
		__builtin_prefetch(c->entry);
	} else if (c->n <= LU_BPE_LONG_KEY) {
		uint64_t key[5];

		__builtin_prefetch(large_entry(s, c, key));
	}
}

static bool get_large(struct lu_bpe_state *s, const struct lu_bpe_chunk *c, struct lu_ids *ids)
{
	uint64_t key[5];
	const struct lu_bpe_large *e = large_entry(s, c, key);

	if (memcmp(e->key, key, sizeof(key)) != 0)
		return false;
	memcpy(ids->p + ids->n, e->id, sizeof(e->id));
	ids->p[ids->n] &= ID_MASK;
	ids->n += e->id[0] >> ID_BITS;
	return true;
}

static void put_large(struct lu_bpe_state *s, const struct lu_bpe_chunk *c, const uint32_t *id,
		size_t made)
{
	uint64_t key[5];
	struct lu_bpe_large *e = large_entry(s, c, key);

	if (made > sizeof(e->id) / sizeof(e->id[0]))
		return;
	memset(e, 0, sizeof(*e));
	memcpy(e->key, key, sizeof(key));
	if (made)
		memcpy(e->id, id, made * sizeof(*id));
	e->id[0] |= (uint32_t)made << ID_BITS;
}

/* A chunk that is not among the small entries, or whose entry there says that it has too many ids
 * for one and is among the large ones. */
static int small_miss(const struct lu_bpe *b, struct lu_bpe_state *s, const struct lu_bpe_chunk *c,
		bool known, struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_small *set = c->entry;
	size_t from = ids->n, made;

	if (known && get_large(s, c, ids))
		return 0;
	if (fresh_ids(b, s, c->p, c->n, ids, err) < 0)
		return -1;
	made = ids->n - from;
	if (made > SMALL_IDS)
		put_large(s, c, ids->p + from, made);
	if (known)
		return 0;
	set[1] = set[0];
	memset(&set[0], 0, sizeof(set[0]));
	memcpy(set[0].key, c->key, sizeof(set[0].key));
	if (made > SMALL_IDS)
		made = TOO_MANY;
	else if (made)
		memcpy(set[0].id, ids->p + from, made * sizeof(*ids->p));
	set[0].id[0] |= (uint32_t)made << ID_BITS;
	return 0;
}

static int large_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const struct lu_bpe_chunk *c,
		struct lu_ids *ids, struct lu_err *err)
{
	size_t from = ids->n;

	if (get_large(s, c, ids))
		return 0;
	if (fresh_ids(b, s, c->p, c->n, ids, err) < 0)
		return -1;
	put_large(s, c, ids->p + from, ids->n - from);
	return 0;
}

static inline int entry_ids(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_bpe_chunk c,
		struct lu_ids *ids, struct lu_err *err)
{
	const struct lu_bpe_small *e = c.entry;
	uint32_t n;

	if (ids->cap - ids->n < 8 && lu_ids_reserve(ids, 8, err) < 0)
		return -1;
	if (c.n > LU_BPE_SHORT_KEY)
		return c.n <= LU_BPE_LONG_KEY ? large_ids(b, s, &c, ids, err)
					      : fresh_ids(b, s, c.p, c.n, ids, err);
	if (e->key[0] != c.key[0] || e->key[1] != c.key[1]) {
		e++;
		if (e->key[0] != c.key[0] || e->key[1] != c.key[1])
			return small_miss(b, s, &c, false, ids, err);
	}
	n = e->id[0] >> ID_BITS;
	if (n == TOO_MANY)
		return small_miss(b, s, &c, true, ids, err);
	/* All four: a copy of known length costs less than the choice. */
	memcpy(ids->p + ids->n, e->id, sizeof(e->id));
	ids->p[ids->n] &= ID_MASK;
	ids->n += n;
	return 0;
}

/* --- words -------------------------------------------------------------------------------- */

int lu_bpe_flush(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_ids *ids,
		struct lu_err *err)
{
	size_t n = s->chunks;

	s->chunks = 0;
	for (size_t i = 0; i < n; i++) {
		if (entry_ids(b, s, s->chunk[i], ids, err) < 0)
			return -1;
	}
	return 0;
}

static inline int push(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p, size_t n,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_chunk *c;

	if (s->chunks == LU_BPE_BATCH && lu_bpe_flush(b, s, ids, err) < 0)
		return -1;
	c = &s->chunk[s->chunks++];
	c->p = p;
	c->n = n;
	find_entry(s, c);
	return 0;
}

int lu_bpe_push(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
		struct lu_ids *ids, struct lu_err *err)
{
	return word.n ? push(b, s, word.p, word.n, ids, err) : 0;
}

int lu_bpe_word(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_buf padded = { 0 };
	int rc;

	if (word.n == 0)
		return 0;
	lu_buf_str(&padded, word);
	if (!lu_buf_reserve(&padded, LU_BPE_PAD)) {
		lu_buf_release(&padded);
		return lu_err_nomem(err);
	}
	rc = chunk_ids(b, s, padded.p, padded.n, ids, err);
	lu_buf_release(&padded);
	return rc;
}

#define STRIDE 2048 /* bytes */

/*
 * The places in most <= STRIDE bytes at `from` where the word can be cut: what is written and how
 * far it counts are apart, so that nothing is guessed by the processor, to whom they look random.
 * *unit is the unit before; the last one may end behind `most`, and *seen is that end.
 */
static inline size_t find_cuts_in(const struct lu_bpe *b, const char *from, size_t most,
		uint32_t *unit, size_t *seen, uint32_t place[STRIDE], bool bytes)
{
	const char *p = from, *end = from + most;
	uint32_t x = *unit, y;
	size_t n = 0;

	for (;;) {
		/* Units of one byte, which is most of them. */
		while (x < LU_BPE_SMALL && p < end && (bytes || *(const signed char *)p >= -1)) {
			place[n] = (uint32_t)(p - from);
			y = (unsigned char)*p++;
			n += b->apart[x][y];
			x = y;
		}
		if (p >= end)
			break;
		place[n] = (uint32_t)(p - from);
		y = next_unit(b, &p);
		n += can_cut(b, x, y);
		x = y;
	}
	*unit = x;
	*seen = (size_t)(p - from);
	return n;
}

static size_t find_cuts(const struct lu_bpe *b, const char *from, size_t most, uint32_t *unit,
		size_t *seen, uint32_t place[STRIDE])
{
	return b->byte_level ? find_cuts_in(b, from, most, unit, seen, place, true)
			     : find_cuts_in(b, from, most, unit, seen, place, false);
}

int lu_bpe_stream(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_bpe_scan *scan,
		struct lu_str word, bool last, size_t *used, struct lu_ids *ids, struct lu_err *err)
{
	size_t from = 0, seen = scan->seen;
	const char *first = word.p;
	uint32_t place[STRIDE];

	*used = 0;
	if (word.n == 0)
		return 0;
	if (seen == 0) {
		scan->unit = next_unit(b, &first);
		seen = (size_t)(first - word.p);
	}
	while (seen < word.n && b->cuts) {
		size_t most = word.n - seen > STRIDE ? STRIDE : word.n - seen, base = seen;
		size_t n = find_cuts(b, word.p + base, most, &scan->unit, &seen, place);

		seen += base;
		for (size_t i = 0; i < n; i++) {
			if (push(b, s, word.p + from, base + place[i] - from, ids, err) < 0)
				return -1;
			from = base + place[i];
		}
	}
	if (last) {
		if (push(b, s, word.p + from, word.n - from, ids, err) < 0)
			return -1;
		from = word.n;
	}
	*used = from;
	scan->seen = word.n - from;
	return lu_bpe_flush(b, s, ids, err);
}
