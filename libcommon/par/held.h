#ifndef LUCIE_PAR_HELD_H
#define LUCIE_PAR_HELD_H
/*
 * Records that wait for the end of the input: see lu_doc_hold() in par/docstream.h. The records are
 * in a temporary file, 24 bytes a document in memory.
 *
 *	struct lu_held h = LU_HELD_NONE;
 *	lu_held_open(&h, std->tmpdir, &err);
 *	lu_held_add(&h, doc, &err);		in decide(), followed by lu_doc_hold(doc)
 *	lu_held_rewind(&h, &err);		in finish(), before the first get
 *	struct lu_doc again = { 0 };
 *	lu_held_get(&h, i, &again, &err);	document i as held, for lu_docstream_put()
 *	lu_held_close(&h);
 *
 * Getting in ascending order reads the file in large pieces; any other order reads one record at a
 * time.
 */
#include "libcommon/io/spool.h"
#include "libcommon/par/docstream.h"

struct lu_held_doc {
	uint64_t at; /* its end is the next one's */
	const char *file;
	uint64_t line;
};

struct lu_held {
	struct lu_spool spool;
	struct lu_held_doc *doc;
	uint64_t docs, cap;
};
#define LU_HELD_NONE                   \
	{                              \
		.spool = LU_SPOOL_NONE \
	}

int lu_held_open(struct lu_held *h, const char *tmpdir, struct lu_err *err) LU_CHECKED;
int lu_held_add(struct lu_held *h, const struct lu_doc *doc, struct lu_err *err) LU_CHECKED;
int lu_held_rewind(struct lu_held *h, struct lu_err *err) LU_CHECKED;
/* Fills raw, obj.line, file, line and repeat, and clears the rest but for the arena; the record is
 * valid until the next get. */
int lu_held_get(struct lu_held *h, uint64_t i, struct lu_doc *doc, struct lu_err *err) LU_CHECKED;
void lu_held_close(struct lu_held *h); /* LU_HELD_NONE is fine */

#endif
