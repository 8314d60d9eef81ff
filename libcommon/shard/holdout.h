#ifndef LUCIE_SHARD_HOLDOUT_H
#define LUCIE_SHARD_HOLDOUT_H
/*
 * Held-out sets, for validation for example: shares of the documents, selected by a hash of a key
 * (the text, an id). So the selection depends neither on the order of the documents nor on the
 * rest of the corpus, and documents with equal keys go to the same set.
 *
 *	struct lu_holdouts h = { 0 };
 *	lu_holdout_add(&h, "valid-{lang}=0.01", &err);	any number of times
 *	const struct lu_holdout *o = lu_holdout_choose(&h, seed, key);	NULL: not held out
 *	lu_holdout_name(o, lang, &arena, &name, &err);
 *	lu_holdouts_release(&h);
 *
 * The XXH3-64 of the key, as a fraction, is compared with the shares laid end to end. When a share
 * changes, documents move only between this set, those after it and the rest.
 */
#include <stdbool.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/vec.h"

struct lu_holdout {
	struct lu_str name; /* may contain {lang}; points into the argument */
	uint64_t below;	    /* upper end of its range of hashes */
	bool all;	    /* the range ends at 2^64: the shares so far add up to 1 */
	uint64_t documents; /* for the caller to count */
};

struct lu_holdouts {
	struct LU_VEC(struct lu_holdout) item;
	double sum; /* of the shares */
};

/* NAME=SHARE; -1 with the reason when it is malformed. */
int lu_holdout_add(struct lu_holdouts *h, const char *arg, struct lu_err *err) LU_CHECKED;
const struct lu_holdout *lu_holdout_choose(
		const struct lu_holdouts *h, uint64_t seed, struct lu_str key);
/* The name with {lang} replaced (code:rust as code-rust), in the arena; 1 when lang does not fit
 * into a file name. */
int lu_holdout_name(const struct lu_holdout *o, struct lu_str lang, struct lu_arena *arena,
		struct lu_str *name, struct lu_err *err) LU_CHECKED;
/* True if the shares add up to 1, so that nothing is left. */
bool lu_holdouts_take_all(const struct lu_holdouts *h);
void lu_holdouts_release(struct lu_holdouts *h);

#endif
