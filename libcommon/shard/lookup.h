#ifndef LUCIE_SHARD_LOOKUP_H
#define LUCIE_SHARD_LOOKUP_H
/*
 * Whose tokens are these? Many places at once, in any order and any number of shards, with one
 * pass over each ledger.
 *
 *	struct lu_lookup l = { 0 };
 *	lu_lookup_add(&l, shard, pos, n, tag, &err);	any number of times
 *	lu_lookup_resolve(&l, &err);			once
 *	... l.item[0 .. l.n - 1] ...
 *	lu_lookup_release(&l);
 *
 * A stretch of tokens becomes one item for each document that it touches. After resolve the items
 * are in the order of their tags, and of equal tags in the order in which they were added.
 * Memory: about 150 bytes an item and the strings of its document.
 */
#include "libcommon/shard/ledger.h"

struct lu_lookup_item {
	const struct lu_shard *shard;
	uint64_t from, to; /* tokens from .. to - 1 of the shard, all of one document */
	uint64_t tag, added;
	struct lu_ledger_doc doc;
};

struct lu_lookup {
	struct lu_lookup_item *item;
	size_t n, cap;
	struct lu_arena arena; /* the strings */
};

/* Tokens pos .. pos + n - 1; the shard stays open until release. */
int lu_lookup_add(struct lu_lookup *l, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err) LU_CHECKED;
int lu_lookup_resolve(struct lu_lookup *l, struct lu_err *err) LU_CHECKED;
void lu_lookup_release(struct lu_lookup *l);

#endif
