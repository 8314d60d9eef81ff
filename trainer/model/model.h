#ifndef LUCIE_TRAINER_MODEL_MODEL_H
#define LUCIE_TRAINER_MODEL_MODEL_H
/*
 * The model: forward and backward pass over `batch` sequences of up to `context` tokens, as a plain
 * sequence of calls to kernels/lk.h. A model owns activations only, so several models can share the
 * weights (weights.h).
 *
 *	lt_model_open(&m, w, batch, context, LT_MODEL_TRAIN, recompute, &err)
 *	lt_model_train(m, ids, labels, lane, loss, &err)		one micro-batch
 *	lt_model_losses(m, ids, labels, sequences, losses, &err)	forward only
 *	lt_model_close(m)
 *
 * A micro-batch has batch * context rows. ids and labels are in host memory; ids must be below the
 * vocabulary size, which is checked; a label is an id, or -1 for a position that is not scored.
 *
 * Modes: TRAIN keeps what the backward pass needs of each layer, or with `recompute` only the input
 * of each layer, and computes the rest again (same bits, a third more work). SCORE keeps nothing.
 * DECODE processes one sequence piece by piece and caches keys and values.
 */
#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/model/weights.h"

enum lt_model_mode { LT_MODEL_TRAIN, LT_MODEL_SCORE, LT_MODEL_DECODE };

struct lt_model;

int lt_model_open(struct lt_model **m, struct lt_weights *w, size_t batch, size_t context,
		enum lt_model_mode mode, bool recompute, struct lu_err *err) LU_CHECKED;
void lt_model_close(struct lt_model *m);

/* Bytes that open would allocate; 0 when memory is out, UINT64_MAX on overflow. */
uint64_t lt_model_bytes(const struct lt_shape *shape, const struct lk_ops *ops, size_t batch,
		size_t context, enum lt_model_mode mode, bool recompute);

/* Forward and backward pass of one full micro-batch. Gradients, scaled by w->step->scale, are added
 * to lane `lane` of the weights; *loss (device memory) receives the sum of the losses. Synchronous.
 */
int lt_model_train(struct lt_model *m, const uint32_t *ids, const int32_t *labels, size_t lane,
		double *loss, struct lu_err *err) LU_CHECKED;

/* Losses of `sequences` sequences (at most batch), in host memory: the negative logarithm of the
 * probability of each label, in nats. Synchronous. */
int lt_model_losses(struct lt_model *m, const uint32_t *ids, const int32_t *labels,
		size_t sequences, lk_real *losses, struct lu_err *err) LU_CHECKED;

/* DECODE: process the next n tokens of the sequence, from position `pos` on; all tokens before it
 * must have been processed. Logits of the last token, or of all n, in host memory. Synchronous. */
int lt_model_logits(struct lt_model *m, const uint32_t *ids, size_t pos, size_t n, bool all,
		lk_real *logits, struct lu_err *err) LU_CHECKED;

#endif
