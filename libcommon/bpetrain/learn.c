#include "libcommon/bpetrain/learn.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/bigmem.h"
#include "libcommon/base/num.h"

#define BORDER LU_SYM_BORDER
#define NONE UINT32_MAX
/* How many places ahead the symbols are fetched. */
#define AHEAD 16

enum state {
	WAITING, /* its places are not known */
	QUEUED,
	DONE /* merged, or never to be merged */
};

struct pair {
	uint32_t a;
	uint32_t b : 28, state : 4;
	int64_t count;
};

/* Places of a pair: where its left symbol begins; ascending, some out of date. */
struct places {
	uint32_t *at;
	uint32_t n, cap;
};

struct entry {
	int64_t key;
	uint32_t pair;
	uint32_t list;
};

/* What a merge changes on one side, by the neighbour's id. */
struct side {
	int64_t count; /* of the merged pair with this neighbour; 0: no neighbour */
	uint32_t n;    /* the same, in places */
	uint32_t list; /* of the new pair, when its places are kept */
};

struct touched {
	uint32_t *id;
	size_t n, cap;
};

struct run {
	struct lu_learn *m;
	struct lu_err *err;
	uint32_t *sym;
	const uint32_t *chars;

	struct pair *pair;
	uint32_t pairs, pair_cap;
	uint32_t *slot; /* (a, b) -> index + 1 */
	size_t slots;

	int64_t floor;
	struct entry *heap;
	size_t queued, heap_cap;
	struct places *list;
	uint32_t lists, list_cap;
	uint32_t free_list; /* chain through n; NONE */
	uint64_t places;    /* bytes of all lists */

	struct side *side[2]; /* left and right neighbours */
	size_t side_cap;
	struct touched touched[2];

	struct lu_long_word here; /* the long word looked at last */
	size_t merge_cap;
};

enum { LEFT, RIGHT };

/* Makes room for one more element. */
static int grow(void **p, size_t *cap, size_t n, size_t size, struct lu_err *err)
{
	size_t more = *cap ? *cap * 2 : 64, bytes;
	void *q;

	if (n < *cap)
		return 0;
	q = lu_mul_size(more, size, &bytes) ? realloc(*p, bytes) : NULL;
	if (!q)
		return lu_err_nomem(err);
	*p = q;
	*cap = more;
	return 0;
}

/* Does what is held go beyond the bound, with `more` bytes on the way? */
static int check_memory(const struct run *r, uint64_t more)
{
	uint64_t held = (uint64_t)r->m->n * sizeof(*r->sym) + r->pairs * sizeof(*r->pair) +
			r->slots * sizeof(*r->slot) + r->queued * sizeof(*r->heap) + r->places +
			more;

	return r->m->memory && held > r->m->memory
			? lu_err_set(r->err,
					  "learning the merges takes more than the %lluM that the "
					  "memory bound "
					  "leaves",
					  (unsigned long long)(r->m->memory >> 20))
			: 0;
}

/* --- counts of words ---------------------------------------------------------------------- */

static int64_t long_count(struct run *r, uint32_t at)
{
	size_t lo = 0, hi = r->m->long_words;

	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (r->m->long_word[mid].from <= at)
			lo = mid;
		else
			hi = mid;
	}
	r->here = r->m->long_word[lo];
	return (int64_t)r->here.count;
}

/* The count of the word in which `at` lies. */
static inline int64_t count_at(struct run *r, uint32_t at)
{
	const uint32_t *p = &r->sym[at];
	uint64_t count;

	if (at - r->here.from < r->here.to - r->here.from)
		return (int64_t)r->here.count;
	while (*--p < BORDER) {
		if (&r->sym[at] - p > LU_LONG_WORD)
			return long_count(r, at);
	}
	count = *p & (LU_SYM_MORE - 1);
	for (unsigned shift = LU_SYM_BITS; *p & LU_SYM_MORE; shift += LU_SYM_BITS)
		count |= (uint64_t)(*--p & (LU_SYM_MORE - 1)) << shift;
	return (int64_t)count;
}

/* --- pairs -------------------------------------------------------------------------------- */

