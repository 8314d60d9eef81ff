#ifndef LUCIE_MIX_SHARDS_H
#define LUCIE_MIX_SHARDS_H
/*
 * The documents of shards, from their ledgers, for a plan. A ledger has id, source, license and
 * lang; a recipe that selects by category finds nothing there.
 */
#include "libcommon/mix/pool.h"

/* Adds all documents of the shards to the pool, and the shards themselves to the plan (strings in
 * its arena). *bytes: of their text. */
int lu_mix_shards(char **prefix, size_t n, const struct lu_recipe *r, struct lu_pool *pool,
		struct lu_plan *plan, uint64_t *bytes, struct lu_err *err) LU_CHECKED;

#endif
