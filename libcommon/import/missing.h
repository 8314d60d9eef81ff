#ifndef LUCIE_IMPORT_MISSING_H
#define LUCIE_IMPORT_MISSING_H
/*
 * What formats could not turn into text, over a run: templates of wikis by name, sentences with a hole,
 * notes that were left out.
 *
 *	struct lu_missing m = { 0 };
 *	lu_missing_add(&m, &result, &err);		each document, in order
 *	lu_missing_put(&m, &extra);			members of the accounting line
 *	lu_missing_note(&m);				a sentence for people
 *	lu_missing_release(&m);
 *
 * The first LU_MISSING_NAMES different names are told apart (20 MB); the others count in the sum. As
 * documents come in their order, so do names: the result does not depend on threads.
 */
#include "libcommon/base/map.h"
#include "libcommon/import/import.h"

#define LU_MISSING_NAMES ((size_t)1 << 16)
/* Names in the accounting line. */
#define LU_MISSING_SHOWN 20

struct lu_missing_name {
	size_t at, n; /* in the text */
	uint64_t count;
};

/* The names, and their text: the items of the map. */
struct lu_missing_names {
	struct lu_buf text;
	struct LU_VEC(struct lu_missing_name) list;
};

struct lu_missing {
	uint64_t unexpanded, holes, references;
	struct lu_missing_names names;
	struct lu_map map;
};

int lu_missing_add(struct lu_missing *m, const struct lu_import_result *res,
		struct lu_err *err) LU_CHECKED;
/* Nothing where nothing is missing. */
void lu_missing_put(const struct lu_missing *m, struct lu_buf *extra);
void lu_missing_note(const struct lu_missing *m);
void lu_missing_release(struct lu_missing *m);

#endif