static inline size_t pair_hash(uint32_t a, uint32_t b)
{
	uint64_t h = ((uint64_t)a << 32 | b) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h ^ h >> 29);
}

static void fill_slots(struct run *r)
{
	memset(r->slot, 0, r->slots * sizeof(*r->slot));
	for (uint32_t i = 0; i < r->pairs; i++) {
		size_t k = pair_hash(r->pair[i].a, r->pair[i].b) & (r->slots - 1);

		while (r->slot[k])
			k = (k + 1) & (r->slots - 1);
		r->slot[k] = i + 1;
	}
}

/* Forgets the pairs that will never be merged. */
static int forget_pairs(struct run *r)
{
	uint32_t *moved = malloc(((size_t)r->pairs + 1) * sizeof(*moved)), n = 0;

	if (!moved)
		return lu_err_nomem(r->err);
	for (uint32_t i = 0; i < r->pairs; i++) {
		const struct pair *p = &r->pair[i];

		if (p->state == QUEUED ||
				(p->state == WAITING && p->count >= (int64_t)r->m->least)) {
			moved[i] = n;
			r->pair[n++] = *p;
		}
	}
	for (size_t i = 0; i < r->queued; i++)
		r->heap[i].pair = moved[r->heap[i].pair];
	free(moved);
	r->pairs = n;
	return 0;
}

/* Makes room for more pairs. */
static int grow_slots(struct run *r)
{
	size_t slots = r->slots ? r->slots : 1 << 12;
	uint32_t *slot;

	/* Not while they are counted for the first time. */
	if (r->floor != INT64_MAX && forget_pairs(r) < 0)
		return -1;
	if (r->pairs >= slots / 2)
		slots *= 2;
	if (slots != r->slots) {
		if (check_memory(r, slots * sizeof(*slot)) < 0)
			return -1;
		free(r->slot);
		r->slot = NULL;
		slot = lu_big_alloc(slots * sizeof(*slot));
		if (!slot)
			return lu_err_nomem(r->err);
		r->slot = slot;
		r->slots = slots;
	}
	fill_slots(r);
	return 0;
}

/* The pair's index, or NONE; *slot is where it would go. */
static uint32_t find_pair(const struct run *r, uint32_t a, uint32_t b, size_t *slot)
{
	size_t k = pair_hash(a, b) & (r->slots - 1);

	for (; r->slot[k]; k = (k + 1) & (r->slots - 1)) {
		const struct pair *p = &r->pair[r->slot[k] - 1];

		if (p->a == a && p->b == b)
			return r->slot[k] - 1;
	}
	*slot = k;
	return NONE;
}

/* Finds or makes; NONE when memory is out. */
static uint32_t get_pair(struct run *r, uint32_t a, uint32_t b)
{
	size_t slot, cap = r->pair_cap;
	void *p = r->pair;
	uint32_t i = find_pair(r, a, b, &slot);

	if (i != NONE)
		return i;
	if (r->pairs >= r->slots / 4 * 3) {
		if (grow_slots(r) < 0)
			return NONE;
		find_pair(r, a, b, &slot);
	}
	if (r->pairs >= NONE / 2) {
		lu_err_set(r->err, "more than 2147483646 pairs");
		return NONE;
	}
	if (grow(&p, &cap, r->pairs, sizeof(*r->pair), r->err) < 0)
		return NONE;
	r->pair = p;
	r->pair_cap = (uint32_t)cap;
	r->pair[r->pairs] = (struct pair){ .a = a, .b = b, .state = WAITING };
	r->slot[slot] = r->pairs + 1;
	return r->pairs++;
}

/* --- places ------------------------------------------------------------------------------- */

