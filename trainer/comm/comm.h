#ifndef LUCIE_TRAINER_COMM_COMM_H
#define LUCIE_TRAINER_COMM_COMM_H
/*
 * Communication between the ranks of a run. The training loop calls these functions and no others,
 * so that it is the same for one process, MPI and NCCL.
 *
 *	struct lt_comm *c;
 *	lt_comm_single(&c, &err)
 *	...
 *	lt_comm_close(c)
 *
 * All ranks make the same calls in the same order. Floating-point sums follow a fixed binary tree
 * over the ranks, the one of lk_ops.lane_sum, so the bits do not depend on the distribution of the
 * lanes. With one rank every call returns at once and changes nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

struct lt_comm;

struct lt_comm_ops {
	const char *name;
	/* All-reduce: x becomes the sum of x over the data-parallel ranks. Device memory. */
	int (*sum)(struct lt_comm *c, lk_real *x, size_t n, struct lu_err *err);
	/* All-gather: all[rank * n + i] = x[i] of that rank. Device memory. */
	int (*gather)(struct lt_comm *c, double *all, const double *x, size_t n,
			struct lu_err *err);
	/* *flag becomes true on all ranks if it is true on any. */
	int (*any)(struct lt_comm *c, bool *flag, struct lu_err *err);
	int (*barrier)(struct lt_comm *c, struct lu_err *err);
	void (*close)(struct lt_comm *c);
};

struct lt_comm {
	const struct lt_comm_ops *ops;
	size_t rank, size;	 /* of the run */
	size_t dp_rank, dp_size; /* of the data-parallel group */
};

/* A run of a single process. */
int lt_comm_single(struct lt_comm **c, struct lu_err *err) LU_CHECKED;
static inline void lt_comm_close(struct lt_comm *c)
{
	if (c)
		c->ops->close(c);
}

#endif
