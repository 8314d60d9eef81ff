#ifndef LUCIE_MIX_SHARDS_H
#define LUCIE_MIX_SHARDS_H
/*
 * The documents of shards, taken from their ledgers, as the input of a plan. A ledger has id,
 * source, license and lang; a recipe that selects by category matches nothing there.
 */
#include "libcommon/mix/allow.h"
#include "libcommon/mix/pool.h"

struct lu_mix_found {
	uint64_t bytes;	   /* of text */
	const char *empty; /* a shard without documents, or NULL */
	const char *unnamed; /* a shard whose tokenizer is not known, though that of others is; NULL */
};

/* Add all documents of the shards to the pool, and the shards to the plan (strings in its arena).
 * Documents whose licence is not allowed are in no group, and counted. Shards of different tokenizers, as far as their manifests name them, are an error. */
int lu_mix_shards(char **prefix, size_t n, const struct lu_recipe *r, struct lu_allow *allow,
		struct lu_pool *pool, struct lu_plan *plan, struct lu_mix_found *found,
		struct lu_err *err) LU_CHECKED;

#endif
