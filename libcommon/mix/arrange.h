#ifndef LUCIE_MIX_ARRANGE_H
#define LUCIE_MIX_ARRANGE_H
/*
 * The order of a mix of documents, within a bound of memory: the same as that of a walk (walk.h) over a
 * plan of the same groups, sizes and seed, found by sorting instead of looking sizes up.
 *
 *	struct lu_arrange *a;
 *	struct lu_arrange_options o = { .memory = 512 << 20, .tmpdir = dir, .threads = 2, .seed = 0 };
 *	lu_arrange_new(&a, &o, &err);
 *	lu_arrange_add(a, group, size, lang, NULL, &err);	each document, in the order of the input
 *	lu_arrange_plan(a, &recipe, absent, &plan, &err);	groups of the plan, without ranges
 *	... the quotas: quotas.h ...
 *	lu_arrange_cut(a, &plan, demand, &err);			passes, last and planned of the groups
 *	while ((rc = lu_arrange_next(a, &e, &err)) > 0)		in the order of the mix
 *		... document e.document for the (e.pass + 1)-th time ...
 *	lu_arrange_free(a);
 *
 * It takes four passes over numbers. (1) Sizes and groups go to a temporary file as the documents come.
 * (2) Each document is looked up in the inverse of its group's permutation, for every pass over the
 * group, and the results are sorted by group, pass and place: now the sizes stand in the order of the
 * mix, so that the last pass is cut, and sums give each document its position. (3) Positions, which are
 * fractions, are written with 127 bits, which tells any two apart, since denominators are below 2^63.
 * (4) Sorted by position, then by group, this is the order.
 *
 * Memory is a table of the groups and the sorter's bound; disk about 120 bytes for each document of the
 * mix. Languages are counted on the way.
 */
#include "libcommon/mix/langs.h"
#include "libcommon/mix/solve.h"

/* A document's place in a curriculum: compared as bytes. */
#define LU_ARRANGE_KEY 32

struct lu_arrange_options {
	uint64_t memory; /* 0: no bound */
	const char *tmpdir;
	int threads;
	uint64_t seed;
	bool by_documents;
	bool by_key; /* each pass in the order of the keys, ties in that of the input */
};

struct lu_arrange_entry {
	uint64_t document; /* as added, from 0 */
	uint64_t pass;	   /* from 0 */
};

struct lu_arrange;
int lu_arrange_new(struct lu_arrange **a, const struct lu_arrange_options *o,
		struct lu_err *err) LU_CHECKED;
void lu_arrange_free(struct lu_arrange *a); /* NULL is fine */

/* `size` is in the recipe's unit. `key` has LU_ARRANGE_KEY bytes where the options say by_key. */
int lu_arrange_add(struct lu_arrange *a, uint32_t group, uint64_t size, struct lu_str lang,
		const unsigned char *key, struct lu_err *err) LU_CHECKED;
struct lu_langs *lu_arrange_langs(struct lu_arrange *a);

/* Set the plan's groups: names, documents and tokens, in memory of the plan. A group of the recipe
 * without documents is an error, or with `absent` is taken out of the recipe; one whose documents are
 * all of size 0 is an error. */
int lu_arrange_plan(struct lu_arrange *a, struct lu_recipe *r, bool absent, struct lu_plan *plan,
		struct lu_err *err) LU_CHECKED;
/* As lu_solve_cut(); also counts the languages of the mix. */
int lu_arrange_cut(struct lu_arrange *a, struct lu_plan *plan, const struct lu_demand *d,
		struct lu_err *err) LU_CHECKED;
/* 1: the next document; 0: no more, and not to be called again; -1. */
int lu_arrange_next(
		struct lu_arrange *a, struct lu_arrange_entry *e, struct lu_err *err) LU_CHECKED;

#endif
