#ifndef LUCIE_MIX_POOL_H
#define LUCIE_MIX_POOL_H
/*
 * What there is to mix: for each document its size, group and language, 14 bytes a document.
 *
 *	struct lu_pool pool = { 0 };
 *	lu_pool_shard(&pool, &err);			before the documents of each shard
 *	lu_pool_add(&pool, group, size, lang, &err);	in order
 *	lu_pool_plan(&pool, &plan, recipe, &err);	the plan's groups and their ranges
 *	... lu_solve_cut(&plan, demand, lu_pool_size, &pool, &err) ...
 *	lu_pool_after(&pool, &plan);			what comes out, by language
 *	lu_pool_release(&pool);
 *
 * A mix over a stream of documents is one shard.
 */
#include "libcommon/mix/plan.h"
#include "libcommon/mix/recipe.h"

/* More languages than this are counted as "other": a field full of noise shall not cost time. */
#define LU_POOL_LANGS 1000

struct lu_pool_lang {
	char *name;
	uint64_t docs, size;		 /* there are */
	uint64_t docs_after, size_after; /* come out */
};

struct lu_pool {
	uint64_t *size;
	uint32_t *group; /* LU_RECIPE_NONE: in no group */
	uint16_t *lang;
	uint64_t docs, cap;
	uint64_t *first; /* by shard: its first document */
	size_t shards;
	struct lu_pool_lang *lang_of;
	size_t langs;
};

int lu_pool_shard(struct lu_pool *p, struct lu_err *err) LU_CHECKED;
int lu_pool_add(struct lu_pool *p, uint32_t group, uint64_t size, struct lu_str lang,
		struct lu_err *err) LU_CHECKED;
/* Sets documents, tokens and ranges of the groups, in memory of the plan, with the recipe's names
 * (which must outlive it). A group without a document or without size is an error. */
int lu_pool_plan(const struct lu_pool *p, struct lu_plan *plan, const struct lu_recipe *r,
		struct lu_err *err) LU_CHECKED;
/* A lu_plan_size_fn; ctx is the pool. */
uint64_t lu_pool_size(void *ctx, uint64_t shard, uint64_t document);
/* Fills docs_after and size_after of the languages. */
void lu_pool_after(struct lu_pool *p, const struct lu_plan *plan);
void lu_pool_release(struct lu_pool *p);

#endif
