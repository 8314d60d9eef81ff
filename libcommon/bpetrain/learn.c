#include "libcommon/bpetrain/learn.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/search.h"
#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/candidates.h"
#include "libcommon/bpetrain/pair_counts.h"
#include "libcommon/bpetrain/positions.h"

#define BOUNDARY LU_SYM_BOUNDARY
#define NO_PAIR LU_PAIR_NONE
#define NO_LIST LU_POSITIONS_NONE
/* How many occurrences ahead the symbols are prefetched. */
#define PREFETCH 16

enum side { LEFT, RIGHT };

/* What a merge changes for one neighbour of the merged pair, on one side. */
struct delta {
	int64_t count;	    /* occurrences of the neighbour beside the merged pair, weighted */
	uint32_t n;	    /* number of these positions, unweighted; 0: no neighbour */
	uint32_t positions; /* list of the new pair, or NO_LIST */
};

struct deltas {
	struct delta *by_id;
	struct LU_VEC(uint32_t) id; /* the neighbours: ids with n > 0 */
};

struct state {
	struct lu_bpe_learner *m;
	struct lu_err *err;
	uint32_t *sym;
	const uint32_t *chars;

	struct lu_budget budget;
	struct lu_pair_counts pairs;
	struct lu_candidates heap;
	struct lu_position_lists positions;
	int64_t threshold; /* pairs with this count or more are candidates */

	struct deltas delta[2];
	size_t delta_cap;

	struct lu_long_word last_long; /* looked up last */
	struct LU_VEC(struct lu_bpe_pair) merge;
};

/* --- counts of words ---------------------------------------------------------------------- */

static int64_t long_word_count(struct state *s, uint32_t at)
{
	const struct lu_long_word *w = s->m->long_word;

	s->last_long = w[lu_search_range(&w->from, s->m->long_words, sizeof(*w), at)];
	return (int64_t)s->last_long.count;
}

/* Count of the word that holds position `at`. */
static inline int64_t word_count_at(struct state *s, uint32_t at)
{
	const uint32_t *p = &s->sym[at];
	uint64_t count;

	if (at - s->last_long.from < s->last_long.to - s->last_long.from)
		return (int64_t)s->last_long.count;
	while (*--p < BOUNDARY) {
		if (&s->sym[at] - p > LU_LONG_WORD)
			return long_word_count(s, at);
	}
	count = *p & (LU_SYM_MORE - 1);
	for (unsigned shift = LU_SYM_BITS; *p & LU_SYM_MORE; shift += LU_SYM_BITS)
		count |= (uint64_t)(*--p & (LU_SYM_MORE - 1)) << shift;
	return (int64_t)count;
}

/* --- pair counts -------------------------------------------------------------------------- */

/* Make room for another pair: drop those that will never be merged, but not while the pairs are
 * counted for the first time, and grow the table if that is not enough. */
static int make_room(struct state *s)
{
	if (s->threshold != INT64_MAX) {
		uint32_t *moved = lu_pair_counts_compact(&s->pairs, (int64_t)s->m->least);

		if (!moved)
			return lu_err_nomem(s->err);
		for (size_t i = 0; i < s->heap.n; i++)
			s->heap.p[i].pair = moved[s->heap.p[i].pair];
		free(moved);
	}
	return lu_pair_counts_reserve(&s->pairs, s->err);
}

/* Index of the pair, which is added if needed; NO_PAIR on failure. */
static uint32_t get_pair(struct state *s, uint32_t left, uint32_t right)
{
	size_t slot;
	uint32_t i = lu_pair_find(&s->pairs, left, right, &slot);

	if (i != NO_PAIR)
		return i;
	if (lu_pair_counts_full(&s->pairs)) {
		if (make_room(s) < 0)
			return NO_PAIR;
		lu_pair_find(&s->pairs, left, right, &slot);
	}
	return lu_pair_add(&s->pairs, left, right, slot, s->err);
}

