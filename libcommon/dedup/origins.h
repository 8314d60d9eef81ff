#ifndef LUCIE_DEDUP_ORIGINS_H
#define LUCIE_DEDUP_ORIGINS_H
/*
 * Where documents came from, by number, for the removal log. In temporary files: memory is two windows
 * of LU_SPOOL_WINDOW bytes, however many documents there are.
 *
 *	struct lu_origins o = LU_ORIGINS_NONE;
 *	lu_origins_open(&o, tmpdir, &err);
 *	lu_origins_add(&o, &origin, &err);		number 0, 1, 2, ...
 *	lu_origins_rewind(&o, &err);			once, before reading
 *	lu_origins_get(&o, number, &origin, &id, &err);	in any order
 *	lu_origins_close(&o);
 */
#include "libcommon/base/vec.h"
#include "libcommon/dedup/removed.h"
#include "libcommon/io/spool.h"

struct lu_origins {
	struct lu_spool table, ids;
	uint64_t n;
	struct LU_VEC(const char *) file; /* names, in order of appearance */
};
/* clang-format off */
#define LU_ORIGINS_NONE { .table = LU_SPOOL_NONE, .ids = LU_SPOOL_NONE }
/* clang-format on */

int lu_origins_open(struct lu_origins *o, const char *tmpdir, struct lu_err *err) LU_CHECKED;
/* origin->file must outlive o; the pointers of one file are the same. */
int lu_origins_add(struct lu_origins *o, const struct lu_origin *origin,
		struct lu_err *err) LU_CHECKED;
int lu_origins_rewind(struct lu_origins *o, struct lu_err *err) LU_CHECKED;
/* The id is copied to the buffer, and origin->id points there. */
int lu_origins_get(const struct lu_origins *o, uint64_t number, struct lu_origin *origin,
		struct lu_buf *id, struct lu_err *err) LU_CHECKED;
/* The same for ascending numbers with gaps: the table is read in large pieces. */
int lu_origins_get_next(struct lu_origins *o, uint64_t number, struct lu_origin *origin,
		struct lu_buf *id, struct lu_err *err) LU_CHECKED;
void lu_origins_close(struct lu_origins *o); /* LU_ORIGINS_NONE is fine */

#endif
