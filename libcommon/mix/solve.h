#ifndef LUCIE_MIX_SOLVE_H
#define LUCIE_MIX_SOLVE_H
/*
 * From a recipe and what there is of each group to a plan, in integers (128-bit products).
 *
 *	struct lu_demand d[groups];			kind, amount and max_epochs of the recipe,
 *							name and `have` filled by the caller
 *	lu_solve_quotas(d, groups, total, &whole, &err);	fills quota
 *	lu_solve_cut(&plan, d, size_of, ctx, &err);	fills passes, last and planned of the groups
 *
 * The rules are in lucie-recipe(5).
 */
#include "libcommon/mix/plan.h"
#include "libcommon/mix/recipe.h"

struct lu_demand {
	const char *name;
	enum lu_amount kind;
	uint64_t amount, max_epochs;
	uint64_t have;	/* in the measure, above 0 and below 2^61 */
	uint64_t quota; /* out */
};

/* total: 0 when the recipe gives none. *whole: the size of the mix. Errors say what is wrong with
 * the recipe for these sizes: shares that do not add up, more epochs than allowed, nothing left. */
int lu_solve_quotas(struct lu_demand *d, size_t n, uint64_t total, uint64_t *whole,
		struct lu_err *err) LU_CHECKED;

/* The plan has its seed and measure, and each group its name, documents, tokens and ranges: each is
 * cut at the document boundary nearest to its quota. size_of() tells tokens. Fails when a group
 * would give no document. */
int lu_solve_cut(struct lu_plan *plan, const struct lu_demand *d, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err) LU_CHECKED;

#endif