/* A list with room for n places; NONE when memory is out. */
static uint32_t new_list(struct run *r, uint32_t n)
{
	uint32_t *at = malloc(((size_t)n + (n == 0)) * sizeof(*at));
	uint32_t i = r->free_list;

	if (check_memory(r, (uint64_t)n * sizeof(*at)) < 0) {
		free(at);
		return NONE;
	}
	if (!at) {
		lu_err_nomem(r->err);
		return NONE;
	}
	if (i != NONE) {
		r->free_list = r->list[i].n;
	} else {
		size_t cap = r->list_cap;
		void *p = r->list;

		if (grow(&p, &cap, r->lists, sizeof(*r->list), r->err) < 0) {
			free(at);
			return NONE;
		}
		r->list = p;
		r->list_cap = (uint32_t)cap;
		i = r->lists++;
	}
	r->list[i] = (struct places){ at, 0, n };
	r->places += (uint64_t)n * sizeof(*at);
	return i;
}

static void drop_list(struct run *r, uint32_t i)
{
	if (i == NONE)
		return;
	free(r->list[i].at);
	r->places -= (uint64_t)r->list[i].cap * sizeof(uint32_t);
	r->list[i] = (struct places){ NULL, r->free_list, 0 };
	r->free_list = i;
}

static int add_place(struct run *r, uint32_t list, uint32_t at)
{
	struct places *l = &r->list[list];

	if (l->n == l->cap) {
		size_t cap = l->cap ? (size_t)l->cap * 2 : 4;
		uint32_t *more;

		if (check_memory(r, (cap - l->cap) * sizeof(*more)) < 0)
			return -1;
		more = realloc(l->at, cap * sizeof(*more));
		if (!more)
			return lu_err_nomem(r->err);
		r->places += (cap - l->cap) * sizeof(*more);
		l->at = more;
		l->cap = cap > UINT32_MAX ? UINT32_MAX : (uint32_t)cap;
	}
	l->at[l->n++] = at;
	return 0;
}

/* Gives back what a list has too much; where that fails, nothing is lost. */
static void shrink(struct run *r, uint32_t list)
{
	struct places *l = &r->list[list];
	uint32_t *less = l->n ? realloc(l->at, l->n * sizeof(*less)) : NULL;

	if (!less)
		return;
	r->places -= (uint64_t)(l->cap - l->n) * sizeof(*less);
	l->at = less;
	l->cap = l->n;
}

/* --- queue -------------------------------------------------------------------------------- */

static inline bool ahead(const struct run *r, const struct entry *x, const struct entry *y)
{
	const struct pair *p, *q;

	if (x->key != y->key)
		return x->key > y->key;
	p = &r->pair[x->pair];
	q = &r->pair[y->pair];
	return p->a != q->a ? p->a < q->a : p->b < q->b;
}

static void sift_down(struct run *r, size_t i)
{
	struct entry *heap = r->heap, v = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= r->queued)
			break;
		if (child + 1 < r->queued && ahead(r, &heap[child + 1], &heap[child]))
			child++;
		if (!ahead(r, &heap[child], &v))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = v;
}

