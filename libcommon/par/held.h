#ifndef LUCIE_PAR_HELD_H
#define LUCIE_PAR_HELD_H
/*
 * Records held until the end of the input, for lu_doc_hold() (par/docstream.h). They go to a
 * temporary file; memory is 24 bytes a document.
 *
 *	struct lu_held h = LU_HELD_NONE;
 *	lu_held_open(&h, std->tmpdir, &err);
 *	lu_held_add(&h, doc, &err);		in decide(), followed by lu_doc_hold(doc)
 *	lu_held_rewind(&h, &err);		in finish(), before the first get
 *	struct lu_doc again = { 0 };
 *	lu_held_get(&h, i, &again, &err);	document i, for lu_docstream_put()
 *	lu_held_close(&h);
 *
 * Ascending access reads the file in large pieces, any other order record by record.
 */
#include "libcommon/io/spool.h"
#include "libcommon/par/docstream.h"

struct lu_held_doc {
	uint64_t offset; /* in the spool; the record ends where the next one begins */
	const char *file;
	uint64_t line;
};

struct lu_held {
	struct lu_spool spool;
	struct lu_held_doc *doc;
	uint64_t docs;
	size_t cap;
};
#define LU_HELD_NONE                   \
	{                              \
		.spool = LU_SPOOL_NONE \
	}

int lu_held_open(struct lu_held *h, const char *tmpdir, struct lu_err *err) LU_CHECKED;
int lu_held_add(struct lu_held *h, const struct lu_doc *doc, struct lu_err *err) LU_CHECKED;
int lu_held_rewind(struct lu_held *h, struct lu_err *err) LU_CHECKED;
/* Set raw, obj.line, file, line and repeat, keep the arena and clear the rest. The record is
 * valid until the next get. */
int lu_held_get(struct lu_held *h, uint64_t i, struct lu_doc *doc, struct lu_err *err) LU_CHECKED;
void lu_held_close(struct lu_held *h); /* LU_HELD_NONE is fine */

#endif
