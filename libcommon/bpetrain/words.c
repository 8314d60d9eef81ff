#include "libcommon/bpetrain/words.h"

#include <stdlib.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/num.h"

__extension__ typedef unsigned __int128 u128;

/* A short word, of up to SHORT bytes, fills lo and the low 48 bits of hi, zero-padded. A long word
 * has its offset in `bytes` in lo, its length in the low 32 bits of hi and 16 bits of its hash
 * above. The top two bytes of hi are the group (12 bits) and the length (4 bits), which is LONG for
 * a long word. hi is 0 in an empty slot. */
struct lu_words_slot {
	uint64_t lo, hi, count;
};
#define SHORT 14
#define LONG 15u
#define AT_GROUP 48
#define AT_LENGTH 60
#define LOW48 ((UINT64_C(1) << 48) - 1)

/* Slots behind the last home slot, for words displaced past it; a table that needs more grows. */
#define OVERFLOW 512
#define FIRST_SLOTS 2048
#define MAX_LOAD(slots) ((slots) / 10 * 7)
/* Where the limit forbids growth the table may fill up further. */
#define FULL_LOAD(slots) ((slots) / 20 * 17)

/* --- hash --------------------------------------------------------------------------------- */

/* The folded 128-bit product (a step that Wang Yi's "wyhash", public domain, uses too). The
 * constants are the first digits of pi and of e, made odd. */
#define MIX_A UINT64_C(0x243F6A8885A308D3)
#define MIX_B UINT64_C(0xB7E151628AED2A6B)