static int enqueue(struct run *r, uint32_t pair, int64_t key, uint32_t list)
{
	struct entry v = { key, pair, list };
	void *p = r->heap;
	size_t i = r->queued;

	if (grow(&p, &r->heap_cap, r->queued, sizeof(*r->heap), r->err) < 0)
		return -1;
	r->heap = p;
	r->queued++;
	while (i > 0 && ahead(r, &v, &r->heap[(i - 1) / 2])) {
		r->heap[i] = r->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	r->heap[i] = v;
	r->pair[pair].state = QUEUED;
	return 0;
}

static void pop(struct run *r)
{
	r->heap[0] = r->heap[--r->queued];
	if (r->queued)
		sift_down(r, 0);
}

/* Pairs that are sought in one pass over the symbols. */
struct sought {
	uint8_t *left, *right; /* by id: is it part of one? */
	uint64_t *key;	       /* open addressing: a << 32 | b, ~0 empty */
	uint32_t *list;
	size_t slots;
};

static int scan(struct run *r, const struct sought *f)
{
	const uint32_t *sym = r->sym;

	for (size_t i = 0, next; i + 1 < r->m->n; i = next) {
		uint32_t a = sym[i], b;
		uint64_t key;
		size_t k;

		if (a >= BORDER) {
			next = i + 1;
			continue;
		}
		next = i + r->chars[a];
		if (!f->left[a] || (b = sym[next]) >= BORDER || !f->right[b])
			continue;
		key = (uint64_t)a << 32 | b;
		for (k = pair_hash(a, b) & (f->slots - 1);
				f->key[k] != UINT64_MAX && f->key[k] != key;)
			k = (k + 1) & (f->slots - 1);
		if (f->key[k] == key && add_place(r, f->list[k], (uint32_t)i) < 0)
			return -1;
	}
	return 0;
}

/* Finds the places of the entries that have none yet, n of them. */
static int find_places(struct run *r, size_t n)
{
	struct sought f = { .slots = 64 };
	int rc = -1;

	while (f.slots < n * 2)
		f.slots *= 2;
	f.left = calloc(r->m->ids, 1);
	f.right = calloc(r->m->ids, 1);
	f.key = malloc(f.slots * sizeof(*f.key));
	f.list = malloc(f.slots * sizeof(*f.list));
	if (!f.left || !f.right || !f.key || !f.list) {
		lu_err_nomem(r->err);
		goto out;
	}
	memset(f.key, 0xff, f.slots * sizeof(*f.key));
	for (size_t i = 0; i < r->queued; i++) {
		struct entry *e = &r->heap[i];
		const struct pair *p = &r->pair[e->pair];
		size_t k;

		if (e->list != NONE)
			continue;
		e->list = new_list(r, 4);
		if (e->list == NONE)
			goto out;
		k = pair_hash(p->a, p->b) & (f.slots - 1);
		while (f.key[k] != UINT64_MAX)
			k = (k + 1) & (f.slots - 1);
		f.key[k] = (uint64_t)p->a << 32 | p->b;
		f.list[k] = e->list;
		f.left[p->a] = f.right[p->b] = 1;
	}
	rc = scan(r, &f);
	for (size_t i = 0; rc == 0 && i < f.slots; i++) {
		if (f.key[i] != UINT64_MAX)
			shrink(r, f.list[i]);
	}
out:
	free(f.left);
	free(f.right);
	free(f.key);
	free(f.list);
	return rc;
}

/* Lets the pairs with the largest counts of those that wait into the queue. 1, or 0 when none can
 * be merged any more, or -1. */
static int lower_floor(struct run *r)
{
	int64_t best = 0, least = (int64_t)r->m->least;
	size_t n = 0;

	for (uint32_t k = 0; k < r->pairs; k++) {
		if (r->pair[k].state == WAITING && r->pair[k].count > best)
			best = r->pair[k].count;
	}
	if (best < least)
		return 0;
	/* Where memory is short, fewer places at a time are worth more passes. */
	r->floor = best / (r->m->memory ? 2 : 4);
	if (r->floor < least)
		r->floor = least;
	for (uint32_t k = 0; k < r->pairs; k++) {
		if (r->pair[k].state != WAITING || r->pair[k].count < r->floor)
			continue;
		if (enqueue(r, k, r->pair[k].count, NONE) < 0)
			return -1;
		n++;
	}
	return find_places(r, n) < 0 ? -1 : 1;
}

/* Takes the next entry to merge off the queue: 1, or 0 when training ends. A key may be out of
 * date, too high: then the entry goes back with what the count is now. */
static int next_entry(struct run *r, struct entry *out)
{
	for (;;) {
		struct entry *top = r->heap;
		struct pair *p;

		if (r->queued == 0) {
			int rc = lower_floor(r);

			if (rc <= 0)
				return rc;
			continue;
		}
		p = &r->pair[top->pair];
		if (p->count == top->key) {
			*out = *top;
			pop(r);
			p->state = DONE;
			return 1;
		}
		if (p->count >= r->floor) {
			top->key = p->count;
			sift_down(r, 0);
			continue;
		}
		p->state = WAITING;
		drop_list(r, top->list);
		pop(r);
	}
}

/* --- merging ------------------------------------------------------------------------------ */

static int touch(struct run *r, int which, uint32_t id, int64_t count)
{
	struct side *s = &r->side[which][id];

	if (s->n++ == 0) {
		struct touched *t = &r->touched[which];
		void *p = t->id;

		if (grow(&p, &t->cap, t->n, sizeof(*t->id), r->err) < 0)
			return -1;
		t->id = p;
		t->id[t->n++] = id;
	}
	s->count += count;
	return 0;
}

/* Makes the two symbols at `at` one, if they are there. 1: done. */
static inline int merge_at(struct run *r, uint32_t at, uint32_t a, uint32_t b, uint32_t id)
{
	uint32_t *sym = r->sym, right = at + r->chars[a], after;
	int64_t count;

	if (sym[at] != a || sym[right] != b)
		return 0;
	after = right + r->chars[b];
	count = count_at(r, at);
	if (sym[at - 1] < BORDER && touch(r, LEFT, sym[at - 1], count) < 0)
		return -1;
	if (sym[after] < BORDER && touch(r, RIGHT, sym[after], count) < 0)
		return -1;
	sym[right - 1] = LU_SYM_INSIDE;
	sym[right] = LU_SYM_INSIDE;
	sym[at] = id;
	sym[after - 1] = id;
	return 1;
}

/* Merges at all places of a list, which then holds those where it was done. */
static int merge_places(struct run *r, struct places *l, uint32_t a, uint32_t b, uint32_t id)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		int rc;

		if (i + AHEAD < l->n)
			__builtin_prefetch(&r->sym[l->at[i + AHEAD]], 1);
		rc = merge_at(r, l->at[i], a, b, id);
		if (rc < 0)
			return -1;
		l->at[n] = l->at[i];
		n += (uint32_t)rc;
	}
	l->n = n;
	return 0;
}

