#include "libcommon/mix/pool.h"

#include "libcommon/base/rng.h"
#include "libcommon/mix/absent.h"
#include "libcommon/mix/walk.h"

int lu_pool_shard(struct lu_pool *p, struct lu_err *err)
{
	return lu_vec_push(&p->first, p->size.n) ? 0 : lu_err_nomem(err);
}

int lu_pool_add(struct lu_pool *p, uint32_t group, uint64_t size, struct lu_str lang,
		struct lu_err *err)
{
	uint32_t number;

	if (lu_langs_add(&p->langs, lang, size, &number, err) < 0)
		return -1;
	if (!lu_vec_reserve(&p->size, 1) || !lu_vec_reserve(&p->group, 1) ||
			!lu_vec_push(&p->lang, (uint16_t)number))
		return lu_err_nomem(err);
	p->size.p[p->size.n++] = size;
	p->group.p[p->group.n++] = group;
	return 0;
}

static uint64_t shard_end(const struct lu_pool *p, size_t shard)
{
	return shard + 1 < p->first.n ? p->first.p[shard + 1] : lu_pool_docs(p);
}

typedef void range_fn(struct lu_plan_group *g, struct lu_plan_range range);

/* Call fn for each run of documents of one group in one shard. */
static void each_range(const struct lu_pool *p, struct lu_plan *plan, range_fn *fn)
{
	for (size_t shard = 0; shard < p->first.n; shard++) {
		uint64_t first = p->first.p[shard], end = shard_end(p, shard), k;

		for (uint64_t i = first; i < end; i = k) {
			uint32_t group = p->group.p[i];

			for (k = i + 1; k < end && p->group.p[k] == group; k++)
				;
			if (group != LU_RECIPE_NONE)
				fn(&plan->group[group],
						(struct lu_plan_range){ shard, i - first, k - i });
		}
	}
}

static void count_range(struct lu_plan_group *g, struct lu_plan_range range)
{
	g->ranges++;
	g->documents += range.count;
}

/* Documents and ranges are counted again from 0. */
static void set_range(struct lu_plan_group *g, struct lu_plan_range range)
{
	g->before[g->ranges] = g->documents;
	g->range[g->ranges++] = range;
	g->documents += range.count;
}

static int set_ranges(const struct lu_pool *p, struct lu_plan *plan, struct lu_err *err)
{
	each_range(p, plan, count_range);
	for (size_t i = 0; i < plan->groups; i++) {
		struct lu_plan_group *g = &plan->group[i];

		g->range = lu_arena_alloc(&plan->arena, g->ranges * sizeof(*g->range));
		g->before = lu_arena_alloc(&plan->arena, g->ranges * sizeof(*g->before));
		if (!g->range || !g->before)
			return lu_err_nomem(err);
		g->ranges = g->documents = 0;
	}
	each_range(p, plan, set_range);
	return 0;
}

int lu_pool_plan(const struct lu_pool *p, struct lu_plan *plan, const struct lu_recipe *r,
		struct lu_err *err)
{
	plan->groups = r->group.n;
	plan->group = lu_arena_alloc(&plan->arena, plan->groups * sizeof(*plan->group));
	if (!plan->group)
		return lu_err_nomem(err);
	for (size_t i = 0; i < plan->groups; i++)
		plan->group[i] = (struct lu_plan_group){ .name = r->group.p[i].name };
	if (set_ranges(p, plan, err) < 0)
		return -1;
	for (uint64_t i = 0; i < lu_pool_docs(p); i++) {
		if (p->group.p[i] != LU_RECIPE_NONE)
			plan->group[p->group.p[i]].tokens += p->size.p[i];
	}
	return lu_groups_check(plan, &p->langs, r, err);
}

int lu_pool_drop_absent(struct lu_pool *p, struct lu_recipe *r, struct lu_err *err)
{
	uint32_t *number = calloc(r->group.n, sizeof(*number));
	bool any = false;

	if (!number)
		return lu_err_nomem(err);
	for (uint64_t i = 0; i < lu_pool_docs(p); i++) {
		if (p->group.p[i] == LU_RECIPE_NONE)
			continue;
		number[p->group.p[i]] = 1;
		any = true;
	}
	if (any) {
		lu_recipe_drop_absent(r, number);
		for (uint64_t i = 0; i < lu_pool_docs(p); i++) {
			if (p->group.p[i] != LU_RECIPE_NONE)
				p->group.p[i] = number[p->group.p[i]];
		}
	}
	free(number);
	return 0;
}

int lu_pool_size(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	const struct lu_pool *p = ctx;

	(void)err;
	*size = p->size.p[p->first.p[shard] + document];
	return 0;
}

static void count_document(struct lu_pool *p, uint64_t doc, uint64_t times)
{
	lu_langs_count(&p->langs, p->lang.p[doc], p->size.p[doc], times);
}

void lu_pool_count_mix(struct lu_pool *p, const struct lu_plan *plan)
{
	for (uint64_t i = 0; i < lu_pool_docs(p); i++) {
		if (p->group.p[i] != LU_RECIPE_NONE)
			count_document(p, i, plan->group[p->group.p[i]].passes);
	}
	for (size_t i = 0; i < plan->groups; i++) {
		const struct lu_plan_group *g = &plan->group[i];
		uint64_t stream = lu_rand_stream(g->name, g->passes);

		for (uint64_t k = 0; k < g->last; k++) {
			struct lu_plan_entry e = lu_plan_document(
					g, lu_rand_permute(plan->seed, stream, k, g->documents));

			count_document(p, p->first.p[e.shard] + e.document, 1);
		}
	}
}

struct lu_mix_row *lu_plan_rows(const struct lu_plan *plan)
{
	struct lu_mix_row *r = malloc((plan->groups + 1) * sizeof(*r));

	for (size_t i = 0; r && i < plan->groups; i++) {
		const struct lu_plan_group *g = &plan->group[i];

		r[i] = (struct lu_mix_row){ lu_str_of(g->name), g->documents, g->tokens,
			g->passes * g->documents + g->last, g->planned, g->quota };
	}
	return r;
}

void lu_pool_release(struct lu_pool *p)
{
	lu_vec_release(&p->size);
	lu_vec_release(&p->group);
	lu_vec_release(&p->lang);
	lu_vec_release(&p->first);
	lu_langs_release(&p->langs);
}
