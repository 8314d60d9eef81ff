#ifndef LUCIE_MIX_SOLVE_H
#define LUCIE_MIX_SOLVE_H
/*
 * From a recipe and the size of each group to a plan, in integers (128-bit products).
 *
 *	struct lu_demand d[groups];			each by lu_solve_demand()
 *	lu_mix_quotas(&recipe, d, false, &mix_size, &err);	sets the quotas (quotas.h)
 *	lu_solve_cut(&plan, d, size_of, ctx, &err);	sets passes, last and planned of the groups
 *
 * lucie-recipe(5) has the rules.
 */
#include "libcommon/mix/plan.h"
#include "libcommon/mix/recipe.h"
#include "libcommon/mix/walk.h"

struct lu_demand {
	const char *name;
	enum lu_amount kind;
	uint64_t amount, max_epochs;
	/* Of the group, in the recipe's unit: above 0 and below 2^61. 0 where a recipe without
	 * documents does not state it. */
	uint64_t size;
	uint64_t quota;	 /* out */
	uint64_t weight; /* groups that share the rest do so by this, 0: by size; below 2^61 */
};

/* The demand of a group of the recipe that has this size. */
struct lu_demand lu_solve_demand(const struct lu_recipe_group *g, uint64_t size);

/* total: 0 where the recipe gives none. *mix_size: the sum of the quotas. Errors say why the recipe
 * cannot be met with these sizes: shares that do not add up, more epochs than allowed, nothing
 * left for a group. */
int lu_solve_quotas(struct lu_demand *d, size_t n, uint64_t total, uint64_t *mix_size,
		struct lu_err *err) LU_CHECKED;

/* Where all groups have epochs, set the quotas again so that their sum is rounded, not each of them. */
int lu_solve_round_epochs(
		struct lu_demand *d, size_t n, uint64_t *mix_size, struct lu_err *err) LU_CHECKED;

/* Check the quotas against max_epochs and 0; `possible` is the largest mix that the error names, or
 * 0. */
int lu_solve_check(const struct lu_demand *d, size_t n, uint64_t mix_size, uint64_t possible,
		struct lu_err *err) LU_CHECKED;

/* What the group divides the rest by. */
uint64_t lu_solve_weight(const struct lu_demand *d);
/* What the group may have at most, in the recipe's unit; UINT64_MAX: anything. */
uint64_t lu_solve_limit(const struct lu_demand *d);

/*
 * Cutting one group, for whoever reads the sizes of its documents:
 *
 *	lu_cut_begin(&c, d, excess);
 *	while (lu_cut_more(&c))			the next document of pass c.passes
 *		if (!lu_cut_take(&c, step, tokens))
 *			break;
 *	excess = lu_cut_end(&c, plan, group, d, excess, &err);
 *
 * `excess` is what the groups cut so far have over their quotas, which groups that share the rest make
 * up for; they come last. A document counts for `step` in the recipe's unit.
 */
__extension__ typedef __int128 lu_excess;
struct lu_cut {
	uint64_t passes, rest;	    /* whole passes, and what is wanted of one more */
	uint64_t sum, tokens, last; /* of that one so far */
};
void lu_cut_begin(struct lu_cut *c, const struct lu_demand *d, lu_excess excess);
bool lu_cut_more(const struct lu_cut *c);
/* False: the boundary before the document is nearer to the quota. */
bool lu_cut_take(struct lu_cut *c, uint64_t step, uint64_t tokens);
/* Set passes, last, planned and quota of plan->group[i] and add it to the plan; a group that gives no
 * document is an error. */
int lu_cut_end(const struct lu_cut *c, struct lu_plan *plan, size_t i, const struct lu_demand *d,
		lu_excess *excess, struct lu_err *err) LU_CHECKED;

/* The plan has its seed and unit, and each group its name, documents, tokens and ranges. Each group
 * is cut at the document boundary nearest to its quota; one that would give no document is an
 * error. size_of() returns tokens. */
int lu_solve_cut(struct lu_plan *plan, const struct lu_demand *d, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err) LU_CHECKED;

/* Check what the cut cannot do: that a document is used more often than max_epochs allows, rounded up,
 * or that a group yields more tokens than it has in that many passes. */
int lu_solve_verify(const struct lu_plan *plan, const struct lu_demand *d,
		struct lu_err *err) LU_CHECKED;

#endif
