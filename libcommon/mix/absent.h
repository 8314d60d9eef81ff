#ifndef LUCIE_MIX_ABSENT_H
#define LUCIE_MIX_ABSENT_H
/*
 * Groups of a recipe for which there are no documents: an error, or left out.
 */
#include "libcommon/mix/langs.h"
#include "libcommon/mix/plan.h"

/* Take the groups i with number[i] = 0 out of the recipe, and set number[i] to the new number of the
 * others, to LU_RECIPE_NONE for those. At least one stays. */
void lu_recipe_drop_absent(struct lu_recipe *r, uint32_t *number);
/* Refuse groups without documents, with empty documents only, and above 2^61 tokens. */
int lu_groups_check(const struct lu_plan *plan, const struct lu_langs *langs,
		const struct lu_recipe *r, struct lu_err *err) LU_CHECKED;

#endif
