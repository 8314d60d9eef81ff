#ifndef LUCIE_MIX_SHARDS_H
#define LUCIE_MIX_SHARDS_H
/*
 * The documents of shards, taken from their ledgers, as the input of a plan. A ledger has id,
 * source, license and lang; a recipe that selects by category matches nothing there.
 */
#include "libcommon/mix/pool.h"

/* Add all documents of the shards to the pool, and the shards to the plan (strings in its arena).
 * *bytes is set to the bytes of their text. */
int lu_mix_shards(char **prefix, size_t n, const struct lu_recipe *r, struct lu_pool *pool,
		struct lu_plan *plan, uint64_t *bytes, struct lu_err *err) LU_CHECKED;

#endif
