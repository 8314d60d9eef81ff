#ifndef LUCIE_DEDUP_JOIN_H
#define LUCIE_DEDUP_JOIN_H
/*
 * Clusters of near duplicates from MinHash signatures. Knows nothing of documents: the signatures
 * may come from another process.
 *
 *	struct lu_join join;
 *	lu_join_init(&join, mh);
 *	lu_join_add(&join, signature, length, &err);	in input order: documents 0, 1, 2, ...
 *	lu_join_run(&join, &options, &err);
 *	... join.kept[i]: the document kept for document i; i itself when it is kept
 *	... join.cluster_size[i]: for one that is kept, the documents it stands for, with itself
 *	lu_join_release(&join);
 *
 * Steps, each a pure function of the signatures and their order:
 *  1. Documents that share a band key fall into one bucket. Each is compared with the centres of
 *     its bucket (its first document is one): an estimated similarity of at least `verify` is an
 *     edge; a document without an edge becomes a centre, up to LU_JOIN_CENTRES of them. So the
 *     number of edges is at most documents times centres, however large the bucket.
 *  2. Union-find over an array. The root of a set is its smallest document number, whatever the
 *     order of the edges.
 *  3. In each set, documents are visited in order of preference (first in the input, or longest
 *     and then first). One is removed for the first kept document that it estimates a similarity
 *     of at least `verify` with, else it is kept. So no document is removed for one that it
 *     resembles only through others.
 * With verify = 0 every document of a bucket has an edge and one document of each set is kept:
 * connected components, as in most tools, chains included.
 *
 * Memory: a signature (224 bytes for 14 x 8) and 28 bytes a document, and a table of 4 to 8
 * bytes a document during the first step. At most 2^32 - 2 documents.
 */
#include <stdbool.h>

#include "libcommon/base/vec.h"
#include "libcommon/dedup/minhash.h"

#define LU_JOIN_CENTRES 16

struct lu_join_options {
	double verify; /* least estimated similarity of an edge; 0: every candidate is one */
	bool longest;  /* prefer the longest document, else the first */
};

struct lu_join {
	const struct lu_minhash *mh;
	size_t signature_size;
	struct LU_VEC(unsigned char) signatures; /* end to end */
	struct LU_VEC(uint64_t) length;
	uint32_t docs;
	uint32_t *kept;
	uint32_t *cluster_size;
	uint32_t *next; /* chains of centres, then of kept documents */
};

void lu_join_init(struct lu_join *j, const struct lu_minhash *mh);
/* `length` is that of the text, for `longest`. */
int lu_join_add(struct lu_join *j, const void *signature, uint64_t length,
		struct lu_err *err) LU_CHECKED;
int lu_join_run(struct lu_join *j, const struct lu_join_options *options,
		struct lu_err *err) LU_CHECKED;
/* Estimated similarity of two documents. */
double lu_join_similarity(const struct lu_join *j, uint32_t a, uint32_t b);
void lu_join_release(struct lu_join *j);

#endif
