#include "libcommon/tokenizer/bpe_cut.h"

#include <stdlib.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/utf8.h"

/* The cache of short chunks starts with half a MiB and doubles up to 32, so that a short run clears
 * little memory and a long one finds nearly all chunks: those of 24 MB of mixed text fill 16 MiB, and
 * the 0.5 % that did not fit there took a quarter of the time. That of long chunks has 4 MiB. */
#define SHORT_BITS 14
#define SHORT_BITS_MAX 20
#define LONG_BITS 16
#define ID_BITS 24
#define ID_MASK ((UINT32_C(1) << ID_BITS) - 1)
#define SHORT_IDS 4
#define IN_LONG_CACHE 0xFF /* in place of the number of ids */
/* In the key of a part of a word in a file with ignore_merges: the same bytes as a whole word may be a
 * piece and have its id. Entries of the long cache for short keys need no such mark: with several ids
 * the word is no piece. */
#define PART (UINT64_C(1) << 63)

void lu_bpe_state_init(struct lu_bpe_state *s)
{
	memset(s, 0, sizeof(*s));
	lu_bpe_merger_init(&s->merger);
}

/* Allocate the caches at the first word: of a thousand threads few may get one. */
static int open_caches(struct lu_bpe_state *s, struct lu_err *err)
{
	if (!s->short_cache) {
		s->short_bits = SHORT_BITS;
		s->short_cache = lu_big_alloc(sizeof(*s->short_cache) << SHORT_BITS);
	}
	if (!s->long_cache)
		s->long_cache = lu_big_alloc(sizeof(*s->long_cache) << LONG_BITS);
	return s->short_cache && s->long_cache ? 0 : lu_err_nomem(err);
}

void lu_bpe_state_release(struct lu_bpe_state *s)
{
	free(s->short_cache);
	free(s->long_cache);
	lu_bpe_merger_release(&s->merger);
	memset(s, 0, sizeof(*s));
}

/* --- units -------------------------------------------------------------------------------- */

static inline bool can_cut(const struct lu_bpe *b, uint32_t x, uint32_t y)
{
	if ((x | y) < LU_BPE_SMALL)
		return b->can_cut[x][y];
	return lu_bpe_can_cut(b, x, y);
}

bool lu_bpe_can_cut(const struct lu_bpe *b, uint32_t x, uint32_t y)
{
	size_t bit;

	if ((x | y) < LU_BPE_SMALL)
		return b->can_cut[x][y];
	bit = lu_bpe_seam_bit(b, x, y);
	if (b->seam[bit / 64] >> (bit % 64) & 1)
		return false;
	return b->all_bytes ||
			(lu_bpe_unit_id(b, x) != LU_BPE_NONE &&
					lu_bpe_unit_id(b, y) != LU_BPE_NONE);
}

static inline uint32_t next_unit(const struct lu_bpe *b, const char **p)
{
	/* A single byte: ASCII, or the mark (-1). */
	if (*(const signed char *)*p >= -1 || b->byte_level)
		return (unsigned char)*(*p)++;
	return lu_bpe_unit(lu_utf8_next(p));
}

/* --- the cache of chunks ------------------------------------------------------------------ */

static inline void find_short(struct lu_bpe_short_entry *cache, unsigned bits, uint64_t part,
		struct lu_bpe_chunk *c);
static void find_entry(struct lu_bpe_state *s, struct lu_bpe_chunk *c);
static int entry_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const struct lu_bpe_chunk *c,
		struct lu_ids *ids, struct lu_err *err);

/* Append the ids of a part of a chunk. */
static int part_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p, size_t n,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_chunk c = { .p = p, .n = n };

	if (!b->ignore_merges)
		find_entry(s, &c);
	else if (n <= LU_BPE_SHORT_KEY)
		find_short(s->short_cache, s->short_bits, PART, &c);
	else
		return lu_bpe_merge_chunk(b, &s->merger, (struct lu_str){ p, n }, ids, err);
	return entry_ids(b, s, &c, ids, err);
}

