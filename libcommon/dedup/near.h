#ifndef LUCIE_DEDUP_NEAR_H
#define LUCIE_DEDUP_NEAR_H
/*
 * Near duplicates among any number of documents, within a bound of memory: the stages of
 * near_stages.h in one process. Knows nothing of documents but their signatures, which may come
 * from another process.
 *
 *	struct lu_near *n = NULL;
 *	struct lu_near_options o = { .mh = mh, .verify = 0.71, .memory = std->memory,
 *		.tmpdir = std->tmpdir, .threads = std->threads };
 *	lu_near_new(&n, &o, &err);
 *	lu_near_add_fixed(n, signature, &err);		documents of an index, before all others
 *	lu_near_add(n, signature, rank, &err);		in input order
 *	lu_near_run(n, NULL, NULL, &err);
 *	lu_near_next(n, &verdict, &err);		for each document, in the order of addition
 *	lu_near_free(n);
 *
 * The verdicts are a function of the signatures, their order and the ranks. In particular they
 * depend on neither memory nor threads.
 *
 * Memory without a bound: a signature (224 bytes for 14 x 8), 8 bytes and, during the first stage,
 * 32 more a document; then up to 100 bytes a document for each bucket that it shares, and 16 a
 * document with an edge. With a bound, signatures that fill half of it go to the temporary
 * directory: 14 x 16 bytes a document for the pairs, twice that while they are merged in passes,
 * and 9 and the sketch, or the signature if `keep_signatures` is set. At most 2^52 documents.
 */
#include <stdbool.h>

#include "libcommon/minhash/minhash.h"

struct lu_near;

struct lu_near_options {
	const struct lu_minhash *mh;
	double verify; /* least estimated similarity of duplicates; 0: every candidate is one */
	bool keep_signatures; /* for lu_near_verdict.signature */
	uint64_t memory;      /* bound in bytes; 0: none */
	const char *tmpdir;
	int threads;
};

/* Told of each document of each cluster of two or more, cluster by cluster; the kept document comes
 * first (equal to v->doc). v->signature is NULL. */
struct lu_near_verdict;
typedef int lu_near_told_fn(void *ctx, const struct lu_near_verdict *v, struct lu_err *err);

struct lu_near_verdict {
	uint64_t doc;
	uint64_t kept;	       /* doc, if it stays */
	double similarity;     /* of a removed document with the kept one */
	uint64_t size;	       /* of a kept one: the documents it stands for, with itself; else 0 */
	const void *signature; /* if kept; valid until the next call */
};

int lu_near_new(struct lu_near **n, const struct lu_near_options *o, struct lu_err *err) LU_CHECKED;
int lu_near_add_fixed(struct lu_near *n, const void *signature, struct lu_err *err) LU_CHECKED;
/* Of similar documents that of the lowest rank is kept, the first of several. */
int lu_near_add(struct lu_near *n, const void *signature, uint64_t rank,
		struct lu_err *err) LU_CHECKED;
/* Leave out a document that was added (an exact duplicate that was found later). Its verdict means
 * nothing. Takes a bit a document. */
int lu_near_exclude(struct lu_near *n, uint64_t doc, struct lu_err *err) LU_CHECKED;
bool lu_near_excluded(const struct lu_near *n, uint64_t doc);
/* `told` may be NULL. */
int lu_near_run(struct lu_near *n, lu_near_told_fn *told, void *ctx, struct lu_err *err) LU_CHECKED;
int lu_near_next(struct lu_near *n, struct lu_near_verdict *v, struct lu_err *err) LU_CHECKED;
/* Documents added. */
uint64_t lu_near_docs(const struct lu_near *n);
void lu_near_free(struct lu_near *n); /* NULL is fine */

#endif
