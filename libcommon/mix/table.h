#ifndef LUCIE_MIX_TABLE_H
#define LUCIE_MIX_TABLE_H
/*
 * The composition of a mix, before and after: as text for people, as JSON for the accounting line.
 */
#include "libcommon/mix/pool.h"
#include "libcommon/mix/solve.h"

struct lu_mix_view {
	const struct lu_plan *plan;
	const struct lu_pool *pool; /* after lu_pool_count_mix() */
	const char *unit;	    /* "tokens" */
};

/* Append two tables, by group and by language. */
void lu_mix_text(const struct lu_mix_view *v, struct lu_buf *out);
/* Append the member "mix":{"measure":...,"groups":[...],"languages":[...]}. */
void lu_mix_json(const struct lu_mix_view *v, struct lu_buf *out);

#endif
