#ifndef LUCIE_SHARD_HOLDOUT_H
#define LUCIE_SHARD_HOLDOUT_H
/*
 * Which documents are held out, for validation for example, and under which name: a share of
 * them, chosen by a hash of a key (the text, an id), so that neither the order of the documents
 * nor what else is in the corpus changes it, and equal keys go the same way.
 *
 *	struct lu_holdouts h = { 0 };
 *	lu_holdout_add(&h, "valid-{lang}=0.01", &err);	any number of times
 *	const struct lu_holdout *o = lu_holdout_choose(&h, seed, key);	NULL: not held out
 *	lu_holdout_name(o, lang, &arena, &name, &err);
 *	lu_holdouts_release(&h);
 *
 * The key's XXH3-64, read as a fraction, is compared with the shares laid end to end. When a share
 * is changed, documents move only between this holdout, those after it and the rest.
 */
#include <stdbool.h>

#include "libcommon/base/arena.h"

struct lu_holdout {
	struct lu_str name; /* may hold {lang}; points into the argument */
	uint64_t below;	    /* of hashes */
	bool all;	    /* the shares up to here add up to 1 */
};

struct lu_holdouts {
	struct lu_holdout *item;
	size_t n;
	double sum;
};

/* NAME=SHARE. -1 with the reason when it is no such thing. */
int lu_holdout_add(struct lu_holdouts *h, const char *arg, struct lu_err *err) LU_CHECKED;
const struct lu_holdout *lu_holdout_choose(
		const struct lu_holdouts *h, uint64_t seed, struct lu_str key);
/* The name with {lang} filled in, code:rust as code-rust; 1 when lang cannot stand in a file
 * name. */
int lu_holdout_name(const struct lu_holdout *o, struct lu_str lang, struct lu_arena *arena,
		struct lu_str *name, struct lu_err *err) LU_CHECKED;
void lu_holdouts_release(struct lu_holdouts *h);

#endif
