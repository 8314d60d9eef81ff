#ifndef LUCIE_MIX_STATED_H
#define LUCIE_MIX_STATED_H
/*
 * A mix of the sizes that a recipe states, without documents: what it would come to.
 */
#include "libcommon/mix/quotas.h"
#include "libcommon/mix/table.h"

/* The rows of the groups, malloc'd, for lu_mix_text(), and in `d` the demands with their quotas, one
 * for each group. What the recipe does not state is LU_MIX_UNKNOWN; documents of the mix are an estimate
 * by their mean size. */
int lu_mix_stated(const struct lu_recipe *r, struct lu_demand *d, struct lu_mix_row **rows,
		struct lu_err *err) LU_CHECKED;

#endif
