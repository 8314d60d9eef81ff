#ifndef LUCIE_SHARD_LOOKUP_H
#define LUCIE_SHARD_LOOKUP_H
/*
 * From tokens to documents: many lookups at once, in any order and in any number of shards, with
 * one pass over each ledger.
 *
 *	struct lu_lookup l = { 0 };
 *	lu_lookup_add(&l, shard, pos, n, tag, &err);	any number of times
 *	lu_lookup_resolve(&l, &err);			once
 *	... l.item.p[0 .. l.item.n - 1] ...
 *	lu_lookup_release(&l);
 *
 * A range of tokens becomes one item for each document that it touches. After resolve the items
 * are sorted by tag, and those of equal tags in the order in which they were added.
 * Memory: about 150 bytes an item and the strings of its document.
 */
#include "libcommon/base/vec.h"
#include "libcommon/shard/ledger.h"

struct lu_lookup_item {
	const struct lu_shard *shard;
	uint64_t from, to; /* tokens from .. to - 1 of the shard, all of one document */
	uint64_t tag, added;
	struct lu_ledger_doc doc;
};

struct lu_lookup {
	struct LU_VEC(struct lu_lookup_item) item;
	struct lu_arena arena; /* the strings */
};

/* Tokens pos .. pos + n - 1; the shard must stay open until release. */
int lu_lookup_add(struct lu_lookup *l, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err) LU_CHECKED;
int lu_lookup_resolve(struct lu_lookup *l, struct lu_err *err) LU_CHECKED;
void lu_lookup_release(struct lu_lookup *l);

#endif
