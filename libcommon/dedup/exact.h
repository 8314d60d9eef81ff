#ifndef LUCIE_DEDUP_EXACT_H
#define LUCIE_DEDUP_EXACT_H
/*
 * Exact deduplication within a bound of memory: of the documents with one key the best is kept, the
 * others are removed.
 *
 *	struct lu_exact x = LU_EXACT_NONE;
 *	lu_exact_open(&x, &options, &err);
 *	rc = lu_exact_add(&x, &document, &err);		in input order: enum lu_exact_verdict, or -1
 *	lu_exact_finish(&x, &err);			after the last document
 *	lu_exact_rewind(&x);
 *	while ((rc = lu_exact_next(&x, &removed, &err)) > 0)	in input order
 *	lu_exact_close(&x);
 *
 * As long as the first copy is the one to keep and the keys fit (a set in memory, 22 to 28 bytes a
 * distinct key), each document is decided when it is added. When the set is full, and from the start
 * where `late` is set, verdicts come at the end: keys go to a sorter (io/sorter.h), and
 * lu_exact_next() tells which documents were removed. Which of the two happens is a matter of memory
 * only; the verdicts are the same.
 *
 * lu_exact_next() passes over all that were removed, also those decided before, if `list` was set,
 * else over those decided at the end.
 */
#include <stdbool.h>

#include "libcommon/dedup/keyset.h"
#include "libcommon/io/sorter.h"
#include "libcommon/io/spool.h"

struct lu_exact_options {
	bool list;	 /* all that is removed will be asked for */
	bool late;	 /* ranks decide, not the order */
	uint64_t memory; /* bound in bytes; 0: none */
	const char *tmpdir;
	int threads;
};

struct lu_exact_doc {
	struct lu_hash128 key;
	uint64_t rank;	 /* lower is better (keep.h); used with `late` */
	uint64_t number; /* place in the order of documents; of equal ranks the lowest is kept */
	uint64_t origin; /* handed back with documents that were removed in favour of this one */
};

struct lu_exact_removed {
	uint64_t number;
	uint64_t kept, kept_origin; /* 0 for documents that came before the set was full, without `list` */
	uint64_t size;		    /* documents with this key */
};

enum lu_exact_verdict { LU_EXACT_COPY, LU_EXACT_FIRST, LU_EXACT_LATER };

struct lu_exact {
	struct lu_exact_options o;
	struct lu_keyset keys;
	bool later; /* from now on verdicts come at the end */
	struct lu_sorter *all, *removed;
	struct lu_spool sizes, list; /* of groups; struct lu_exact_removed */
	uint64_t at;		     /* in the list, in bytes */
	uint64_t sorted, on_disk;    /* out: keys that were sorted, and those written for it */
};
/* clang-format off */
#define LU_EXACT_NONE { .sizes = LU_SPOOL_NONE, .list = LU_SPOOL_NONE }
/* clang-format on */

int lu_exact_open(struct lu_exact *x, const struct lu_exact_options *o,
		struct lu_err *err) LU_CHECKED;
int lu_exact_add(struct lu_exact *x, const struct lu_exact_doc *d, struct lu_err *err) LU_CHECKED;
int lu_exact_finish(struct lu_exact *x, struct lu_err *err) LU_CHECKED;
/* Begin the list, any number of times. */
void lu_exact_rewind(struct lu_exact *x);
int lu_exact_next(struct lu_exact *x, struct lu_exact_removed *r, struct lu_err *err) LU_CHECKED;
void lu_exact_close(struct lu_exact *x); /* LU_EXACT_NONE is fine */

#endif
