#ifndef LUCIE_TRAINER_MODEL_OPTIMIZER_H
#define LUCIE_TRAINER_MODEL_OPTIMIZER_H
/*
 * One update of the parameters from the gradients in the lanes:
 *
 *	lt_optimizer_begin(w, &h, lr, t, tokens, &err)	copies the step's values, zeroes the lanes
 *	... lt_model_train() for each micro-batch ...
 *	lt_optimizer_update(w, comm, &h, &update, &err)
 *
 * Sums have a fixed order: lanes by a binary tree, ranks by the same tree, squares as doubles over
 * chunks of each tensor in the order of the table. If the norm is not finite nothing is updated, and
 * lt_optimizer_nonfinite() finds the source.
 */
#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/model/weights.h"

struct lt_hyper {
	double beta1, beta2, eps, weight_decay, clip;
};

struct lt_update {
	double norm; /* of the gradient, before clipping */
	double clip; /* factor that the gradient was multiplied by */
	bool finite;
};

/* t: number of the update, from 1. tokens: labels scored in the whole step, over all ranks. */
int lt_optimizer_begin(struct lt_weights *w, const struct lt_hyper *h, double lr, uint64_t t,
		uint64_t tokens, struct lu_err *err) LU_CHECKED;
int lt_optimizer_update(struct lt_weights *w, struct lt_comm *comm, const struct lt_hyper *h,
		struct lt_update *update, struct lu_err *err) LU_CHECKED;

/* Describe the first tensor, in the order of the table, whose values or whose gradient in a lane are
 * not finite, such as "the gradient of model.norm.weight". */
int lt_optimizer_nonfinite(
		struct lt_weights *w, char *what, size_t size, struct lu_err *err) LU_CHECKED;

#endif