/* Count all pairs of neighbouring symbols. */
static int count_pairs(struct state *s)
{
	int64_t count = 0;

	for (uint32_t i = 0; i + 1 < s->m->n; i++) {
		uint32_t k;

		if (s->sym[i + 1] >= BOUNDARY)
			continue;
		if (s->sym[i] >= BOUNDARY) {
			count = word_count_at(s, i + 1);
			continue;
		}
		k = get_pair(s, s->sym[i], s->sym[i + 1]);
		if (k == NO_PAIR)
			return -1;
		s->pairs.pair.p[k].count += count;
	}
	return 0;
}

/* --- candidates --------------------------------------------------------------------------- */

static int enqueue(struct state *s, uint32_t pair, uint32_t positions)
{
	struct lu_pair_count *p = &s->pairs.pair.p[pair];

	if (!lu_candidates_push(&s->heap, &s->pairs,
			    (struct lu_candidate){ p->count, pair, positions }))
		return lu_err_nomem(s->err);
	s->budget.held += sizeof(struct lu_candidate);
	p->state = LU_PAIR_QUEUED;
	return 0;
}

static void dequeue(struct state *s)
{
	lu_candidates_pop(&s->heap, &s->pairs);
	s->budget.held -= sizeof(struct lu_candidate);
}

/* The pairs whose positions one pass over the symbols collects. */
struct wanted {
	uint8_t *left, *right; /* by id: it is the left, the right part of one */
	uint64_t *key;	       /* open addressing: left << 32 | right; UINT64_MAX: empty */
	uint32_t *list;
	size_t slots;
};

static int wanted_init(struct wanted *w, size_t n, uint32_t ids, struct lu_err *err)
{
	*w = (struct wanted){ .slots = 64 };
	while (w->slots < n * 2)
		w->slots *= 2;
	w->left = calloc(ids, 1);
	w->right = calloc(ids, 1);
	w->key = malloc(w->slots * sizeof(*w->key));
	w->list = malloc(w->slots * sizeof(*w->list));
	if (!w->left || !w->right || !w->key || !w->list)
		return lu_err_nomem(err);
	memset(w->key, 0xff, w->slots * sizeof(*w->key));
	return 0;
}

static void wanted_release(struct wanted *w)
{
	free(w->left);
	free(w->right);
	free(w->key);
	free(w->list);
}

static void wanted_add(struct wanted *w, const struct lu_pair_count *p, uint32_t list)
{
	size_t k = lu_pair_hash(p->left, p->right) & (w->slots - 1);

	while (w->key[k] != UINT64_MAX)
		k = (k + 1) & (w->slots - 1);
	w->key[k] = (uint64_t)p->left << 32 | p->right;
	w->list[k] = list;
	w->left[p->left] = w->right[p->right] = 1;
}

static int scan_symbols(struct state *s, const struct wanted *w)
{
	const uint32_t *sym = s->sym;

	for (size_t i = 0, next; i + 1 < s->m->n; i = next) {
		uint32_t left = sym[i], right;
		uint64_t key;
		size_t k;

		if (left >= BOUNDARY) {
			next = i + 1;
			continue;
		}
		next = i + s->chars[left];
		if (!w->left[left] || (right = sym[next]) >= BOUNDARY || !w->right[right])
			continue;
		key = (uint64_t)left << 32 | right;
		for (k = lu_pair_hash(left, right) & (w->slots - 1);
				w->key[k] != UINT64_MAX && w->key[k] != key;)
			k = (k + 1) & (w->slots - 1);
		if (w->key[k] == key &&
				lu_positions_push(&s->positions, w->list[k], (uint32_t)i, s->err) <
						0)
			return -1;
	}
	return 0;
}

