#ifndef LUCIE_MIX_MIXING_H
#define LUCIE_MIX_MIXING_H
/*
 * A mix from recipe to tables: what lucie-mix(1) does between reading and writing, over documents, over
 * shards, or over the sizes that the recipe states.
 *
 *	struct lu_mixing m = { .path = "recipe.ini", .allow = { .patterns = NULL } };
 *	lu_recipe_read(&m.recipe, m.path, &err);
 *	... documents: lu_arrange_new(&m.arrange), lu_arrange_add(); shards: lu_mix_shards() ...
 *	lu_mixing_solve(&m, &err);		m.plan, or lu_mixing_stated(&m, &err)
 *	lu_mixing_describe(&m, &extra, &err);	m.tables, and the accounting line's "mix"
 *	... m.notes has sentences for the user, each with a newline ...
 *	lu_mixing_release(&m);
 */
#include "libcommon/mix/allow.h"
#include "libcommon/mix/arrange.h"
#include "libcommon/mix/pool.h"
#include "libcommon/sys/stats.h"

/* More epochs than this gain little (Muennighoff et al., "Scaling data-constrained language models",
 * 2023). */
#define LU_MIX_MANY_EPOCHS 4

struct lu_mixing {
	const char *path;
	uint64_t seed;
	bool absent; /* leave groups without documents out */
	struct lu_recipe recipe;
	struct lu_allow allow;
	struct lu_arrange *arrange; /* of documents; NULL: of shards */
	struct lu_pool pool;	    /* of shards */
	struct lu_plan plan;
	struct lu_buf tables, notes;
};

int lu_mixing_solve(struct lu_mixing *m, struct lu_err *err) LU_CHECKED;
int lu_mixing_describe(struct lu_mixing *m, struct lu_buf *extra, struct lu_err *err) LU_CHECKED;
/* Solve and describe the sizes that the recipe states. */
int lu_mixing_stated(struct lu_mixing *m, struct lu_err *err) LU_CHECKED;
/* The counts of a plan over shards. */
int lu_mixing_count(const struct lu_mixing *m, struct lu_stats *s, struct lu_err *err) LU_CHECKED;
void lu_mixing_release(struct lu_mixing *m);

#endif
