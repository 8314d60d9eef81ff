#ifndef LUCIE_MINHASH_LINKS_H
#define LUCIE_MINHASH_LINKS_H
/*
 * Sets of documents that edges connect. Only documents with an edge are counted, most have none.
 *
 *	struct lu_links l = LU_LINKS_NONE;
 *	lu_links_open(&l, memory, tmpdir, threads, &err);
 *	lu_links_add(&l, a, b, &err);			any number of times, in any order
 *	lu_links_join(&l, &err);
 *	... l.doc[i], i < l.n: the documents with an edge, ascending
 *	... lu_links_root(&l, i): the first document of the set of doc[i]
 *	lu_links_close(&l);
 *
 * Edges go to a temporary file. The root of a set is its smallest document number, whatever the
 * order of the edges: union-find over an array (Tarjan 1975), a document being its place among
 * those with an edge.
 *
 * Memory: 16 bytes a document with an edge, within half of `memory` (0: no bound); if that does not
 * suffice, an error that says how much does. The other half sorts.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/io/sorter.h"
#include "libcommon/io/spool.h"

#define LU_LINKS_BYTES 16 /* a document with an edge */

struct lu_links {
	struct lu_sorter *ends;
	struct lu_spool edges;
	uint64_t memory;
	uint64_t *doc;
	uint64_t *parent; /* places in doc[] */
	size_t n;
};
#define LU_LINKS_NONE                  \
	{                              \
		.edges = LU_SPOOL_NONE \
	}

int lu_links_open(struct lu_links *l, uint64_t memory, const char *tmpdir, int threads,
		struct lu_err *err) LU_CHECKED;
int lu_links_add(struct lu_links *l, uint64_t a, uint64_t b, struct lu_err *err) LU_CHECKED;
int lu_links_join(struct lu_links *l, struct lu_err *err) LU_CHECKED;
uint64_t lu_links_root(const struct lu_links *l, size_t i);
void lu_links_close(struct lu_links *l); /* LU_LINKS_NONE is fine */

#endif
