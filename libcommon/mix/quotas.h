#ifndef LUCIE_MIX_QUOTAS_H
#define LUCIE_MIX_QUOTAS_H
/*
 * The quotas of a recipe's groups, by whatever it asks for: shares and epochs (solve.h), or targets and
 * a temperature as well (joint.h).
 */
#include "libcommon/mix/solve.h"

/* d[i] is by lu_solve_demand(), one for each group; sets its quota. With `stated` the sizes are those of
 * the recipe alone; then epochs are not rounded group by group but as a whole, since no document has to
 * be cut. *mix_size: the sum of the quotas. */
int lu_mix_quotas(const struct lu_recipe *r, struct lu_demand *d, bool stated, uint64_t *mix_size,
		struct lu_err *err) LU_CHECKED;

#endif
