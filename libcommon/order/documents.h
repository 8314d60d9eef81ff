#ifndef LUCIE_ORDER_DOCUMENTS_H
#define LUCIE_ORDER_DOCUMENTS_H
/*
 * The documents of a token stream (mix/stream.h), found by their numbers: where each begins and how
 * long it is. A stream by itself knows tokens; rows of whole documents (rows.h) need this table.
 *
 *	struct lu_documents d = { 0 };
 *	lu_documents_read(&d, stream, &err)
 *	... lu_documents_get(&d, i) for i < d.n ...
 *	lu_documents_release(&d);
 *
 * A document is an entry of a shard's document index; in a plan each time that a document is read is
 * one, and those without tokens are left out. Documents of fewer than two tokens have no label:
 * `usable` counts the others, and lu_documents_usable() finds the k-th of them.
 *
 * Memory: 4 bytes a document, and 16 for each 64 of them. Reading costs a pass over the indexes, about
 * 10 ns a document of a shard and half a microsecond a document of a plan. Part of the bare build.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/mix/stream.h"

struct lu_documents {
	uint64_t n, usable;
	uint32_t *length;
	uint64_t *begin; /* of documents 0, 64, 128 ...: first token */
	uint64_t *rank;	 /* usable documents before them */
	size_t cap, blocks_cap, ranks_cap;
};

/* Tokens begin .. begin + n - 1 of the stream. */
struct lu_row_span {
	uint64_t begin, n;
};

/* A document of more than 2^32 - 1 tokens is an error. On failure there is nothing to release. */
int lu_documents_read(
		struct lu_documents *d, const struct lu_stream *s, struct lu_err *err) LU_CHECKED;
void lu_documents_release(struct lu_documents *d);

/* Document i, below n. */
struct lu_row_span lu_documents_get(const struct lu_documents *d, uint64_t i);
/* The number of the k-th document of two tokens or more; k is below `usable`. */
uint64_t lu_documents_usable(const struct lu_documents *d, uint64_t k);

#endif
