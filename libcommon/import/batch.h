#ifndef LUCIE_IMPORT_BATCH_H
#define LUCIE_IMPORT_BATCH_H
/*
 * Batches of members, the unit of lucie-import's pipeline (par/pipeline.h).
 *
 *	rc = lu_import_batch_read(b, &reader, &ended, &err);	read: 1, 0 at the end, -1
 *	rc = lu_import_batch_map(b, &im, &work, &err);		map
 *	rc = lu_import_account_write(&account, b, &err);	write (import/import_account.h)
 *	lu_import_batch_release(b);
 */
#include "libcommon/import/from_entries.h"

/* A batch is full at this many bytes or members: a manual page costs a process, and a batch of them
 * should not keep one thread for long. */
#define LU_IMPORT_BATCH_BYTES ((uint64_t)1 << 20)
#define LU_IMPORT_BATCH_MEMBERS 64

/* From { 0 }. */
struct lu_import_batch {
	struct lu_member member[LU_IMPORT_BATCH_MEMBERS];
	size_t end[LU_IMPORT_BATCH_MEMBERS]; /* of the member's results */
	size_t n;
	struct lu_import_results results;
	struct lu_arena arena;
	struct lu_buf out;
};

int lu_import_batch_read(struct lu_import_batch *b, struct lu_members *reader, bool *ended,
		struct lu_err *err) LU_CHECKED;
int lu_import_batch_map(struct lu_import_batch *b, const struct lu_import *im,
		struct lu_import_work *w, struct lu_err *err) LU_CHECKED;
void lu_import_batch_release(struct lu_import_batch *b);

#endif
