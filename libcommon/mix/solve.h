#ifndef LUCIE_MIX_SOLVE_H
#define LUCIE_MIX_SOLVE_H
/*
 * From a recipe and the size of each group to a plan, in integers (128-bit products).
 *
 *	struct lu_demand d[groups];			kind, amount and max_epochs of the recipe,
 *							name and size by the caller
 *	lu_solve_quotas(d, groups, total, &mix_size, &err);	sets the quotas
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
	uint64_t size;	/* of the group, in the recipe's unit: above 0 and below 2^61 */
	uint64_t quota; /* out */
};

/* total: 0 where the recipe gives none. *mix_size: the sum of the quotas. Errors say why the recipe
 * cannot be met with these sizes: shares that do not add up, more epochs than allowed, nothing
 * left for a group. */
int lu_solve_quotas(struct lu_demand *d, size_t n, uint64_t total, uint64_t *mix_size,
		struct lu_err *err) LU_CHECKED;

/* The plan has its seed and unit, and each group its name, documents, tokens and ranges. Each
 * group is cut at the document boundary nearest to its quota. size_of() returns tokens. A group that would give
 * no document is an error. */
int lu_solve_cut(struct lu_plan *plan, const struct lu_demand *d, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err) LU_CHECKED;

#endif
