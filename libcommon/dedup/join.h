#ifndef LUCIE_DEDUP_JOIN_H
#define LUCIE_DEDUP_JOIN_H
/*
 * From signatures to clusters of near duplicates. Knows nothing of documents: the signatures may
 * come from another process.
 *
 *	struct lu_join join;
 *	lu_join_init(&join, mh);
 *	lu_join_add(&join, signature, length, &err);	in input order: documents 0, 1, 2, ...
 *	lu_join_solve(&join, &how, &err);
 *	... join.kept[i]: the document that stays for document i, itself when it stays
 *	... join.size[i]: for one that stays, the documents it stands for, with itself
 *	lu_join_release(&join);
 *
 * Steps, all of them pure functions of the signatures and their order:
 *  1. Documents that share the key of a band meet in a bucket. Each is compared with the bucket's
 *     centres (the first document is one): where the estimated similarity reaches `verify`, that is
 *     an edge; a document without an edge becomes a centre, up to LU_JOIN_CENTRES of them. So
 *     there are never more edges than documents times centres, however hot the bucket.
 *  2. Union-find over an array; the root of a set is its smallest document number, whatever the
 *     order of the edges.
 *  3. In each set, documents are taken by preference (first, or longest first and then first); one
 *     is removed for the first of those that stay to which its own estimate reaches `verify`, else
 *     it stays. So no document is removed for one that it resembles only through others.
 * With verify = 0 every meeting is an edge and one document of each set stays: connected
 * components, as most tools have them, chains included.
 *
 * Memory: a signature (224 bytes for 14 x 8) and 28 bytes a document, and a table of 4 to 8
 * bytes a document during the first step. At most 2^32 - 2 documents.
 */
#include <stdbool.h>

#include "libcommon/dedup/minhash.h"

#define LU_JOIN_CENTRES 16

struct lu_join_how {
	double verify; /* least estimated similarity; 0: do not ask */
	bool longest;  /* prefer the longest, else the first */
};

struct lu_join {
	const struct lu_minhash *mh;
	size_t size_each;
	unsigned char *signature; /* all of them, one behind the other */
	uint64_t *length;
	uint32_t docs, cap;
	uint32_t *kept;
	uint32_t *size;
	uint32_t *next; /* scratch of the steps */
};

void lu_join_init(struct lu_join *j, const struct lu_minhash *mh);
/* `length`: of the text, for `longest`. */
int lu_join_add(struct lu_join *j, const void *signature, uint64_t length,
		struct lu_err *err) LU_CHECKED;
int lu_join_solve(struct lu_join *j, const struct lu_join_how *how, struct lu_err *err) LU_CHECKED;
/* Estimated similarity of two documents. */
double lu_join_similarity(const struct lu_join *j, uint32_t a, uint32_t b);
void lu_join_release(struct lu_join *j);

#endif
