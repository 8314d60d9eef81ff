#ifndef LUCIE_DEDUP_EXACT_H
#define LUCIE_DEDUP_EXACT_H
/*
 * Exact deduplication: the first document with a key is kept, later ones are duplicates.
 *
 *	struct lu_exact x = LU_EXACT_NONE;
 *	lu_exact_open(&x, want_log, tmpdir, &err);
 *	rc = lu_exact_add(&x, key, &origin, &err);	in input order: 1 first, 0 duplicate, -1
 *	lu_exact_write_log(&x, out, &err);		the removal log, at the end
 *	lu_exact_close(&x);
 *
 * Without a log only the keys are held in memory. With one, so are the origins of the first copies,
 * and the lines are spooled to a temporary file, since the size of a cluster is known only at the
 * end.
 */
#include <stdbool.h>

#include "libcommon/dedup/keyset.h"
#include "libcommon/dedup/removed.h"
#include "libcommon/io/outstream.h"
#include "libcommon/io/spool.h"

struct lu_exact_cluster {
	struct lu_origin first;
	uint64_t copies; /* including the first */
};

struct lu_exact {
	struct lu_keyset keys;
	bool log;
	struct LU_VEC(struct lu_exact_cluster) cluster; /* by key number */
	struct lu_arena ids;
	struct lu_spool spool; /* entries, each followed by the first part of its line */
	struct lu_buf line;
};
#define LU_EXACT_NONE                  \
	{                              \
		.spool = LU_SPOOL_NONE \
	}

int lu_exact_open(struct lu_exact *x, bool log, const char *tmpdir, struct lu_err *err) LU_CHECKED;
/* origin->file must outlive x. */
int lu_exact_add(struct lu_exact *x, struct lu_hash128 key, const struct lu_origin *origin,
		struct lu_err *err) LU_CHECKED;
int lu_exact_write_log(struct lu_exact *x, struct lu_out *out, struct lu_err *err) LU_CHECKED;
void lu_exact_close(struct lu_exact *x); /* LU_EXACT_NONE is fine */

#endif