/* Append the ids that merging a chunk gives, or the chunks that it can be cut into. */
static int merged_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p, size_t n,
		struct lu_ids *ids, struct lu_err *err)
{
	const char *end = p + n, *from = p, *at = p;
	uint32_t x, y;

	if (!b->cuts)
		return lu_bpe_merge_chunk(b, &s->merger, (struct lu_str){ p, n }, ids, err);
	for (x = next_unit(b, &at); at < end; x = y) {
		const char *cut = at;

		y = next_unit(b, &at);
		if (!can_cut(b, x, y))
			continue;
		if (part_ids(b, s, from, (size_t)(cut - from), ids, err) < 0)
			return -1;
		from = cut;
	}
	if (from == p)
		return lu_bpe_merge_chunk(b, &s->merger, (struct lu_str){ p, n }, ids, err);
	return part_ids(b, s, from, (size_t)(end - from), ids, err);
}

/* Append the ids of a chunk that is not in the cache. With ignore_merges a `whole` word that is a piece
 * is that piece. To look for it may cost several cache misses, so merge first where a single id can
 * only be that: where every unit has symbols, whose text is theirs. */
static int compute_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p, size_t n,
		bool whole, struct lu_ids *ids, struct lu_err *err)
{
	struct lu_str word = { p, n };
	size_t from = ids->n;
	uint32_t id;
	int rc;

	whole = whole && b->ignore_merges;
	if (!whole || (b->all_bytes && b->cuts)) {
		if (merged_ids(b, s, p, n, ids, err) < 0)
			return -1;
		if (!whole || ids->n == from + 1)
			return 0;
	}
	rc = lu_bpe_whole_word(b, &s->merger, word, &id, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return ids->n > from ? 0 : merged_ids(b, s, p, n, ids, err);
	ids->n = from;
	if (lu_ids_reserve(ids, 1, err) < 0)
		return -1;
	ids->p[ids->n++] = id;
	return 0;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b << 23 | b >> 41)) * UINT64_C(0x9E3779B97F4A7C15);

	return (h ^ h >> 32) * UINT64_C(0xD6E8FEB86659FD93);
}

static void long_key(const struct lu_bpe_chunk *c, uint64_t key[5])
{
	memset(key, 0, 5 * sizeof(*key));
	memcpy(key, c->p, c->n);
	key[4] |= (uint64_t)c->n << 56;
}

static struct lu_bpe_long_entry *long_entry(
		struct lu_bpe_state *s, const struct lu_bpe_chunk *c, uint64_t key[5])
{
	uint64_t h;

	long_key(c, key);
	h = mix(mix(key[0], key[1]) ^ key[4], mix(key[2], key[3]));
	return &s->long_cache[h >> (64 - LONG_BITS)];
}

/* Make the key of a chunk of up to LU_BPE_SHORT_KEY bytes and prefetch its entry in the cache of
 * 1 << bits. Entries form sets of four, the newest first; those that are asked for again move up to
 * the first two, which share a cache line. */
