#ifndef LUCIE_SHARD_VERIFY_H
#define LUCIE_SHARD_VERIFY_H
/*
 * Verification of a shard against everything that is known of it: the manifest's own hash, the
 * size and hash of each file, the index against the tokens, each id against the vocabulary, the
 * ids at both ends of each document, the ledger against the index, all totals.
 *
 *	struct lu_verify v = { .fault = on_fault, .ctx = ctx };
 *	rc = lu_shard_verify(&v, "shards/fr", &err);	0: good; 1: v.faults faults; -1: error
 *
 * Each fault is one sentence that starts with the file. Faults of one kind in one file are
 * reported together, with their number and the position of the first.
 * Files of teachers (teacher.h) that lie beside the shard are read too.
 * A shard without ledger and manifest (of another writer) is checked as far as possible.
 *
 * Each file is read once, sequentially; memory is some MiB and the totals.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/hash/hash.h"

struct lu_verify {
	void (*fault)(void *ctx, const char *sentence);
	/* Called with the bytes that were read since the last call; NULL: nobody asks. */
	void (*progress)(void *ctx, uint64_t bytes);
	void *ctx;
	const struct lu_hash128 *tokenizer; /* the only one allowed; NULL: any */
	const char *tokenizer_name;	    /* its file, for the sentence */
	uint64_t vocab; /* ids must be below it as well; 0: only the manifest's */

	/* Out. The totals are set if the index could be read. */
	uint64_t faults;
	uint64_t documents, sequences, tokens;
	/* Documents without a token of their own, besides those that begin and end each; the first of
	 * them, and its raw "id", which is empty without a ledger. */
	uint64_t empty, first_empty;
	char first_empty_id[128];
	uint64_t bytes; /* of text, where there is a ledger */
	uint64_t parts; /* 0: not split */
	unsigned width;
	bool has_manifest, masked;
	uint64_t targets; /* where it is masked: tokens that are trained */
};

/* Bytes of all files of a shard as its manifest says, for progress; 0 where it has none. */
uint64_t lu_shard_bytes(const char *prefix);

int lu_shard_verify(struct lu_verify *v, const char *prefix, struct lu_err *err) LU_CHECKED;

#endif
