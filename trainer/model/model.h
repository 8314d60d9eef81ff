#ifndef LUCIE_TRAINER_MODEL_MODEL_H
#define LUCIE_TRAINER_MODEL_MODEL_H
/*
 * The model: forward and backward of `batch` sequences of up to `context` tokens, as straight
 * calls of the operations in kernels/lk.h. The weights are somebody else's (weights.h); a model
 * owns activations only, so several can share the weights.
 *
 *	lt_model_open(&m, w, batch, context, LT_MODEL_TRAIN, recompute, &err)
 *	lt_model_train(m, ids, labels, lane, loss, &err)	one micro-batch
 *	lt_model_losses(m, ids, labels, rows, losses, &err)	forward alone
 *	lt_model_close(m)
 *
 * A micro-batch is batch * context rows. ids are in host memory and below the vocabulary size
 * (checked); labels are ids too, or -1 for a position that is not scored.
 *
 * Modes: TRAIN keeps what backward needs, for each layer, or with `recompute` only the input of
 * each layer, computing the rest again (same bits, a third more work). SCORE keeps nothing.
 * DECODE runs one sequence piece by piece and keeps keys and values.
 */
#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/model/weights.h"

enum lt_model_mode { LT_MODEL_TRAIN, LT_MODEL_SCORE, LT_MODEL_DECODE };

struct lt_model;

int lt_model_open(struct lt_model **m, struct lt_weights *w, size_t batch, size_t context,
		enum lt_model_mode mode, bool recompute, struct lu_err *err) LU_CHECKED;
void lt_model_close(struct lt_model *m);

/* Bytes that open would allocate. */
uint64_t lt_model_bytes(const struct lt_shape *shape, const struct lk_ops *ops, size_t batch,
		size_t context, enum lt_model_mode mode, bool recompute);

/* Forward and backward of one full micro-batch: gradients are added to lane `lane` of the weights,
 * scaled by w->step->scale; *loss (device memory) receives the sum of the losses. Does not wait.
 * ids and labels are read before it returns. */
int lt_model_train(struct lt_model *m, const uint32_t *ids, const int32_t *labels, size_t lane,
		double *loss, struct lu_err *err) LU_CHECKED;

/* Losses of `sequences` sequences (at most batch), to the host: the natural logarithm of one over
 * the probability of each label. Waits. */
int lt_model_losses(struct lt_model *m, const uint32_t *ids, const int32_t *labels,
		size_t sequences, lk_real *losses, struct lu_err *err) LU_CHECKED;

/* DECODE: the next n tokens of the sequence, the first standing at position `at` (all before it
 * having been given). Logits of the last one, or of all n, to the host. Waits. */
int lt_model_logits(struct lt_model *m, const uint32_t *ids, size_t at, size_t n, bool all,
		lk_real *logits, struct lu_err *err) LU_CHECKED;

#endif
