#include "libcommon/mix/walk.h"

#include <stdlib.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/search.h"

__extension__ typedef unsigned __int128 u128;

/* The state of one group. `total` and `done` are in tokens, or in documents for a plan by
 * documents. */
struct cursor {
	uint64_t at, count; /* documents done; in all */
	uint64_t done, total;
	uint64_t tokens; /* done */
	uint64_t pass, in_pass, stream;
	struct lu_plan_entry next; /* valid while at < count */
};

struct lu_plan_walk {
	const struct lu_plan *plan;
	lu_plan_size_fn *size_of;
	void *ctx;
	struct cursor *cursor; /* by group */
};

struct lu_plan_entry lu_plan_document(const struct lu_plan_group *g, uint64_t i)
{
	size_t r;

	LU_ASSERT(i < g->documents);
	r = lu_search_range(g->before, g->ranges, sizeof(g->before[0]), i);
	return (struct lu_plan_entry){ .shard = g->range[r].shard,
		.document = g->range[r].first + (i - g->before[r]) };
}

/* Compute the group's next document. */
static void load(struct lu_plan_walk *w, size_t group)
{
	const struct lu_plan_group *g = &w->plan->group[group];
	struct cursor *c = &w->cursor[group];

	if (c->at == c->count)
		return;
	if (c->in_pass == g->documents) {
		c->pass++;
		c->in_pass = 0;
		c->stream = lu_rand_stream(g->name, c->pass);
	}
	c->next = lu_plan_document(
			g, lu_rand_permute(w->plan->seed, c->stream, c->in_pass, g->documents));
	c->next.size = w->size_of(w->ctx, c->next.shard, c->next.document);
	c->next.group = group;
	c->next.pass = c->pass;
}

int lu_plan_walk_new(struct lu_plan_walk **out, const struct lu_plan *p, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err)
{
	struct lu_plan_walk *w = calloc(1, sizeof(*w));

	if (!w)
		return lu_err_nomem(err);
	*w = (struct lu_plan_walk){ .plan = p, .size_of = size_of, .ctx = ctx };
	w->cursor = calloc(p->groups ? p->groups : 1, sizeof(*w->cursor));
	if (!w->cursor) {
		free(w);
		return lu_err_nomem(err);
	}
	for (size_t i = 0; i < p->groups; i++) {
		const struct lu_plan_group *g = &p->group[i];
		struct cursor *c = &w->cursor[i];

		c->count = g->passes * g->documents + g->last;
		c->total = p->by_documents ? c->count : g->planned;
		c->stream = lu_rand_stream(g->name, 0);
		load(w, i);
	}
	*out = w;
	return 0;
}

static uint64_t step(const struct lu_plan_walk *w, const struct cursor *c)
{
	return w->plan->by_documents ? 1 : c->next.size;
}

/* True if the middle of a's next document comes before the middle of b's, each as a fraction of its
 * group: (done + step / 2) / total, compared crosswise. */
static bool before(const struct lu_plan_walk *w, const struct cursor *a, const struct cursor *b)
{
	u128 x = (u128)(2 * a->done + step(w, a)) * b->total;
	u128 y = (u128)(2 * b->done + step(w, b)) * a->total;

	return x < y;
}

int lu_plan_walk_next(struct lu_plan_walk *w, struct lu_plan_entry *e, struct lu_err *err)
{
	struct cursor *first = NULL;

	for (size_t i = 0; i < w->plan->groups; i++) {
		struct cursor *c = &w->cursor[i];

		if (c->at < c->count && (!first || before(w, c, first)))
			first = c;
	}
	if (!first)
		return 0;
	*e = first->next;
	if (step(w, first) > first->total - first->done)
		goto differs;
	first->done += step(w, first);
	first->tokens += e->size;
	first->in_pass++;
	if (++first->at == first->count &&
			(first->done != first->total ||
					first->tokens != w->plan->group[e->group].planned))
		goto differs;
	load(w, (size_t)e->group);
	return 1;
differs:
	return lu_err_set(err, "group %s: the sizes of its documents do not add up to the plan's",
			w->plan->group[e->group].name);
}

void lu_plan_walk_free(struct lu_plan_walk *w)
{
	if (!w)
		return;
	free(w->cursor);
	free(w);
}
