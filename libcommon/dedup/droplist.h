#ifndef LUCIE_DEDUP_DROPLIST_H
#define LUCIE_DEDUP_DROPLIST_H
/*
 * Drop lists: which documents are removed, and in favour of which. What the last step of exact and of
 * near deduplication writes, and what the step drop reads: a file of dedup/stepfile.h with the magic
 * LU_DROP_MAGIC, one section for each input file of the corpus, in its order.
 *
 * A record, in the order of numbers (little-endian):
 *	8 number of the document in its file; 8 number of the document kept instead, over all files;
 *	8 its line in its file; 8 size of the cluster; 4 similarity in 1/10000; 1 kind (enum lu_drop_kind);
 *	4 length of the kept document's raw "id", and the id
 * A record of the kind LU_DROP_KEPT speaks of a document that stays, of which only the size is told.
 *
 *	lu_stepfile_create(&w, path, LU_DROP_MAGIC, err);
 *	for each input file
 *		lu_drop_put(&w, &drop, err);		ascending numbers
 *		lu_stepfile_end_section(&w, records, err);
 *
 *	struct lu_drops d = { 0 };
 *	lu_drops_open(&d, paths, n, "a.jsonl", err);	all parts of the step
 *	while ((rc = lu_drops_next(&d, &drop, err)) > 0)
 *	lu_drops_close(&d);
 */
#include "libcommon/dedup/stepfile.h"

#define LU_DROP_MAGIC "lucieDRP"
/* What "similarity" counts: one is this many. */
#define LU_DROP_ONE 10000

enum lu_drop_kind { LU_DROP_KEPT, LU_DROP_EXACT, LU_DROP_NEAR };

struct lu_drop {
	uint64_t number;	  /* in the file */
	uint64_t kept, kept_line; /* over all files; in its file */
	uint64_t size;		  /* documents of the cluster, the kept one included */
	uint32_t similarity;	  /* 0 .. LU_DROP_ONE */
	enum lu_drop_kind kind;
	struct lu_str kept_id; /* raw JSON */
};

int lu_drop_put(struct lu_stepfile_writer *w, const struct lu_drop *d,
		struct lu_err *err) LU_CHECKED;

/* One list, and the record of it that comes next. */
struct lu_drop_source {
	struct lu_stepfile file;
	struct lu_stepcursor cursor;
	struct lu_drop head;
	struct lu_buf id;
	bool ended;
};

struct lu_drops {
	struct lu_drop_source *source;
	size_t sources;
	size_t file; /* number of the input file in the corpus */
	size_t last; /* the source of the record returned last, or SIZE_MAX */
};

/* Fail unless the lists belong together and none is missing, and unless they have the input file
 * `name`. */
int lu_drops_open(struct lu_drops *d, const char *const *path, size_t n, const char *name,
		struct lu_err *err) LU_CHECKED;
/* The next record of the input file; its id is valid until the next call. 1, 0 at the end, -1. */
int lu_drops_next(struct lu_drops *d, struct lu_drop *drop, struct lu_err *err) LU_CHECKED;
/* The corpus of the lists. */
const struct lu_corpus *lu_drops_corpus(const struct lu_drops *d);
void lu_drops_close(struct lu_drops *d); /* { 0 } is fine */

#endif
