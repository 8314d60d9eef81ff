#ifndef LUCIE_MIX_POOL_H
#define LUCIE_MIX_POOL_H
/*
 * The documents available to a mix: size, group and language of each, 14 bytes a document.
 *
 *	struct lu_pool pool = { 0 };
 *	lu_pool_shard(&pool, &err);			before the documents of each shard
 *	lu_pool_add(&pool, group, size, lang, &err);	in order
 *	lu_pool_plan(&pool, &plan, recipe, &err);	groups and ranges of the plan
 *	... lu_solve_cut(&plan, demand, lu_pool_size, &pool, &err) ...
 *	lu_pool_count_mix(&pool, &plan);		the mix by language
 *	lu_pool_release(&pool);
 *
 * A mix over a stream of documents is one shard.
 */
#include "libcommon/mix/langs.h"
#include "libcommon/mix/plan.h"
#include "libcommon/mix/recipe.h"

struct lu_pool {
	/* By document: */
	struct LU_VEC(uint64_t) size;
	struct LU_VEC(uint32_t) group; /* LU_RECIPE_NONE: in no group */
	struct LU_VEC(uint16_t) lang;  /* its label's number */
	struct LU_VEC(uint64_t) first; /* by shard: its first document */
	struct lu_langs langs;
};

static inline uint64_t lu_pool_docs(const struct lu_pool *p)
{
	return p->size.n;
}

int lu_pool_shard(struct lu_pool *p, struct lu_err *err) LU_CHECKED;
int lu_pool_add(struct lu_pool *p, uint32_t group, uint64_t size, struct lu_str lang,
		struct lu_err *err) LU_CHECKED;
/* Set the plan's groups: documents, tokens and ranges, in memory of the plan, and the recipe's
 * names, which must outlive it. A group without documents, or whose documents are all of size 0,
 * is an error. */
int lu_pool_plan(const struct lu_pool *p, struct lu_plan *plan, const struct lu_recipe *r,
		struct lu_err *err) LU_CHECKED;
/* Take groups without documents out of the recipe, unless all are. Before lu_pool_plan(). */
int lu_pool_drop_absent(struct lu_pool *p, struct lu_recipe *r, struct lu_err *err) LU_CHECKED;
/* A lu_plan_size_fn; ctx is the pool. */
int lu_pool_size(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err);
/* Set docs_after and size_after of the languages. */
void lu_pool_count_mix(struct lu_pool *p, const struct lu_plan *plan);
/* The rows of the plan's groups, for the table, malloc'd; NULL when memory is out. */
struct lu_mix_row *lu_plan_rows(const struct lu_plan *plan);
void lu_pool_release(struct lu_pool *p);

#endif
