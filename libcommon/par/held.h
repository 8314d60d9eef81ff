#ifndef LUCIE_PAR_HELD_H
#define LUCIE_PAR_HELD_H
/*
 * Records held until the end of the input, for lu_doc_hold() (par/docstream.h). The records and the
 * table of them go to temporary files; memory is two windows of LU_SPOOL_WINDOW bytes, however many
 * documents there are.
 *
 *	struct lu_held h = LU_HELD_NONE;
 *	lu_held_open(&h, std->tmpdir, &err);
 *	lu_held_add(&h, doc, &err);		in decide(), followed by lu_doc_hold(doc)
 *	lu_held_rewind(&h, &err);		in finish(), before the first get
 *	struct lu_doc again = { 0 };
 *	lu_held_get(&h, i, &again, &err);	document i, for lu_docstream_put()
 *	lu_held_close(&h);
 *
 * Ascending access reads the files in large pieces, any other order record by record.
 */
#include "libcommon/base/vec.h"
#include "libcommon/io/spool.h"
#include "libcommon/par/docstream.h"

struct lu_held {
	struct lu_spool spool; /* records, end to end */
	struct lu_spool table; /* an entry for each */
	uint64_t docs;
	uint32_t tag;			  /* the program's own number: stored by add, set by get */
	struct LU_VEC(const char *) file; /* names by number, in order of appearance */
};
/* clang-format off */
#define LU_HELD_NONE { .spool = LU_SPOOL_NONE, .table = LU_SPOOL_NONE }
/* clang-format on */

int lu_held_open(struct lu_held *h, const char *tmpdir, struct lu_err *err) LU_CHECKED;
int lu_held_add(struct lu_held *h, const struct lu_doc *doc, struct lu_err *err) LU_CHECKED;
int lu_held_rewind(struct lu_held *h, struct lu_err *err) LU_CHECKED;
/* Set raw, obj.line, file, line and repeat, keep the arena and clear the rest. The record is
 * valid until the next get. */
int lu_held_get(struct lu_held *h, uint64_t i, struct lu_doc *doc, struct lu_err *err) LU_CHECKED;
void lu_held_close(struct lu_held *h); /* LU_HELD_NONE is fine */

#endif
