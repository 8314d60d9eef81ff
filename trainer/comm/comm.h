#ifndef LUCIE_TRAINER_COMM_COMM_H
#define LUCIE_TRAINER_COMM_COMM_H
/*
 * Communication: what the ranks of a run do together. The training loop calls these and nothing
 * else, so that one process, MPI and NCCL are the same loop.
 *
 *	struct lt_comm *c;
 *	lt_comm_single(&c, &err)
 *	...
 *	lt_comm_close(c)
 *
 * Every rank makes the same calls in the same order. Sums of floats follow one fixed binary tree
 * over ranks (by halves, as lk_ops.lane_sum does over lanes), so the bits do not depend on how
 * the lanes are spread. With one rank each call returns at once and changes nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

struct lt_comm;

struct lt_comm_ops {
	const char *name;
	/* x += the other data-parallel ranks' x, on all of them; device memory */
	int (*sum)(struct lt_comm *c, lk_real *x, size_t n, struct lu_err *err);
	/* all[rank * n + i] = x[i] of that rank, on all ranks; device memory */
	int (*gather)(struct lt_comm *c, double *all, const double *x, size_t n,
			struct lu_err *err);
	/* true on all ranks when it is on one */
	int (*any)(struct lt_comm *c, bool *flag, struct lu_err *err);
	int (*barrier)(struct lt_comm *c, struct lu_err *err);
	void (*close)(struct lt_comm *c);
};

struct lt_comm {
	const struct lt_comm_ops *ops;
	size_t rank, size;	 /* of the run */
	size_t dp_rank, dp_size; /* of the data-parallel group */
};

int lt_comm_single(struct lt_comm **c, struct lu_err *err) LU_CHECKED;
static inline void lt_comm_close(struct lt_comm *c)
{
	if (c)
		c->ops->close(c);
}

#endif
