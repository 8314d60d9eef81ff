#ifndef LUCIE_TRAINER_RUN_SNAPSHOT_H
#define LUCIE_TRAINER_RUN_SNAPSHOT_H
/*
 * What one rank writes of a checkpoint: a copy in host memory of its part of p, m and v, and where it
 * belongs in the files.
 *
 *	lt_snapshot_open(&s, w, &err)		once: lists the part and allocates the copy
 *	lt_snapshot_take(&s, &err)		copies; afterwards the weights may change
 *	struct lt_cursor c = { 0 };
 *	while (lt_snapshot_next(&s, &c, &x))	stretches of bytes, file by file
 *		... x.p[0 .. x.n - 1] belong at byte x.at of the file of x.vector ...
 *	lt_snapshot_close(&s);
 *
 * The parts of all ranks together are the whole model, without overlap: pipeline stages hold
 * different layers; of a tensor that tensor parallelism replicates only rank 0 writes; data-parallel
 * ranks hold the same, or with ZeRO only have their own part of m and v, and cut it among themselves.
 */
#include <stdbool.h>

#include "trainer/model/tensorfile.h"

/* Elements at .. at + n - 1 of a parameter's slice; `host` is the place of the first in the copy. */
struct lt_piece {
	size_t param, at, n, host;
};

struct lt_snapshot {
	struct lt_weights *w;
	struct lt_tensors_layout file;
	struct lt_piece *piece;
	size_t pieces;
	size_t count; /* elements of one vector */
	lk_real *host[LT_VECTORS];
	bool pinned[LT_VECTORS]; /* it is memory of lk_ops.host_alloc() */
};

int lt_snapshot_open(struct lt_snapshot *s, struct lt_weights *w, struct lu_err *err) LU_CHECKED;
void lt_snapshot_close(struct lt_snapshot *s); /* a zeroed struct is fine */

int lt_snapshot_take(struct lt_snapshot *s, struct lu_err *err) LU_CHECKED;

/* A place among the stretches; zeroed: the first. */
struct lt_cursor {
	int vector;
	size_t piece, done;
};

struct lt_stretch {
	enum lt_vector vector;
	const char *p;
	size_t n; /* bytes, at most LT_STRETCH_MAX */
	uint64_t at;
};

#define LT_STRETCH_MAX ((size_t)4 << 20)

bool lt_snapshot_next(const struct lt_snapshot *s, struct lt_cursor *c, struct lt_stretch *x);

#endif
