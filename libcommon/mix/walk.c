#include "libcommon/mix/walk.h"

#include <stdlib.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/search.h"

__extension__ typedef unsigned __int128 u128;

/*
 * Documents of a group that are looked up together, since then neither their permutation nor their
 * sizes wait for one another. After a restore one, then two, four and so on: a short walk needs few
 * documents of most groups.
 */
#define AHEAD 16

/* The state of one group. `done` is in tokens, or in documents for a plan by documents. */
struct cursor {
	uint64_t at, count; /* documents done; in all */
	uint64_t done;
	uint64_t tokens; /* done */
	uint64_t pass, in_pass, stream;
	/* next[used .. have - 1] are looked up; the next document is next[used]. */
	struct lu_plan_entry next[AHEAD];
	size_t used, have, batch;
};

/* The middle of a group's next document as a fraction of the group: part / (2 total). `total` is 0
 * while the group does not compete: it is exhausted, or all that it yields is empty. */
struct key {
	uint64_t part, total;
};

struct lu_plan_walk {
	const struct lu_plan *plan;
	lu_plan_size_fn *size_of;
	void *ctx;
	bool ready; /* keys and tree are set */
	/* By group: */
	struct cursor *cursor;
	struct key *key;
	/* tree[0] is the group that is next. tree[i] is the loser of the match at inner node i, above
	 * nodes 2 i and 2 i + 1; group g is leaf groups + g. */
	size_t *tree, *winner; /* winner: of each node, while the tree is built */
	size_t lowest;	       /* no group below it has documents left */
};

struct lu_plan_entry lu_plan_document(const struct lu_plan_group *g, uint64_t i)
{
	size_t r;

	LU_ASSERT(i < g->documents);
	r = lu_search_range(g->before, g->ranges, sizeof(g->before[0]), i);
	return (struct lu_plan_entry){ .shard = g->range[r].shard,
		.document = g->range[r].first + (i - g->before[r]) };
}

/* What the group yields in all, in the unit of its positions. */
static uint64_t total(const struct lu_plan_walk *w, size_t group)
{
	return w->plan->by_documents ? w->cursor[group].count : w->plan->group[group].planned;
}

/* Look up the next documents of a group that has some. */
static int look_ahead(struct lu_plan_walk *w, size_t group, struct lu_err *err)
{
	const struct lu_plan_group *g = &w->plan->group[group];
	struct cursor *c = &w->cursor[group];
	uint64_t order[AHEAD], n;

	if (c->in_pass == g->documents) {
		c->pass++;
		c->in_pass = 0;
		c->stream = lu_rand_stream(g->name, c->pass);
	}
	n = g->documents - c->in_pass;
	if (n > c->count - c->at)
		n = c->count - c->at;
	if (n > c->batch)
		n = c->batch;
	lu_rand_permute_run(w->plan->seed, c->stream, c->in_pass, (size_t)n, g->documents, order);
	for (uint64_t i = 0; i < n; i++) {
		struct lu_plan_entry *e = &c->next[i];

		*e = lu_plan_document(g, order[i]);
		e->group = group;
		e->pass = c->pass;
		if (w->size_of(w->ctx, e->shard, e->document, &e->size, err) < 0)
			return -1;
	}
	c->used = 0;
	c->have = (size_t)n;
	c->batch = c->batch < AHEAD ? 2 * c->batch : AHEAD;
	return 0;
}

/* Set the group's key to that of its next document. */
static int load(struct lu_plan_walk *w, size_t group, struct lu_err *err)
{
	struct cursor *c = &w->cursor[group];

	if (c->at == c->count) {
		w->key[group] = (struct key){ 0, 0 };
		return 0;
	}
	if (c->used == c->have && look_ahead(w, group, err) < 0)
		return -1;
	w->key[group].part = 2 * c->done + (w->plan->by_documents ? 1 : c->next[c->used].size);
	w->key[group].total = total(w, group);
	return 0;
}

/* --- the tournament ------------------------------------------------------------------------ */

/* True if group a goes before group b. The fractions are compared crosswise, ties go to the lower
 * number. */
static bool before(const struct lu_plan_walk *w, size_t a, size_t b)
{
	const struct key *x = &w->key[a], *y = &w->key[b];
	u128 left = (u128)x->part * y->total, right = (u128)y->part * x->total;

	if (x->total == 0 || y->total == 0)
		return x->total != 0 || (y->total == 0 && a < b);
	return left < right || (left == right && a < b);
}

/* Let all groups play. */
static void build(struct lu_plan_walk *w)
{
	size_t n = w->plan->groups;

	for (size_t i = 2 * n; i-- > n;)
		w->winner[i] = i - n;
	for (size_t i = n; i-- > 1;) {
		size_t a = w->winner[2 * i], b = w->winner[2 * i + 1];
		bool first = before(w, a, b);

		w->winner[i] = first ? a : b;
		w->tree[i] = first ? b : a;
	}
	w->tree[0] = w->winner[1];
	w->lowest = 0;
}

