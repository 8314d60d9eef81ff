#ifndef LUCIE_IMPORT_FROM_ENTRIES_H
#define LUCIE_IMPORT_FROM_ENTRIES_H
/*
 * Documents of a block of entries (entries/entries.h).
 */
#include "libcommon/base/vec.h"
#include "libcommon/import/import.h"

struct lu_import_results LU_VEC(struct lu_import_result);

/* Convert the block that `member` holds: append a line to `out` for each document, and to `results` what
 * became of each entry. Their strings live in the arena and in the block. Thread-safe with a `w` for
 * each thread. */
int lu_import_block(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_arena *arena, struct lu_buf *out,
		struct lu_import_results *results, struct lu_err *err) LU_CHECKED;

#endif
