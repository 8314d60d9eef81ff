#include "libcommon/mix/pool.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"

int lu_pool_shard(struct lu_pool *p, struct lu_err *err)
{
	uint64_t *first = realloc(p->first, (p->shards + 1) * sizeof(*first));

	if (!first)
		return lu_err_nomem(err);
	p->first = first;
	first[p->shards++] = p->docs;
	return 0;
}

static int grow(struct lu_pool *p, struct lu_err *err)
{
	uint64_t cap = p->cap ? p->cap + p->cap / 2 : 1024;
	uint64_t *size = realloc(p->size, cap * sizeof(*size));
	uint32_t *group;
	uint16_t *lang;

	if (!size)
		return lu_err_nomem(err);
	p->size = size;
	group = realloc(p->group, cap * sizeof(*group));
	if (!group)
		return lu_err_nomem(err);
	p->group = group;
	lang = realloc(p->lang, cap * sizeof(*lang));
	if (!lang)
		return lu_err_nomem(err);
	p->lang = lang;
	p->cap = cap;
	return 0;
}

/* Documents of a language tend to follow one another, and there are few. */
static int find_lang(struct lu_pool *p, struct lu_str lang, uint16_t *index, struct lu_err *err)
{
	struct lu_pool_lang *l;

	if (!lang.p || lang.n == 0)
		lang = LU_STR("none");
	if (p->docs > 0 && lu_str_is(lang, p->lang_of[p->lang[p->docs - 1]].name)) {
		*index = p->lang[p->docs - 1];
		return 0;
	}
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < p->langs; i++) {
			if (lu_str_is(lang, p->lang_of[i].name)) {
				*index = (uint16_t)i;
				return 0;
			}
		}
		if (p->langs < LU_POOL_LANGS)
			break;
		lang = LU_STR("other");
	}
	l = realloc(p->lang_of, (p->langs + 1) * sizeof(*l));
	if (!l)
		return lu_err_nomem(err);
	p->lang_of = l;
	l[p->langs] = (struct lu_pool_lang){ .name = strndup(lang.p, lang.n) };
	if (!l[p->langs].name)
		return lu_err_nomem(err);
	*index = (uint16_t)p->langs++;
	return 0;
}

int lu_pool_add(struct lu_pool *p, uint32_t group, uint64_t size, struct lu_str lang,
		struct lu_err *err)
{
	uint16_t index = 0;

	if (p->docs == p->cap && grow(p, err) < 0)
		return -1;
	if (find_lang(p, lang, &index, err) < 0)
		return -1;
	p->size[p->docs] = size;
	p->group[p->docs] = group;
	p->lang[p->docs++] = index;
	p->lang_of[index].docs++;
	p->lang_of[index].size += size;
	return 0;
}

static uint64_t shard_end(const struct lu_pool *p, size_t shard)
{
	return shard + 1 < p->shards ? p->first[shard + 1] : p->docs;
}

/* Calls for each stretch of documents of one group in one shard. */
typedef void range_fn(struct lu_plan_group *g, struct lu_plan_range range);

static void each_range(const struct lu_pool *p, struct lu_plan *plan, range_fn *fn)
{
	for (size_t shard = 0; shard < p->shards; shard++) {
		uint64_t end = shard_end(p, shard), k;

		for (uint64_t i = p->first[shard]; i < end; i = k) {
			for (k = i + 1; k < end && p->group[k] == p->group[i]; k++)
				;
			if (p->group[i] != LU_RECIPE_NONE)
				fn(&plan->group[p->group[i]],
						(struct lu_plan_range){ shard, i - p->first[shard],
								k - i });
		}
	}
}

static void count_range(struct lu_plan_group *g, struct lu_plan_range range)
{
	g->ranges++;
	g->documents += range.count;
}

/* `documents` is counted up again, so that it is `before` on the way. */
static void set_range(struct lu_plan_group *g, struct lu_plan_range range)
{
	g->before[g->ranges] = g->documents;
	g->range[g->ranges++] = range;
	g->documents += range.count;
}

int lu_pool_plan(const struct lu_pool *p, struct lu_plan *plan, const struct lu_recipe *r,
		struct lu_err *err)
{
	plan->groups = r->groups;
	plan->group = lu_arena_alloc(&plan->arena, r->groups * sizeof(*plan->group));
	if (!plan->group)
		return lu_err_nomem(err);
	for (size_t i = 0; i < r->groups; i++)
		plan->group[i] = (struct lu_plan_group){ .name = r->group[i].name };
	each_range(p, plan, count_range);
	for (size_t i = 0; i < r->groups; i++) {
		struct lu_plan_group *g = &plan->group[i];

		if (g->documents == 0)
			return lu_err_set(err, "group %s: no document matches", g->name);
		g->range = lu_arena_alloc(&plan->arena, g->ranges * sizeof(*g->range));
		g->before = lu_arena_alloc(&plan->arena, g->ranges * sizeof(*g->before));
		if (!g->range || !g->before)
			return lu_err_nomem(err);
		g->ranges = g->documents = 0;
	}
	each_range(p, plan, set_range);
	for (uint64_t i = 0; i < p->docs; i++) {
		if (p->group[i] != LU_RECIPE_NONE)
			plan->group[p->group[i]].tokens += p->size[i];
	}
	for (size_t i = 0; i < r->groups; i++) {
		if (plan->group[i].tokens == 0)
			return lu_err_set(err, "group %s: its documents are empty",
					plan->group[i].name);
		if (plan->group[i].tokens > UINT64_MAX >> 3)
			return lu_err_set(err, "group %s: too large", plan->group[i].name);
	}
	return 0;
}

uint64_t lu_pool_size(void *ctx, uint64_t shard, uint64_t document)
{
	const struct lu_pool *p = ctx;

	return p->size[p->first[shard] + document];
}

void lu_pool_after(struct lu_pool *p, const struct lu_plan *plan)
{
	for (uint64_t i = 0; i < p->docs; i++) {
		struct lu_pool_lang *l = &p->lang_of[p->lang[i]];
		uint64_t passes;

		if (p->group[i] == LU_RECIPE_NONE)
			continue;
		passes = plan->group[p->group[i]].passes;
		l->docs_after += passes;
		l->size_after += passes * p->size[i];
	}
	for (size_t g = 0; g < plan->groups; g++) {
		const struct lu_plan_group *group = &plan->group[g];
		uint64_t stream = lu_rand_stream(group->name, group->passes);

		for (uint64_t i = 0; i < group->last; i++) {
			struct lu_plan_place at = lu_plan_document(group,
					lu_rand_permute(plan->seed, stream, i, group->documents));
			uint64_t doc = p->first[at.shard] + at.document;
			struct lu_pool_lang *l = &p->lang_of[p->lang[doc]];

			l->docs_after++;
			l->size_after += p->size[doc];
		}
	}
}

void lu_pool_release(struct lu_pool *p)
{
	for (size_t i = 0; i < p->langs; i++)
		free(p->lang_of[i].name);
	free(p->lang_of);
	free(p->size);
	free(p->group);
	free(p->lang);
	free(p->first);
	*p = (struct lu_pool){ 0 };
}
