#ifndef LUCIE_MINHASH_SET_REDUCER_H
#define LUCIE_MINHASH_SET_REDUCER_H
/*
 * What is kept of one set of near duplicates. Its documents are visited in order of preference. One
 * is removed in favour of the first kept document that it has an estimated similarity of at least
 * `verify` with, else it is kept. So no document is removed for one that it resembles only through
 * others. With verify = 0 all are removed in favour of the first.
 *
 *	struct lu_reducer r;
 *	lu_reducer_init(&r, mh, verify);
 *	lu_reducer_begin(&r);					for each set
 *	rc = lu_reducer_add(&r, doc, fixed, sketch, &kept, &equal, &err);
 *								0: removed for kept; 1: kept; -1
 *	... r.kept[i] and r.size[i], i < r.n: the documents kept and those they stand for
 *	lu_reducer_release(&r);
 *
 * Documents are compared with the first LU_REDUCE_KEPT kept ones of their set, later ones with no
 * other; a document kept beyond them stands for itself alone. This bounds the memory (16 MB with
 * sketches of 112 bytes) and the time (a quarter of a millisecond a document) of a set in which
 * millions hang together by boilerplate without resembling one another.
 */
#include <stdbool.h>

#include "libcommon/base/vec.h"
#include "libcommon/minhash/minhash.h"

#define LU_REDUCE_KEPT 65536

struct lu_reducer {
	const struct lu_minhash *mh;
	unsigned least; /* equal bytes of a duplicate */
	size_t sketch_size;
	size_t n; /* kept documents that others are compared with */
	uint64_t *kept, *size;
	size_t kept_cap, size_cap;
	struct lu_buf sketch; /* of the kept ones, end to end */
};

void lu_reducer_init(struct lu_reducer *r, const struct lu_minhash *mh, double verify);
void lu_reducer_begin(struct lu_reducer *r);
/* A fixed document is kept without being compared. `equal` counts the equal bytes of the sketches
 * of a removed document and `*kept`. */
int lu_reducer_add(struct lu_reducer *r, uint64_t doc, bool fixed, const void *sketch,
		uint64_t *kept, unsigned *equal, struct lu_err *err) LU_CHECKED;
void lu_reducer_release(struct lu_reducer *r);

#endif