/* Let a group whose key has changed, the winner, play again. */
static void replay(struct lu_plan_walk *w, size_t group)
{
	size_t winner = group;

	for (size_t i = (w->plan->groups + group) / 2; i > 0; i /= 2) {
		if (before(w, w->tree[i], winner)) {
			size_t loser = winner;

			winner = w->tree[i];
			w->tree[i] = loser;
		}
	}
	w->tree[0] = winner;
}

/*
 * The group whose document is next; plan->groups: none. A group all of whose documents are empty has
 * no fractions to compare. Its turn is when no group before it has documents left.
 */
static size_t choose(struct lu_plan_walk *w)
{
	size_t n = w->plan->groups;

	while (w->lowest < n && w->cursor[w->lowest].at == w->cursor[w->lowest].count)
		w->lowest++;
	if (w->lowest == n || w->key[w->lowest].total == 0)
		return w->lowest;
	return w->tree[0];
}

/* --- walking ------------------------------------------------------------------------------ */

int lu_plan_walk_new(struct lu_plan_walk **out, const struct lu_plan *p, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err)
{
	struct lu_plan_walk *w = calloc(1, sizeof(*w));
	size_t n = p->groups ? p->groups : 1;

	*out = NULL;
	if (!w)
		return lu_err_nomem(err);
	*w = (struct lu_plan_walk){ .plan = p, .size_of = size_of, .ctx = ctx };
	w->cursor = calloc(n, sizeof(*w->cursor));
	w->key = calloc(n, sizeof(*w->key));
	w->tree = calloc(n, sizeof(*w->tree));
	w->winner = calloc(n, 2 * sizeof(*w->winner));
	if (!w->cursor || !w->key || !w->tree || !w->winner) {
		lu_plan_walk_free(w);
		return lu_err_nomem(err);
	}
	for (size_t i = 0; i < p->groups; i++) {
		const struct lu_plan_group *g = &p->group[i];

		w->cursor[i].count = g->passes * g->documents + g->last;
		w->cursor[i].stream = lu_rand_stream(g->name, 0);
		w->cursor[i].batch = 1;
	}
	*out = w;
	return 0;
}

static int start(struct lu_plan_walk *w, struct lu_err *err)
{
	for (size_t i = 0; i < w->plan->groups; i++) {
		if (load(w, i, err) < 0)
			return -1;
	}
	if (w->plan->groups)
		build(w);
	w->ready = true;
	return 0;
}

static int differs(const struct lu_plan_walk *w, size_t group, struct lu_err *err)
{
	return lu_err_set(err, "group %s: the sizes of its documents do not add up to the plan's",
			w->plan->group[group].name);
}

int lu_plan_walk_next(struct lu_plan_walk *w, struct lu_plan_entry *e, struct lu_err *err)
{
	struct cursor *c;
	uint64_t step;
	size_t group;

	if (!w->ready && start(w, err) < 0)
		return -1;
	group = choose(w);
	if (group == w->plan->groups)
		return 0;
	c = &w->cursor[group];
	*e = c->next[c->used++];
	step = w->plan->by_documents ? 1 : e->size;
	if (step > total(w, group) - c->done)
		return differs(w, group, err);
	c->done += step;
	c->tokens += e->size;
	c->in_pass++;
	if (++c->at == c->count &&
			(c->done != total(w, group) || c->tokens != w->plan->group[group].planned))
		return differs(w, group, err);
	if (load(w, group, err) < 0)
		return -1;
	/* One that has its turn without a fraction is no winner, and remains where it is. */
	if (group == w->tree[0])
		replay(w, group);
	return 1;
}

void lu_plan_walk_free(struct lu_plan_walk *w)
{
	if (!w)
		return;
	free(w->cursor);
	free(w->key);
	free(w->tree);
	free(w->winner);
	free(w);
}

/* --- marks -------------------------------------------------------------------------------- */

void lu_plan_walk_marks(const struct lu_plan_walk *w, struct lu_plan_mark *mark)
{
	for (size_t i = 0; i < w->plan->groups; i++)
		mark[i] = (struct lu_plan_mark){ w->cursor[i].at, w->cursor[i].tokens };
}

int lu_plan_walk_restore(
		struct lu_plan_walk *w, const struct lu_plan_mark *mark, struct lu_err *err)
{
	w->ready = false;
	for (size_t i = 0; i < w->plan->groups; i++) {
		const struct lu_plan_group *g = &w->plan->group[i];
		struct cursor *c = &w->cursor[i];
		uint64_t pass;

		if (mark[i].documents > c->count || mark[i].tokens > g->planned ||
				(mark[i].documents == c->count && mark[i].tokens != g->planned))
			return lu_err_set(err, "group %s: cannot be there", g->name);
		c->at = mark[i].documents;
		c->tokens = mark[i].tokens;
		c->done = w->plan->by_documents ? c->at : c->tokens;
		pass = c->at / g->documents;
		c->in_pass = c->at % g->documents;
		if (pass != c->pass)
			c->stream = lu_rand_stream(g->name, pass);
		c->pass = pass;
		c->used = c->have = 0;
		c->batch = 1;
	}
	return start(w, err);
}