/* Collect the positions of the n candidates that have no list. */
static int find_positions(struct state *s, size_t n)
{
	struct wanted w;
	int rc = wanted_init(&w, n, s->m->ids, s->err);

	for (size_t i = 0; rc == 0 && i < s->heap.n; i++) {
		struct lu_candidate *c = &s->heap.p[i];

		if (c->positions != NO_LIST)
			continue;
		c->positions = lu_positions_new(&s->positions, 4, s->err);
		if (c->positions == NO_LIST)
			rc = -1;
		else
			wanted_add(&w, &s->pairs.pair.p[c->pair], c->positions);
	}
	if (rc == 0)
		rc = scan_symbols(s, &w);
	for (size_t i = 0; rc == 0 && i < w.slots; i++) {
		if (w.key[i] != UINT64_MAX)
			lu_positions_shrink(&s->positions, w.list[i]);
	}
	wanted_release(&w);
	return rc;
}

/* Lower the threshold, so that the most frequent of the waiting pairs become candidates. Returns
 * 1, 0 if none of them can be merged, or -1 on error. */
static int lower_threshold(struct state *s)
{
	int64_t largest = 0, least = (int64_t)s->m->least;
	size_t n = 0;

	for (size_t k = 0; k < s->pairs.pair.n; k++) {
		const struct lu_pair_count *p = &s->pairs.pair.p[k];

		if (p->state == LU_PAIR_WAITING && p->count > largest)
			largest = p->count;
	}
	if (largest < least)
		return 0;
	/* With a memory limit, fewer positions at a time are worth more passes. */
	s->threshold = largest / (s->m->memory ? 2 : 4);
	if (s->threshold < least)
		s->threshold = least;
	for (uint32_t k = 0; k < s->pairs.pair.n; k++) {
		const struct lu_pair_count *p = &s->pairs.pair.p[k];

		if (p->state != LU_PAIR_WAITING || p->count < s->threshold)
			continue;
		if (enqueue(s, k, NO_LIST) < 0)
			return -1;
		n++;
	}
	return find_positions(s, n) < 0 ? -1 : 1;
}

/* Dequeue the most frequent pair. Returns 1, 0 when there is none to merge, or -1 on error. A
 * candidate whose key is too large goes back into the heap with its count, or waits if that is below the threshold. */
static int next_candidate(struct state *s, struct lu_candidate *out)
{
	for (;;) {
		struct lu_candidate *top = s->heap.p;
		struct lu_pair_count *p;

		if (s->heap.n == 0) {
			int rc = lower_threshold(s);

			if (rc <= 0)
				return rc;
			continue;
		}
		p = &s->pairs.pair.p[top->pair];
		if (p->count == top->key) {
			*out = *top;
			dequeue(s);
			p->state = LU_PAIR_DONE;
			return 1;
		}
		if (p->count >= s->threshold) {
			top->key = p->count;
			lu_candidates_sift_down(&s->heap, &s->pairs);
			continue;
		}
		p->state = LU_PAIR_WAITING;
		lu_positions_drop(&s->positions, top->positions);
		dequeue(s);
	}
}

/* --- merging ------------------------------------------------------------------------------ */

static int add_delta(struct state *s, enum side side, uint32_t id, int64_t count)
{
	struct delta *d = &s->delta[side].by_id[id];

	if (d->n++ == 0 && !lu_vec_push(&s->delta[side].id, id))
		return lu_err_nomem(s->err);
	d->count += count;
	return 0;
}

/* Merge the pair at position `at`. Returns 1, 0 if it is not there any more, or -1 on error. */
static inline int merge_at(struct state *s, uint32_t at, uint32_t left, uint32_t right, uint32_t id)
{
	uint32_t *sym = s->sym, second = at + s->chars[left], after;
	int64_t count;

	if (sym[at] != left || sym[second] != right)
		return 0;
	after = second + s->chars[right];
	count = word_count_at(s, at);
	if (sym[at - 1] < BOUNDARY && add_delta(s, LEFT, sym[at - 1], count) < 0)
		return -1;
	if (sym[after] < BOUNDARY && add_delta(s, RIGHT, sym[after], count) < 0)
		return -1;
	sym[second - 1] = LU_SYM_INSIDE;
	sym[second] = LU_SYM_INSIDE;
	sym[at] = id;
	sym[after - 1] = id;
	return 1;
}