static inline void find_short(struct lu_bpe_short_entry *cache, unsigned bits, uint64_t part,
		struct lu_bpe_chunk *c)
{
	/* Masks of the first n bytes. */
	static const uint64_t low[16] = { 0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff,
		0xffffffffffff, 0xffffffffffffff, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
		UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
	static const uint64_t high[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff,
		0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff };
	uint64_t key[2];

	memcpy(key, c->p, sizeof(key));
	key[0] &= low[c->n];
	key[1] = (key[1] & high[c->n]) | (uint64_t)c->n << 56 | part;
	c->entry = &cache[mix(key[0], key[1]) >> (64 - bits) & ~UINT64_C(3)];
	c->key[0] = key[0];
	c->key[1] = key[1];
	__builtin_prefetch(c->entry);
}

/* The same for a chunk of any length. */
static inline void find_entry(struct lu_bpe_state *s, struct lu_bpe_chunk *c)
{
	if (c->n <= LU_BPE_SHORT_KEY) {
		find_short(s->short_cache, s->short_bits, 0, c);
	} else if (c->n <= LU_BPE_LONG_KEY) {
		uint64_t key[5];

		__builtin_prefetch(long_entry(s, c, key));
	}
}

static bool get_long(struct lu_bpe_state *s, const struct lu_bpe_chunk *c, struct lu_ids *ids)
{
	uint64_t key[5];
	const struct lu_bpe_long_entry *e = long_entry(s, c, key);

	if (memcmp(e->key, key, sizeof(key)) != 0)
		return false;
	memcpy(ids->p + ids->n, e->id, sizeof(e->id));
	ids->p[ids->n] &= ID_MASK;
	ids->n += e->id[0] >> ID_BITS;
	return true;
}

static void put_long(
		struct lu_bpe_state *s, const struct lu_bpe_chunk *c, const uint32_t *id, size_t n)
{
	uint64_t key[5];
	struct lu_bpe_long_entry *e = long_entry(s, c, key);

	if (n > sizeof(e->id) / sizeof(e->id[0]))
		return;
	memset(e, 0, sizeof(*e));
	memcpy(e->key, key, sizeof(key));
	if (n)
		memcpy(e->id, id, n * sizeof(*id));
	e->id[0] |= (uint32_t)n << ID_BITS;
}

static inline bool is_entry(const struct lu_bpe_short_entry *e, const struct lu_bpe_chunk *c)
{
	return ((e->key[0] ^ c->key[0]) | (e->key[1] ^ c->key[1])) == 0;
}

/* True if the third or the fourth entry of the set is the chunk's, which then becomes the second. */
static bool find_older(const struct lu_bpe_chunk *c)
{
	struct lu_bpe_short_entry *set = c->entry, found;
	int k = is_entry(&set[2], c) ? 2 : is_entry(&set[3], c) ? 3 : 0;

	if (!k)
		return false;
	found = set[k];
	set[k] = set[1];
	set[1] = found;
	return true;
}

/* Append the ids of a chunk without a short entry, or `in_long` with one that refers to the long
 * cache since it has too many ids. */
static int short_miss(const struct lu_bpe *b, struct lu_bpe_state *s, const struct lu_bpe_chunk *c,
		bool in_long, struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_short_entry *set = c->entry;
	size_t from = ids->n, n;

	if (in_long && get_long(s, c, ids))
		return 0;
	if (compute_ids(b, s, c->p, c->n, !(c->key[1] & PART), ids, err) < 0)
		return -1;
	n = ids->n - from;
	if (n > SHORT_IDS)
		put_long(s, c, ids->p + from, n);
	if (in_long)
		return 0;
	s->short_used += set[3].key[1] == 0;
	memmove(&set[1], &set[0], 3 * sizeof(set[0]));
	memset(&set[0], 0, sizeof(set[0]));
	memcpy(set[0].key, c->key, sizeof(set[0].key));
	if (n > SHORT_IDS)
		n = IN_LONG_CACHE;
	else if (n)
		memcpy(set[0].id, ids->p + from, n * sizeof(*ids->p));
	set[0].id[0] |= (uint32_t)n << ID_BITS;
	return 0;
}

static int long_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const struct lu_bpe_chunk *c,
		struct lu_ids *ids, struct lu_err *err)
{
	size_t from = ids->n;

	if (get_long(s, c, ids))
		return 0;
	if (compute_ids(b, s, c->p, c->n, true, ids, err) < 0)
		return -1;
	put_long(s, c, ids->p + from, ids->n - from);
	return 0;
}

/* The ids of a short chunk from the first two entries of its set: always all four, since a copy of
 * constant size costs less than a branch. Returns their number, IN_LONG_CACHE if they are elsewhere. */
