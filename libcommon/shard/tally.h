#ifndef LUCIE_SHARD_TALLY_H
#define LUCIE_SHARD_TALLY_H
/*
 * Documents, tokens and bytes summed up by a value of the ledger: licence, language or source.
 *
 *	struct lu_tally t = { 0 };
 *	lu_tally_add(&t, value, 1, tokens, bytes, &err);	any number of times
 *	lu_tally_sort(&t);
 *	... t.total.p[0 .. t.total.n - 1] ...
 *	lu_tally_release(&t);
 *
 * Values are raw JSON, compared as bytes. Memory grows with the number of distinct values.
 */
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/shard/manifest.h"

struct lu_tally {
	struct LU_VEC(struct lu_manifest_total) total;
	struct lu_map index;   /* of the values, until they are sorted */
	struct lu_arena arena; /* the values */
};

int lu_tally_add(struct lu_tally *t, struct lu_str value, uint64_t documents, uint64_t tokens,
		uint64_t bytes, struct lu_err *err) LU_CHECKED;
/* Sort by the bytes of the values. Nothing can be added afterwards. */
void lu_tally_sort(struct lu_tally *t);
void lu_tally_release(struct lu_tally *t);

#endif
