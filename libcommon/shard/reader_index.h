#ifndef LUCIE_SHARD_READER_INDEX_H
#define LUCIE_SHARD_READER_INDEX_H
/*
 * One .idx file of a shard, for reader.h.
 *
 *	struct lu_idx x = { 0 };
 *	if (lu_idx_open(&x, "fr.idx", &err) < 0) ...
 *	if (lu_idx_check(&x, bytes of fr.bin, LU_IDX_OURS, &err) < 0) ...
 *	lu_idx_document(&x, i, &begin, &end, &err);
 *	lu_idx_close(&x);				after a failure too; twice is fine
 *
 * Check compares magic, version, type and counts with the sizes of the files. Unless LU_IDX_TRUST is
 * set it also checks every length, pointer and document boundary, so that no look-up can fail but for
 * a failing disk. With it only the header and the ends of the arrays are read; then every look-up
 * checks what it reads, and a damaged index is an error, not a wrong place in memory. Both answer
 * alike.
 *
 * Tokens are counted from the start of the .bin file beside the index.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/sys/mapped.h"

struct lu_idx {
	struct lu_mapped file;
	char *path;
	unsigned width; /* bytes of an id */
	uint64_t tokens, sequences, documents;
	uint64_t lengths, pointers, bounds; /* where the arrays begin */
	/* plain: document i is sequence i. */
	bool trust, plain;
};

int lu_idx_open(struct lu_idx *x, const char *path, struct lu_err *err) LU_CHECKED;
#define LU_IDX_OURS 1u	/* of a shard with a manifest: each document is one sequence */
#define LU_IDX_TRUST 2u /* only together with LU_IDX_OURS */
int lu_idx_check(struct lu_idx *x, uint64_t bin_bytes, unsigned flags,
		struct lu_err *err) LU_CHECKED;
void lu_idx_close(struct lu_idx *x);

/* Tokens of document i, below `documents`; the fastest look-up, which of a plain index reads four
 * bytes. */
int lu_idx_size(const struct lu_idx *x, uint64_t i, uint64_t *tokens,
		struct lu_err *err) LU_CHECKED;
/* Document i has the tokens begin .. end - 1. */
int lu_idx_document(const struct lu_idx *x, uint64_t i, uint64_t *begin, uint64_t *end,
		struct lu_err *err) LU_CHECKED;
/* The document with the token at pos, which is below `tokens`. */
int lu_idx_find(const struct lu_idx *x, uint64_t pos, uint64_t *i, struct lu_err *err) LU_CHECKED;

#endif