/* Merge the pair at all its positions; the list then holds those that were not stale. */
static int merge_all(
		struct state *s, struct lu_positions *l, uint32_t left, uint32_t right, uint32_t id)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		int rc;

		if (i + PREFETCH < l->n)
			__builtin_prefetch(&s->sym[l->p[i + PREFETCH]], 1);
		rc = merge_at(s, l->p[i], left, right, id);
		if (rc < 0)
			return -1;
		l->p[n] = l->p[i];
		n += (uint32_t)rc;
	}
	l->n = n;
	return 0;
}

/* Add the pairs of `id` with its neighbours, and subtract those that they replace. */
static int update_pair_counts(struct state *s, uint32_t left, uint32_t right, uint32_t id)
{
	const struct lu_bpe_learner *m = s->m;
	size_t unused;

	for (enum side side = LEFT; side <= RIGHT; side++) {
		const struct deltas *d = &s->delta[side];

		for (size_t i = 0; i < d->id.n; i++) {
			uint32_t next = d->id.p[i], k;
			int64_t count = d->by_id[next].count;

			if (count < (int64_t)m->least ||
					(m->max_chars &&
							(uint64_t)s->chars[next] + s->chars[id] >=
									m->max_chars))
				continue;
			k = side == LEFT ? get_pair(s, next, id) : get_pair(s, id, next);
			if (k == NO_PAIR)
				return -1;
			s->pairs.pair.p[k].count += count;
		}
	}
	for (enum side side = LEFT; side <= RIGHT; side++) {
		const struct deltas *d = &s->delta[side];

		for (size_t i = 0; i < d->id.n; i++) {
			uint32_t next = d->id.p[i],
				 k = side == LEFT ? lu_pair_find(&s->pairs, next, left, &unused)
						  : lu_pair_find(&s->pairs, right, next, &unused);

			if (k != NO_PAIR)
				s->pairs.pair.p[k].count -= d->by_id[next].count;
		}
	}
	return 0;
}

/* Enqueue the pair of `id` with a neighbour if its count reaches the threshold. Returns 1 if
 * enqueued, 0 if not, or -1 on error. */
static int enqueue_new_pair(struct state *s, enum side side, uint32_t next, uint32_t id)
{
	struct delta *d = &s->delta[side].by_id[next];
	size_t unused;
	uint32_t k = side == LEFT ? lu_pair_find(&s->pairs, next, id, &unused)
				  : lu_pair_find(&s->pairs, id, next, &unused);

	if (k == NO_PAIR || s->pairs.pair.p[k].count < s->threshold)
		return 0;
	d->positions = lu_positions_new(&s->positions, d->n, s->err);
	if (d->positions == NO_LIST)
		return -1;
	return enqueue(s, k, d->positions) < 0 ? -1 : 1;
}

/* Collect the positions of the new candidates, in a second pass over the merged positions. */
static int collect_positions(struct state *s, const struct lu_positions *l, uint32_t id)
{
	const uint32_t *sym = s->sym;
	const struct delta *left_delta = s->delta[LEFT].by_id;
	const struct delta *right_delta = s->delta[RIGHT].by_id;

	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t at = l->p[i], left = sym[at - 1], right = sym[at + s->chars[id]], list;

		if (i + PREFETCH < l->n)
			__builtin_prefetch(&sym[l->p[i + PREFETCH]]);
		if (left < BOUNDARY && (list = left_delta[left].positions) != NO_LIST &&
				lu_positions_push(&s->positions, list, at - s->chars[left],
						s->err) < 0)
			return -1;
		if (right < BOUNDARY && (list = right_delta[right].positions) != NO_LIST &&
				lu_positions_push(&s->positions, list, at, s->err) < 0)
			return -1;
	}
	return 0;
}

