#ifndef LUCIE_SHARD_TALLY_H
#define LUCIE_SHARD_TALLY_H
/*
 * Documents, tokens and bytes added up by a value of the ledger: by licence, language, source.
 *
 *	struct lu_tally t = { 0 };
 *	lu_tally_add(&t, value, 1, tokens, bytes, &err);	any number of times
 *	lu_tally_sort(&t);
 *	... t.total[0 .. t.n - 1] ...
 *	lu_tally_release(&t);
 *
 * Values are raw JSON and compared as bytes. Memory grows with the number of different values.
 */
#include "libcommon/shard/manifest.h"

struct lu_tally {
	struct lu_manifest_total *total;
	size_t n, cap;
	size_t *slot;	       /* hash table of indices into total, plus 1 */
	size_t slots;	       /* a power of two */
	struct lu_arena arena; /* the values */
};

int lu_tally_add(struct lu_tally *t, struct lu_str value, uint64_t documents, uint64_t tokens,
		uint64_t bytes, struct lu_err *err) LU_CHECKED;
/* In byte order of the values. Nothing can be added afterwards. */
void lu_tally_sort(struct lu_tally *t);
void lu_tally_release(struct lu_tally *t);

#endif
