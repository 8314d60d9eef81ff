#ifndef LUCIE_SHARD_VERIFY_H
#define LUCIE_SHARD_VERIFY_H
/*
 * Is a shard what it says it is? Everything that can be checked is: the manifest's own hash, the
 * size and hash of each file, the index against the tokens, every id against the vocabulary,
 * the ids that begin and end each document, the ledger against the index, all totals.
 *
 *	struct lu_verify v = { .fault = on_fault, .ctx = ctx };
 *	rc = lu_shard_verify(&v, "shards/fr", &err);	0: good; 1: v.faults faults; -1: trouble
 *
 * Each fault is one sentence that starts with the file. Faults of one kind in one file are
 * counted, with the place of the first, and so are one sentence.
 * A shard without ledger and manifest (of another writer) is checked as far as it can be.
 *
 * Each file is read once, from front to back; memory is some MiB and the totals.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/hash/hash.h"

struct lu_verify {
	void (*fault)(void *ctx, const char *sentence);
	void *ctx;
	const struct lu_hash128 *tokenizer; /* it must be made by this one; NULL: any */
	uint64_t vocab; /* ids must be below this as well; 0: what the manifest says */

	/* Out. The totals are there when the index could be read. */
	uint64_t faults;
	uint64_t documents, tokens;
	uint64_t bytes; /* of text, where there is a ledger */
	uint64_t parts; /* 0: not split */
	unsigned width;
	bool has_manifest;
};

int lu_shard_verify(struct lu_verify *v, const char *prefix, struct lu_err *err) LU_CHECKED;

#endif