static void clear_deltas(struct state *s)
{
	for (enum side side = LEFT; side <= RIGHT; side++) {
		struct deltas *d = &s->delta[side];

		for (size_t i = 0; i < d->id.n; i++)
			d->by_id[d->id.p[i]] = (struct delta){ .positions = NO_LIST };
		d->id.n = 0;
	}
}

/* Make room for the deltas of all ids in use. */
static int grow_deltas(struct state *s)
{
	size_t cap = s->delta_cap ? s->delta_cap : 1024;

	if (s->m->ids <= s->delta_cap)
		return 0;
	while (cap < s->m->ids)
		cap *= 2;
	for (enum side side = LEFT; side <= RIGHT; side++) {
		struct delta *d = realloc(s->delta[side].by_id, cap * sizeof(*d));

		if (!d)
			return lu_err_nomem(s->err);
		s->delta[side].by_id = d;
		for (size_t i = s->delta_cap; i < cap; i++)
			d[i] = (struct delta){ .positions = NO_LIST };
	}
	s->delta_cap = cap;
	return 0;
}

static int merge_candidate(struct state *s, const struct lu_candidate *c)
{
	struct lu_pair_count p = s->pairs.pair.p[c->pair];
	struct lu_positions *list = &s->positions.list.p[c->positions];
	uint32_t id;
	int queued = 0, rc = s->m->piece(s->m->ctx, p.left, p.right, &id, s->err);

	if (rc <= 0) {
		lu_positions_drop(&s->positions, c->positions);
		return rc;
	}
	if (!lu_vec_push(&s->merge, (struct lu_bpe_pair){ p.left, p.right }))
		return lu_err_nomem(s->err);
	if (grow_deltas(s) < 0 || merge_all(s, list, p.left, p.right, id) < 0 ||
			update_pair_counts(s, p.left, p.right, id) < 0)
		return -1;
	for (enum side side = LEFT; side <= RIGHT; side++) {
		for (size_t i = 0; i < s->delta[side].id.n; i++) {
			rc = enqueue_new_pair(s, side, s->delta[side].id.p[i], id);
			if (rc < 0)
				return -1;
			queued |= rc;
		}
	}
	/* New lists may have moved the old one. */
	list = &s->positions.list.p[c->positions];
	if (queued && collect_positions(s, list, id) < 0)
		return -1;
	clear_deltas(s);
	lu_positions_drop(&s->positions, c->positions);
	return 0;
}

/* --- the loop ----------------------------------------------------------------------------- */

static int learn(struct state *s)
{
	struct lu_candidate c;
	int rc = 1;

	if (lu_pair_counts_reserve(&s->pairs, s->err) < 0 || count_pairs(s) < 0)
		return -1;
	while (s->m->ids < s->m->max_ids && (rc = next_candidate(s, &c)) > 0) {
		if (merge_candidate(s, &c) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

static void release(struct state *s)
{
	lu_pair_counts_release(&s->pairs);
	lu_vec_release(&s->heap);
	lu_position_lists_release(&s->positions);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		free(s->delta[side].by_id);
		lu_vec_release(&s->delta[side].id);
	}
}

int lu_bpe_learn(struct lu_bpe_learner *m, struct lu_err *err)
{
	struct state s = { .m = m,
		.err = err,
		.sym = m->sym,
		.chars = m->chars,
		.budget = { .held = (uint64_t)m->n * sizeof(*m->sym), .limit = m->memory },
		.pairs.budget = &s.budget,
		.positions = { .free_list = NO_LIST, .budget = &s.budget },
		.threshold = INT64_MAX };
	int rc = learn(&s);

	m->merge = s.merge.p;
	m->merges = (uint32_t)s.merge.n;
	release(&s);
	return rc;
}
