#include "libcommon/mix/absent.h"

void lu_recipe_drop_absent(struct lu_recipe *r, uint32_t *number)
{
	uint32_t n = 0;

	for (size_t i = 0; i < r->group.n; i++) {
		if (number[i])
			r->group.p[n] = r->group.p[i];
		number[i] = number[i] ? n++ : LU_RECIPE_NONE;
	}
	r->group.n = n;
}

int lu_groups_check(const struct lu_plan *plan, const struct lu_langs *langs,
		const struct lu_recipe *r, struct lu_err *err)
{
	for (size_t i = 0; i < plan->groups; i++) {
		if (plan->group[i].documents == 0)
			return lu_langs_no_document(langs, r, i, err);
	}
	for (size_t i = 0; i < plan->groups; i++) {
		const struct lu_plan_group *g = &plan->group[i];

		if (g->tokens == 0)
			return lu_err_set(err, "group %s: its documents are empty", g->name);
		if (g->tokens > UINT64_MAX >> 3)
			return lu_err_set(err, "group %s: too large", g->name);
	}
	return 0;
}
