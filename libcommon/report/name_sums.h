#ifndef LUCIE_REPORT_NAME_SUMS_H
#define LUCIE_REPORT_NAME_SUMS_H
/*
 * Sums by a name, such as the documents and characters of each domain: exact for any number of names,
 * within a bound of memory.
 *
 *	struct lu_sums t = { .values = 2, .by = 1, .top = 40, .memory = 64 << 20, .tmpdir = dir };
 *
 *	for each document
 *		lu_sums_add(&t, domain, (uint64_t[]){ 1, characters }, err);
 *	lu_sums_finish(&t, err);			once, after the last
 *	... t.row.p[0 .. t.row.n - 1], t.rest, t.without, t.names ...
 *	lu_sums_release(&t);
 *
 * What the rows hold does not depend on the order of the documents: neither sums nor which names are
 * among the first. Documents without a name are a row of their own.
 *
 * Names are told apart by their XXH3-128; two of N names are taken for one with probability
 * N^2 / 2^129. A table in memory adds up the names that it has; when it is full, its rows go to a
 * sorter by their hashes (io/sorter.h) and the names to a spool, and the rows of a hash are added up
 * in the end. Of names with equal values the lowest hashes are among the first.
 */
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/sorter.h"
#include "libcommon/io/spool.h"

#define LU_SUMS_VALUES 48
#define LU_SUMS_TOP 100000

struct lu_sums_row {
	struct lu_str name;
	uint64_t *value; /* `values` of them */
};

struct lu_sums_entry; /* name_sums.c */

struct lu_sums {
	/* Set by the caller. */
	size_t values;	    /* 1 .. LU_SUMS_VALUES */
	size_t by;	    /* the value that ranks the names */
	size_t top;	    /* names to keep, at most LU_SUMS_TOP */
	uint64_t memory;    /* bound in bytes; 0: none */
	const char *tmpdir; /* must outlive the table */

	/* The result: rows by value in descending order, then by name. */
	struct LU_VEC(struct lu_sums_row) row;
	uint64_t rest[LU_SUMS_VALUES];	  /* sums of the names without a row */
	uint64_t without[LU_SUMS_VALUES]; /* sums of the documents without a name */
	uint64_t names;			  /* distinct */

	/* Private. */
	struct LU_VEC(struct lu_sums_entry *) entry;
	struct lu_map map;
	struct lu_arena arena; /* entries and their names */
	size_t used;	       /* bytes of the entries */
	struct lu_sorter *sorter;
	struct lu_spool spool;
	bool spilled;
	struct lu_arena kept; /* the rows */
};

/* An empty name is none. */
int lu_sums_add(struct lu_sums *t, struct lu_str name, const uint64_t *value,
		struct lu_err *err) LU_CHECKED;
/* Nothing can be added afterwards. */
int lu_sums_finish(struct lu_sums *t, struct lu_err *err) LU_CHECKED;
void lu_sums_release(struct lu_sums *t);

#endif