static inline uint64_t mix(uint64_t x, uint64_t y)
{
	u128 m = (u128)(x ^ MIX_A) * (y ^ MIX_B);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t hash_short(uint64_t lo, uint64_t hi)
{
	return mix(mix(lo, hi), hi);
}

static uint64_t hash_long(struct lu_str s)
{
	const char *p = s.p;
	size_t n = s.n;
	uint64_t h = s.n;

	for (; n > 16; p += 16, n -= 16)
		h = mix(lu_load64(p) ^ h, lu_load64(p + 8));
	p = s.p + s.n - 16;
	return mix(mix(lu_load64(p) ^ h, lu_load64(p + 8)), h);
}

/* Pack a short word into two numbers, without its group. */
static inline void pack(const char *p, size_t n, uint64_t *lo, uint64_t *hi)
{
	*hi = (uint64_t)n << AT_LENGTH;
	if (n >= 8) {
		*lo = lu_load64(p);
		*hi |= lu_load64(p + n - 8) >> 1 >> (8 * (16 - n) - 1);
	} else if (n >= 4) {
		*lo = lu_load32(p) | (uint64_t)lu_load32(p + n - 4) << 8 * (n - 4);
	} else if (n > 0) {
		const unsigned char *u = (const unsigned char *)p;

		*lo = u[0] | (uint64_t)u[n / 2] << 8 * (n / 2) | (uint64_t)u[n - 1] << 8 * (n - 1);
	} else {
		*lo = 0;
	}
}

uint64_t lu_word_hash(struct lu_str s)
{
	uint64_t lo, hi;

	if (s.n > SHORT)
		return s.n > 16 ? hash_long(s)
				: mix(mix(lu_load64(s.p), lu_load64(s.p + s.n - 8)), s.n);
	pack(s.p, s.n, &lo, &hi);
	return hash_short(lo, hi);
}

/* --- slots -------------------------------------------------------------------------------- */

static inline size_t home(const struct lu_words *w, uint64_t hash)
{
	return (size_t)(((u128)hash * w->slots) >> 64);
}

static inline unsigned length(const struct lu_words_slot *e)
{
	return (unsigned)(e->hi >> AT_LENGTH);
}

static inline struct lu_str long_word(const struct lu_words *w, const struct lu_words_slot *e)
{
	return (struct lu_str){ w->bytes.p + e->lo, (size_t)(uint32_t)e->hi };
}

static uint64_t slot_hash(const struct lu_words *w, const struct lu_words_slot *e)
{
	if (length(e) == LONG)
		return lu_word_hash(long_word(w, e));
	return hash_short(e->lo, e->hi & ~((uint64_t)(LU_WORD_GROUPS - 1) << AT_GROUP));
}

static size_t table_bytes(size_t slots)
{
	return slots ? (slots + OVERFLOW) * sizeof(struct lu_words_slot) : 0;
}

/* Copy the words into a table of `slots` slots. False when the overflow area is too small. */
static bool rehash(struct lu_words *w, struct lu_words_slot *to, size_t slots)
{
	size_t old_slots = w->slots, end = slots + OVERFLOW;

	for (size_t i = 0; old_slots && i < old_slots + OVERFLOW; i++) {
		const struct lu_words_slot *e = &w->slot[i];
		size_t k;

		if (!e->hi)
			continue;
		w->slots = slots;
		for (k = home(w, slot_hash(w, e)); k < end && to[k].hi; k++)
			;
		w->slots = old_slots;
		if (k == end)
			return false;
		to[k] = *e;
	}
	return true;
}

static int grow(struct lu_words *w, struct lu_err *err)
{
	size_t slots = w->slots ? w->slots : FIRST_SLOTS / 2;

	for (;;) {
		struct lu_words_slot *to;

		/* Growth by half costs little more time than doubling, and less memory. */
		slots += slots < 1 << 16 ? slots : slots / 2;
		to = lu_big_alloc(table_bytes(slots));
		if (!to)
			return lu_err_nomem(err);
		if (rehash(w, to, slots)) {
			free(w->slot);
			w->slot = to;
			w->slots = slots;
			return 0;
		}
		free(to);
	}
}

/* Make room for one more word with n bytes of its own outside the slot. 1 when full() has emptied
 * the table. */
static int make_room(struct lu_words *w, size_t n, bool at_end, struct lu_err *err)
{
	if (w->limit && w->n > 0) {
		size_t next = w->slots + w->slots / 2, cap = w->bytes.cap, used = w->bytes.n;
		bool fits = table_bytes(w->slots) + table_bytes(next) + cap <= w->limit;

		/* Long words may take half of the limit. */
		if ((n && cap - used < n && cap + used + n > w->limit / 2) ||
				(!fits && (at_end || w->n >= FULL_LOAD(w->slots))))
			return w->full(w->ctx, w, err) < 0 ? -1 : 1;
		if (!fits)
			return 0;
	}
	return at_end || w->n >= MAX_LOAD(w->slots) ? grow(w, err) : 0;
}

static int append_bytes(struct lu_words *w, struct lu_str s, struct lu_err *err)
{
	if (!lu_vec_reserve(&w->bytes, s.n))
		return lu_err_nomem(err);
	memcpy(w->bytes.p + w->bytes.n, s.p, s.n);
	w->bytes.n += s.n;
	return 0;
}

/* Insert a word that is not in the table. For a long word, s.n > SHORT, e.lo is set here. */
static int insert(struct lu_words *w, struct lu_str s, uint64_t hash, struct lu_words_slot e,
		struct lu_err *err)
{
	bool at_end = w->slots == 0;

	for (;;) {
		size_t k, end;
		int rc = make_room(w, s.n > SHORT ? s.n : 0, at_end, err);

		if (rc < 0)
			return -1;
		if (!w->slots)
			continue;
		end = w->slots + OVERFLOW;
		for (k = home(w, hash); k < end && w->slot[k].hi; k++)
			;
		/* The last slot stays empty as the sentinel of lookups. */
		at_end = k >= end - 1;
		if (at_end)
			continue;
		if (s.n > SHORT) {
			e.lo = w->bytes.n;
			if (append_bytes(w, s, err) < 0)
				return -1;
		}
		w->slot[k] = e;
		w->n++;
		return 0;
	}
}

static inline int add_count(struct lu_words_slot *e, uint64_t count, struct lu_err *err)
{
	if (count > UINT64_MAX - e->count)
		return lu_err_set(err, "a word occurs more than 2^64 times");
	e->count += count;
	return 0;
}

static int add_long(struct lu_words *w, struct lu_str s, uint64_t count, struct lu_err *err)
{
	uint64_t hash = lu_word_hash(s), hi;

	if (s.n > UINT32_MAX)
		return lu_err_set(err, "a word of 4 GiB or more");
	hi = (uint64_t)s.n | (hash & 0xffff) << 32 | (uint64_t)w->group << AT_GROUP |
			(uint64_t)LONG << AT_LENGTH;
	for (size_t k = w->slots ? home(w, hash) : 0; w->slots && w->slot[k].hi; k++) {
		struct lu_words_slot *e = &w->slot[k];

		if (e->hi == hi && memcmp(w->bytes.p + e->lo, s.p, s.n) == 0)
			return add_count(e, count, err);
	}
	return insert(w, s, hash, (struct lu_words_slot){ 0, hi, count }, err);
}

int lu_words_flush(struct lu_words *w, struct lu_err *err)
{
	unsigned n = w->n_pending;

	w->n_pending = 0;
	for (unsigned i = 0; i < n; i++) {
		uint64_t lo = w->pending[i].lo, hi = w->pending[i].hi, count = w->pending[i].count;
		struct lu_words_slot *e = w->slots ? &w->slot[home(w, w->pending[i].hash)] : NULL;
		int rc;

		while (e && e->hi && (e->lo != lo || e->hi != hi))
			e++;
		if (e && e->hi)
			rc = add_count(e, count, err);
		else
			rc = insert(w, (struct lu_str){ NULL, 0 }, w->pending[i].hash,
					(struct lu_words_slot){ lo, hi, count }, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int lu_words_add(struct lu_words *w, struct lu_str s, uint64_t count, struct lu_err *err)
{
	uint64_t lo, hi, hash;

	if (s.n > SHORT)
		return add_long(w, s, count, err);
	if (s.n == 0)
		return 0;
	pack(s.p, s.n, &lo, &hi);
	hash = hash_short(lo, hi);
	if (w->slots)
		__builtin_prefetch(&w->slot[home(w, hash)], 1);
	w->pending[w->n_pending].lo = lo;
	w->pending[w->n_pending].hi = hi | (uint64_t)w->group << AT_GROUP;
	w->pending[w->n_pending].count = count;
	w->pending[w->n_pending].hash = hash;
	return ++w->n_pending < LU_WORDS_PENDING ? 0 : lu_words_flush(w, err);
}

void lu_words_clear(struct lu_words *w)
{
	if (w->slot)
		memset(w->slot, 0, table_bytes(w->slots));
	w->n = 0;
	w->bytes.n = 0;
}

void lu_words_release(struct lu_words *w)
{
	free(w->slot);
	w->slot = NULL;
	w->slots = w->n = 0;
	lu_vec_release(&w->bytes);
	w->n_pending = 0;
}

/* --- reading ------------------------------------------------------------------------------ */

struct lu_word_ref {
	uint64_t hash;
	size_t slot;
};

int lu_word_cmp(const struct lu_word *x, const struct lu_word *y)
{
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->s.n != y->s.n)
		return x->s.n < y->s.n ? -1 : 1;
	return memcmp(x->s.p, y->s.p, x->s.n);
}

/* Unpack a word. The bytes of a short one go to `text`. */
static void unpack(const struct lu_words *w, const struct lu_word_ref *r, char text[16],
		struct lu_word *out)
{
	const struct lu_words_slot *e = &w->slot[r->slot];

	out->hash = r->hash;
	out->count = e->count;
	out->group = (uint16_t)(e->hi >> AT_GROUP & (LU_WORD_GROUPS - 1));
	if (length(e) == LONG) {
		out->s = long_word(w, e);
		return;
	}
	lu_store64(text, e->lo);
	lu_store64(text + 8, e->hi & LOW48);
	out->s = (struct lu_str){ text, length(e) };
}

static bool precedes(
		const struct lu_words *w, const struct lu_word_ref *x, const struct lu_word_ref *y)
{
	char a[16], b[16];
	struct lu_word u, v;
	int d;

	if (x->hash != y->hash)
		return x->hash < y->hash;
	unpack(w, x, a, &u);
	unpack(w, y, b, &v);
	d = lu_word_cmp(&u, &v);
	return d ? d < 0 : u.group < v.group;
}

/* Shellsort with the gaps (3^k - 1) / 2: few elements, nearly in order. */
static void sort_refs(const struct lu_words *w, struct lu_word_ref *ref, size_t n)
{
	size_t gap = 1;

	while (gap < n / 9)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3) {
		for (size_t i = gap; i < n; i++) {
			struct lu_word_ref r = ref[i];
			size_t k = i;

			for (; k >= gap && precedes(w, &r, &ref[k - gap]); k -= gap)
				ref[k] = ref[k - gap];
			ref[k] = r;
		}
	}
}

/* Collect and sort the next cluster, a maximal sequence of occupied slots. The home slots of its
 * words lie in the cluster, so words before it have smaller hashes and words after it larger. */
static int next_cluster(struct lu_words_cursor *c, struct lu_err *err)
{
	const struct lu_words *w = c->words;
	size_t end = w->slots + OVERFLOW;

	c->ref.n = c->next = 0;
	while (c->at < end && !w->slot[c->at].hi)
		c->at++;
	for (; c->at < end && w->slot[c->at].hi; c->at++) {
		if (!lu_vec_push(&c->ref,
				    (struct lu_word_ref){ slot_hash(w, &w->slot[c->at]), c->at }))
			return lu_err_nomem(err);
	}
	sort_refs(w, c->ref.p, c->ref.n);
	return 0;
}

int lu_words_next(struct lu_words_cursor *c, struct lu_err *err)
{
	const struct lu_words *w = c->words;

	if (!w->slots)
		return 0;
	if (!c->started) {
		c->started = true;
		for (c->at = home(w, c->from); c->at > 0 && w->slot[c->at - 1].hi;)
			c->at--;
	}
	for (;;) {
		const struct lu_word_ref *r;

		if (c->next == c->ref.n) {
			if (next_cluster(c, err) < 0)
				return -1;
			if (c->ref.n == 0)
				return 0;
		}
		r = &c->ref.p[c->next];
		if (c->to && r->hash >= c->to)
			return 0;
		c->next++;
		if (r->hash >= c->from) {
			unpack(w, r, c->text, &c->word);
			return 1;
		}
	}
}

void lu_words_cursor_release(struct lu_words_cursor *c)
{
	lu_vec_release(&c->ref);
	c->next = 0;
}