static inline uint32_t copy_ids(const struct lu_bpe_chunk *c, uint32_t id[SHORT_IDS])
{
	const struct lu_bpe_short_entry *e = c->entry;

	/* Which of the two it is looks random: no branch. */
	e += !is_entry(e, c);
	if (!is_entry(e, c))
		return IN_LONG_CACHE;
	memcpy(id, e->id, sizeof(e->id));
	id[0] &= ID_MASK;
	return e->id[0] >> ID_BITS;
}

static int entry_ids(const struct lu_bpe *b, struct lu_bpe_state *s, const struct lu_bpe_chunk *c,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_short_entry *set = c->entry;
	uint32_t n;

	if (ids->cap - ids->n < 8 && lu_ids_reserve(ids, 8, err) < 0)
		return -1;
	if (c->n > LU_BPE_SHORT_KEY)
		return c->n <= LU_BPE_LONG_KEY ? long_ids(b, s, c, ids, err)
					       : compute_ids(b, s, c->p, c->n, true, ids, err);
	if (!is_entry(&set[0], c) && !is_entry(&set[1], c) && !find_older(c))
		return short_miss(b, s, c, false, ids, err);
	n = copy_ids(c, ids->p + ids->n);
	if (n == IN_LONG_CACHE)
		return short_miss(b, s, c, true, ids, err);
	ids->n += n;
	return 0;
}

/* Double the cache of short chunks. Without memory for that it stays as it is. No chunk may be pending:
 * it points into the cache. */
static void grow(struct lu_bpe_state *s)
{
	unsigned bits = s->short_bits + 1;
	struct lu_bpe_short_entry *to = lu_big_alloc(sizeof(*to) << bits);

	s->short_used = 0;
	if (!to)
		return;
	for (size_t i = (size_t)1 << s->short_bits; i-- > 0;) {
		const struct lu_bpe_short_entry *e = &s->short_cache[i];
		struct lu_bpe_short_entry *set;

		if (!e->key[1])
			continue;
		set = &to[mix(e->key[0], e->key[1]) >> (64 - bits) & ~UINT64_C(3)];
		memmove(&set[1], &set[0], 3 * sizeof(set[0]));
		set[0] = *e;
		s->short_used++;
	}
	free(s->short_cache);
	s->short_cache = to;
	s->short_bits = bits;
}

/* --- words -------------------------------------------------------------------------------- */

int lu_bpe_flush(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_ids *ids,
		struct lu_err *err)
{
	size_t n = s->chunks;

	s->chunks = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t *to, k = 0;

		/* Nearly all chunks; copy_ids() writes SHORT_IDS ids and counts them later. */
		if (ids->cap - ids->n < SHORT_IDS * (n - i) &&
				lu_ids_reserve(ids, SHORT_IDS * (n - i), err) < 0)
			return -1;
		for (to = ids->p + ids->n; i < n && s->chunk[i].n <= LU_BPE_SHORT_KEY; i++) {
			k = copy_ids(&s->chunk[i], to);
			if (k == IN_LONG_CACHE)
				break;
			to += k;
		}
		ids->n = (size_t)(to - ids->p);
		if (i < n && entry_ids(b, s, &s->chunk[i], ids, err) < 0)
			return -1;
	}
	if (s->short_used >> (s->short_bits - 2) && s->short_bits < SHORT_BITS_MAX)
		grow(s);
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
	if (!s->long_cache && open_caches(s, err) < 0)
		return -1;
	return word.n ? push(b, s, word.p, word.n, ids, err) : 0;
}