/* Counts the new pairs of `id` with its neighbours, and lowers those that it came from. */
static int update_counts(struct run *r, uint32_t a, uint32_t b, uint32_t id)
{
	size_t unused;

	for (int w = LEFT; w <= RIGHT; w++) {
		for (size_t i = 0; i < r->touched[w].n; i++) {
			uint32_t near = r->touched[w].id[i], k;
			int64_t count = r->side[w][near].count;

			if (count < (int64_t)r->m->least ||
					(r->m->max_chars &&
							(uint64_t)r->chars[near] + r->chars[id] >=
									r->m->max_chars))
				continue;
			k = w == LEFT ? get_pair(r, near, id) : get_pair(r, id, near);
			if (k == NONE)
				return -1;
			r->pair[k].count += count;
		}
	}
	for (int w = LEFT; w <= RIGHT; w++) {
		for (size_t i = 0; i < r->touched[w].n; i++) {
			uint32_t near = r->touched[w].id[i],
				 k = w == LEFT ? find_pair(r, near, a, &unused)
					       : find_pair(r, b, near, &unused);

			if (k != NONE)
				r->pair[k].count -= r->side[w][near].count;
		}
	}
	return 0;
}

/* Queues the new pair of `id` with a neighbour, if it is frequent enough. 1 when it was. */
static int queue_new(struct run *r, int which, uint32_t near, uint32_t id)
{
	struct side *s = &r->side[which][near];
	size_t unused;
	uint32_t k = which == LEFT ? find_pair(r, near, id, &unused)
				   : find_pair(r, id, near, &unused);

	if (k == NONE || r->pair[k].count < r->floor)
		return 0;
	s->list = new_list(r, s->n);
	if (s->list == NONE)
		return -1;
	return enqueue(r, k, r->pair[k].count, s->list) < 0 ? -1 : 1;
}

/* Goes over the places merged once more, to note the new pairs' places. */
static int note_places(struct run *r, const struct places *l, uint32_t id)
{
	const uint32_t *sym = r->sym;

	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t at = l->at[i], left = sym[at - 1], right = sym[at + r->chars[id]], list;

		if (i + AHEAD < l->n)
			__builtin_prefetch(&sym[l->at[i + AHEAD]]);
		if (left < BORDER && (list = r->side[LEFT][left].list) != NONE &&
				add_place(r, list, at - r->chars[left]) < 0)
			return -1;
		if (right < BORDER && (list = r->side[RIGHT][right].list) != NONE &&
				add_place(r, list, at) < 0)
			return -1;
	}
	return 0;
}

