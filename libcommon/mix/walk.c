/* The order of a plan: see lucie-plan(5). */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/rng.h"
#include "libcommon/mix/plan.h"

__extension__ typedef unsigned __int128 u128;

struct head {
	uint64_t at;	/* occurrences given */
	uint64_t count; /* occurrences in all */
	uint64_t all;	/* what they measure in all */
	uint64_t given; /* what was given so far */
	uint64_t pass, in_pass, stream;
	struct lu_plan_place next;
};

struct lu_plan_walk {
	const struct lu_plan *plan;
	lu_plan_size_fn *size_of;
	void *ctx;
	struct head *head; /* one a group */
};

struct lu_plan_place lu_plan_document(const struct lu_plan_group *g, uint64_t i)
{
	size_t low = 0, high = g->ranges;

	LU_ASSERT(i < g->documents);
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (g->before[middle] <= i)
			low = middle;
		else
			high = middle;
	}
	return (struct lu_plan_place){ .shard = g->range[low].shard,
		.document = g->range[low].first + (i - g->before[low]) };
}

/* Makes the head's next document ready. */
static void load(struct lu_plan_walk *w, size_t group)
{
	const struct lu_plan_group *g = &w->plan->group[group];
	struct head *h = &w->head[group];

	if (h->at == h->count)
		return;
	if (h->in_pass == g->documents) {
		h->pass++;
		h->in_pass = 0;
		h->stream = lu_rand_stream(g->name, h->pass);
	}
	h->next = lu_plan_document(
			g, lu_rand_permute(w->plan->seed, h->stream, h->in_pass, g->documents));
	h->next.size = w->size_of(w->ctx, h->next.shard, h->next.document);
	h->next.group = group;
	h->next.pass = h->pass;
}

int lu_plan_walk_new(struct lu_plan_walk **out, const struct lu_plan *p, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err)
{
	struct lu_plan_walk *w = calloc(1, sizeof(*w));

	if (!w)
		return lu_err_nomem(err);
	*w = (struct lu_plan_walk){ .plan = p, .size_of = size_of, .ctx = ctx };
	w->head = calloc(p->groups ? p->groups : 1, sizeof(*w->head));
	if (!w->head) {
		free(w);
		return lu_err_nomem(err);
	}
	for (size_t i = 0; i < p->groups; i++) {
		const struct lu_plan_group *g = &p->group[i];
		struct head *h = &w->head[i];

		h->count = g->passes * g->documents + g->last;
		h->all = p->by_documents ? h->count : g->planned;
		h->stream = lu_rand_stream(g->name, 0);
		load(w, i);
	}
	*out = w;
	return 0;
}

/* What the next document measures. */
static uint64_t step(const struct lu_plan_walk *w, const struct head *h)
{
	return w->plan->by_documents ? 1 : h->next.size;
}

/* Whether a's next document stands before b's: (2 S + L) / 2 A, compared crosswise. */
static bool before(const struct lu_plan_walk *w, const struct head *a, const struct head *b)
{
	u128 x = (u128)(2 * a->given + step(w, a)) * b->all;
	u128 y = (u128)(2 * b->given + step(w, b)) * a->all;

	return x < y;
}

int lu_plan_next(struct lu_plan_walk *w, struct lu_plan_place *place, struct lu_err *err)
{
	struct head *first = NULL;

	for (size_t i = 0; i < w->plan->groups; i++) {
		struct head *h = &w->head[i];

		if (h->at < h->count && (!first || before(w, h, first)))
			first = h;
	}
	if (!first)
		return 0;
	*place = first->next;
	if (step(w, first) > first->all - first->given)
		goto differs;
	first->given += step(w, first);
	first->in_pass++;
	if (++first->at == first->count && first->given != first->all)
		goto differs;
	load(w, (size_t)place->group);
	return 1;
differs:
	return lu_err_set(err, "group %s: its documents do not measure what the plan says",
			w->plan->group[place->group].name);
}

void lu_plan_walk_free(struct lu_plan_walk *w)
{
	if (!w)
		return;
	free(w->head);
	free(w);
}