int lu_bpe_push_ends(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p,
		const char *const *ends, size_t n, struct lu_ids *ids, struct lu_err *err)
{
	if (!s->long_cache && open_caches(s, err) < 0)
		return -1;
	while (n > 0) {
		struct lu_bpe_short_entry *cache = s->short_cache;
		struct lu_bpe_chunk *c = &s->chunk[s->chunks];
		unsigned bits = s->short_bits;
		size_t some = LU_BPE_BATCH - s->chunks;

		some = n < some ? n : some;
		for (size_t i = 0; i < some; i++, c++) {
			c->p = p;
			c->n = (size_t)(ends[i] - p);
			p = ends[i];
			if (c->n <= LU_BPE_SHORT_KEY)
				find_short(cache, bits, 0, c);
			else
				find_entry(s, c);
		}
		s->chunks += some;
		ends += some;
		n -= some;
		if (n > 0 && lu_bpe_flush(b, s, ids, err) < 0)
			return -1;
	}
	return 0;
}

int lu_bpe_word(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_bpe_chunk c = { 0 };
	struct lu_buf padded = { 0 };
	int rc;

	if (word.n == 0)
		return 0;
	if (!s->long_cache && open_caches(s, err) < 0)
		return -1;
	lu_buf_str(&padded, word);
	if (!lu_buf_reserve(&padded, LU_BPE_PADDING)) {
		lu_buf_release(&padded);
		return lu_err_nomem(err);
	}
	c.p = padded.p;
	c.n = padded.n;
	find_entry(s, &c);
	rc = entry_ids(b, s, &c, ids, err);
	lu_buf_release(&padded);
	return rc;
}

#define STRIDE 2048 /* bytes */

/*
 * Find the cuts in n <= STRIDE bytes at `from`. Every offset is stored but counted only at a cut: a
 * branch on cuts, which look random, would be mispredicted. *unit is the unit before; the last unit
 * may end beyond n, and *seen is that end.
 */
static inline size_t find_cuts_in(const struct lu_bpe *b, const char *from, size_t n,
		uint32_t *unit, size_t *seen, uint32_t cut[STRIDE], bool bytes)
{
	const char *p = from, *end = from + n;
	uint32_t x = *unit, y;
	size_t cuts = 0;

	for (;;) {
		/* One-byte units, the most frequent. */
		while (x < LU_BPE_SMALL && p < end && (bytes || *(const signed char *)p >= -1)) {
			cut[cuts] = (uint32_t)(p - from);
			y = (unsigned char)*p++;
			cuts += b->can_cut[x][y];
			x = y;
		}
		if (p >= end)
			break;
		cut[cuts] = (uint32_t)(p - from);
		y = next_unit(b, &p);
		cuts += can_cut(b, x, y);
		x = y;
	}
	*unit = x;
	*seen = (size_t)(p - from);
	return cuts;
}

static size_t find_cuts(const struct lu_bpe *b, const char *from, size_t n, uint32_t *unit,
		size_t *seen, uint32_t cut[STRIDE])
{
	return b->byte_level ? find_cuts_in(b, from, n, unit, seen, cut, true)
			     : find_cuts_in(b, from, n, unit, seen, cut, false);
}

int lu_bpe_stream(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_bpe_scan *scan,
		struct lu_str word, bool last, size_t *used, struct lu_ids *ids, struct lu_err *err)
{
	size_t from = 0, seen = scan->seen;
	const char *first = word.p;
	uint32_t cut[STRIDE];

	*used = 0;
	if (word.n == 0)
		return 0;
	if (!s->long_cache && open_caches(s, err) < 0)
		return -1;
	if (seen == 0) {
		scan->unit = next_unit(b, &first);
		seen = (size_t)(first - word.p);
	}
	while (seen < word.n && lu_bpe_cuts_words(b)) {
		size_t n = word.n - seen > STRIDE ? STRIDE : word.n - seen, base = seen;
		size_t cuts = find_cuts(b, word.p + base, n, &scan->unit, &seen, cut);

		seen += base;
		for (size_t i = 0; i < cuts; i++) {
			if (push(b, s, word.p + from, base + cut[i] - from, ids, err) < 0)
				return -1;
			from = base + cut[i];
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
