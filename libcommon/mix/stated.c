#include "libcommon/mix/stated.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

static struct lu_mix_row row(const struct lu_recipe_group *g, const struct lu_demand *d)
{
	struct lu_mix_row r = { .name = lu_str_of(g->name),
		.docs = LU_MIX_UNKNOWN,
		.size = LU_MIX_UNKNOWN,
		.docs_after = LU_MIX_UNKNOWN,
		.size_after = d->quota,
		.quota = d->quota };

	if (g->documents)
		r.docs = g->documents;
	if (d->size)
		r.size = d->size;
	if (g->documents && d->size)
		r.docs_after = (uint64_t)(((u128)g->documents * d->quota + d->size / 2) / d->size);
	return r;
}

int lu_mix_stated(const struct lu_recipe *r, struct lu_demand *d, struct lu_mix_row **rows,
		struct lu_err *err)
{
	uint64_t mix_size;

	for (size_t i = 0; i < r->group.n; i++)
		d[i] = lu_solve_demand(&r->group.p[i], lu_recipe_stated(r, &r->group.p[i]));
	if (lu_mix_quotas(r, d, true, &mix_size, err) < 0)
		return -1;
	*rows = malloc(r->group.n * sizeof(**rows));
	if (!*rows)
		return lu_err_nomem(err);
	for (size_t i = 0; i < r->group.n; i++)
		(*rows)[i] = row(&r->group.p[i], &d[i]);
	return 0;
}
