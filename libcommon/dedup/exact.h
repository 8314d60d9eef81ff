#ifndef LUCIE_DEDUP_EXACT_H
#define LUCIE_DEDUP_EXACT_H
/*
 * Exact duplicates: the first document with a key stays.
 *
 *	struct lu_exact x;
 *	lu_exact_open(&x, log_wanted, tmpdir, &err);
 *	rc = lu_exact_see(&x, key, &place, &err);	in input order: 1 first, 0 duplicate, -1
 *	lu_exact_log(&x, out, &err);			the removal log, at the end
 *	lu_exact_close(&x);
 *
 * Without a log only the keys are in memory. With it, the place and id of each first copy are too,
 * and the lines wait in a temporary file, since the size of a cluster is known last.
 */
#include <stdbool.h>

#include "libcommon/dedup/removed.h"
#include "libcommon/dedup/seen.h"
#include "libcommon/io/outstream.h"
#include "libcommon/io/spool.h"

struct lu_exact_first {
	struct lu_place place;
	uint64_t copies; /* with itself */
};

struct lu_exact {
	struct lu_seen seen;
	bool log;
	struct lu_exact_first *first; /* by key number */
	uint32_t cap;
	struct lu_arena ids;
	struct lu_spool spool; /* key number, length, beginning of the line */
	struct lu_buf line;
};

int lu_exact_open(struct lu_exact *x, bool log, const char *tmpdir, struct lu_err *err) LU_CHECKED;
/* place->file must live as long as x. */
int lu_exact_see(struct lu_exact *x, struct lu_hash128 key, const struct lu_place *place,
		struct lu_err *err) LU_CHECKED;
int lu_exact_log(struct lu_exact *x, struct lu_out *out, struct lu_err *err) LU_CHECKED;
void lu_exact_close(struct lu_exact *x);

#endif
