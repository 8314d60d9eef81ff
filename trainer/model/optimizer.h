#ifndef LUCIE_TRAINER_MODEL_OPTIMIZER_H
#define LUCIE_TRAINER_MODEL_OPTIMIZER_H
/*
 * One update of the parameters from the gradients in the lanes, over all ranks:
 *
 *	lt_optimizer_open(&o, w, &groups, &err)
 *	for each step:
 *		lt_optimizer_begin(o, &h, lr, t, lanes, &err)
 *		... forward and backward passes, with the hooks lt_optimizer_need() and _ready() ...
 *		lt_optimizer_update(o, &h, sums, n, &update, &err)
 *	lt_optimizer_close(o)
 *
 * The gradients of a bucket are reduced over the data-parallel ranks as soon as all of its micro-
 * batches are done, while the backward pass goes on; with ZeRO each rank then updates what it owns,
 * and the parameters are gathered while the next forward pass has begun.
 *
 * Sums have a fixed order: lanes by a binary tree, ranks by the same tree (so lanes dealt out over
 * the ranks give the bits of all lanes on one), squares as doubles over chunks of each tensor, in the
 * order of the table, by the tree of lk_ops.sum. If loss or norm is not finite nothing is updated, and
 * lt_optimizer_nonfinite() finds the source.
 */
#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/model/weights.h"

struct lt_hyper {
	double beta1, beta2, eps, weight_decay, clip;
	double limit; /* of the norm before clipping, past which nothing is updated; 0: none */
};

/* Sums are those of struct lk_step, over all ranks. */
struct lt_update {
	double loss, weights;
	double chosen, rejected, right; /* dpo */
	double norm;			/* of the gradient, before clipping */
	double clip; /* factor that the gradient was multiplied by, 1: not clipped */
	bool finite;
	bool skipped; /* the norm is past the limit, or there were no weights: weights and moments
			 are as they were */
};

/* The ranks that share in an update; NULL stands for a group of one. */
struct lt_groups {
	struct lt_comm *comm;
	struct lt_group *dp, *tp, *pp;
	bool sequence; /* norms are split by rows over tp */
};

struct lt_optimizer;
int lt_optimizer_open(struct lt_optimizer **o, struct lt_weights *w, const struct lt_groups *groups,
		struct lu_err *err) LU_CHECKED;
void lt_optimizer_close(struct lt_optimizer *o);

/* t: number of the update, from 1. used: lanes of this rank that backward passes will write to; the
 * others are zeroed. */
int lt_optimizer_begin(struct lt_optimizer *o, const struct lt_hyper *h, double lr, uint64_t t,
		size_t used, struct lu_err *err) LU_CHECKED;

/* Hooks of the model, ctx being the optimizer. */
int lt_optimizer_need(void *o, size_t bucket, struct lu_err *err) LU_CHECKED;
int lt_optimizer_ready(void *o, size_t bucket, struct lu_err *err) LU_CHECKED;

/* sums[LK_SUMS][n]: device memory, what passes have left (struct lt_pass, with a stride of n) for each
 * micro-batch of the step, 0 for those of other ranks. The gradients are divided by the sum of all
 * weights, which only the device knows. Waits for the result. */
int lt_optimizer_update(struct lt_optimizer *o, const struct lt_hyper *h, double *sums, size_t n,
		struct lt_update *update, struct lu_err *err) LU_CHECKED;

/* Wait for all parameters. Before anything but the model reads them. */
int lt_optimizer_settle(struct lt_optimizer *o, struct lu_err *err) LU_CHECKED;

/* Describe the first tensor, in the order of the table, whose values or whose gradient in a lane are
 * not finite on this rank, such as "the gradient of model.norm.weight". Returns 1 if there is one, 0
 * if all are finite (another rank's are not, or the sum of the squares overflows), or -1. */
int lt_optimizer_nonfinite(
		struct lt_weights *w, char *what, size_t size, struct lu_err *err) LU_CHECKED;

#endif