static void clear_sides(struct run *r)
{
	for (int w = LEFT; w <= RIGHT; w++) {
		for (size_t i = 0; i < r->touched[w].n; i++)
			r->side[w][r->touched[w].id[i]] = (struct side){ .list = NONE };
		r->touched[w].n = 0;
	}
}

static int grow_sides(struct run *r)
{
	size_t cap = r->side_cap ? r->side_cap : 1024;

	if (r->m->ids <= r->side_cap)
		return 0;
	while (cap < r->m->ids)
		cap *= 2;
	for (int w = LEFT; w <= RIGHT; w++) {
		struct side *s = realloc(r->side[w], cap * sizeof(*s));

		if (!s)
			return lu_err_nomem(r->err);
		r->side[w] = s;
		for (size_t i = r->side_cap; i < cap; i++)
			s[i] = (struct side){ .list = NONE };
	}
	r->side_cap = cap;
	return 0;
}

static int record(struct run *r, uint32_t a, uint32_t b)
{
	void *p = r->m->merge;

	if (grow(&p, &r->merge_cap, r->m->merges, sizeof(*r->m->merge), r->err) < 0)
		return -1;
	r->m->merge = p;
	r->m->merge[r->m->merges++] = (struct lu_bpe_pair){ a, b };
	return 0;
}

static int merge_entry(struct run *r, const struct entry *e)
{
	struct pair p = r->pair[e->pair];
	uint32_t id;
	int wanted = 0, rc = r->m->piece(r->m->ctx, p.a, p.b, &id, r->err);

	if (rc <= 0) {
		drop_list(r, e->list);
		return rc;
	}
	if (grow_sides(r) < 0 || record(r, p.a, p.b) < 0 ||
			merge_places(r, &r->list[e->list], p.a, p.b, id) < 0 ||
			update_counts(r, p.a, p.b, id) < 0)
		return -1;
	for (int w = LEFT; w <= RIGHT; w++) {
		for (size_t i = 0; i < r->touched[w].n; i++) {
			rc = queue_new(r, w, r->touched[w].id[i], id);
			if (rc < 0)
				return -1;
			wanted |= rc;
		}
	}
	if (wanted && note_places(r, &r->list[e->list], id) < 0)
		return -1;
	clear_sides(r);
	drop_list(r, e->list);
	return 0;
}

/* --- all ---------------------------------------------------------------------------------- */

/* Counts the pairs of neighbours. */
static int count_pairs(struct run *r)
{
	int64_t count = 0;

	for (uint32_t i = 0; i + 1 < r->m->n; i++) {
		uint32_t k;

		if (r->sym[i + 1] >= BORDER)
			continue;
		if (r->sym[i] >= BORDER) {
			count = count_at(r, i + 1);
			continue;
		}
		k = get_pair(r, r->sym[i], r->sym[i + 1]);
		if (k == NONE)
			return -1;
		r->pair[k].count += count;
	}
	return 0;
}

int lu_learn_run(struct lu_learn *m, struct lu_err *err)
{
	struct run r = { .m = m,
		.err = err,
		.sym = m->sym,
		.chars = m->chars,
		.floor = INT64_MAX,
		.free_list = NONE };
	struct entry e;
	int rc = -1;

	m->merge = NULL;
	m->merges = 0;
	if (grow_slots(&r) < 0 || count_pairs(&r) < 0)
		goto out;
	rc = 1;
	while (m->ids < m->max_ids && (rc = next_entry(&r, &e)) > 0) {
		rc = merge_entry(&r, &e);
		if (rc < 0)
			break;
	}
	if (rc > 0)
		rc = 0;
out:
	for (uint32_t i = 0; i < r.lists; i++)
		free(r.list[i].at);
	free(r.list);
	free(r.heap);
	free(r.pair);
	free(r.slot);
	free(r.side[LEFT]);
	free(r.side[RIGHT]);
	free(r.touched[LEFT].id);
	free(r.touched[RIGHT].id);
	return rc;
}
