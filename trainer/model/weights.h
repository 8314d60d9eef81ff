#ifndef LUCIE_TRAINER_MODEL_WEIGHTS_H
#define LUCIE_TRAINER_MODEL_WEIGHTS_H
/*
 * The state that every step changes: the parameters (fp32 master weights), their gradients in
 * lanes, AdamW's m and v, all in device memory in the layout of the table of parameters; and what
 * the products read: the copy in the type of the activations, and the packed weights.
 *
 *	lt_weights_open(&w, ops, q, &shape, lanes, &err)	lanes 0: inference only
 *	lt_weights_init(w, seed, &err)		or lt_weights_put() for each tensor, then
 *	lt_weights_refresh(w, &err)
 *	... model, optimizer ...
 *	lt_weights_close(w)
 *
 * open allocates everything; if that fails the message says how much was requested.
 */
#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/model/params.h"

enum lt_vector { LT_VECTOR_P, LT_VECTOR_M, LT_VECTOR_V, LT_VECTORS };

/* The matrices of a layer that activations are multiplied with. */
enum lt_layer_matrix { LT_QKV, LT_O, LT_GATE_UP, LT_DOWN, LT_LAYER_MATRICES };

/* A weight W[out][in]. */
struct lt_matrix {
	size_t offset; /* in the vector of all parameters */
	size_t out, in;
	struct lk_packed_weight *packed;
};

struct lt_weights {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_table table;
	lk_real *vector[LT_VECTORS]; /* p, m, v; m and v are NULL if lanes is 0 */
	lk_real *grad;		     /* lane j at grad + j * table.total */
	size_t lanes;
	lk_act *act; /* p in the type of the activations; p itself if the types are equal */
	struct lt_matrix *matrix; /* [layers][LT_LAYER_MATRICES], then the head */
	struct lk_step *step;	  /* device */
	double *sums;		  /* device: partial sums of squares */
};

int lt_weights_open(struct lt_weights **w, const struct lk_ops *ops, struct lk_queue *q,
		const struct lt_shape *shape, size_t lanes, struct lu_err *err) LU_CHECKED;
void lt_weights_close(struct lt_weights *w);

/* Bytes that open would allocate. */
uint64_t lt_weights_bytes(const struct lt_table *t, const struct lk_ops *ops, size_t lanes);

/* Set the initial values, and refresh. */
int lt_weights_init(struct lt_weights *w, uint64_t seed, struct lu_err *err) LU_CHECKED;
/* Zero m and v. */
int lt_weights_reset_optimizer(struct lt_weights *w, struct lu_err *err) LU_CHECKED;
/* Update act and the packed weights from p. */
int lt_weights_refresh(struct lt_weights *w, struct lu_err *err) LU_CHECKED;

/* Copy n elements of a vector from `offset` on to and from the host. Synchronous. */
int lt_weights_get(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		lk_real *out, struct lu_err *err) LU_CHECKED;
int lt_weights_put(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		const lk_real *in, struct lu_err *err) LU_CHECKED;

/* Copy the queue's message to err; returns -1. */
int lt_queue_err(const struct lk_ops *ops, const struct lk_queue *q, struct lu_err *err);

/* The parameters from `offset` on, as products read them. */
static inline const lk_act *lt_weights_act(const struct lt_weights *w, size_t offset)
{
	return (const char *)w->act + offset * w->ops->act_size;
}

static inline const struct lt_matrix *lt_weights_matrix(
		const struct lt_weights *w, size_t layer, enum lt_layer_matrix i)
{
	return &w->matrix[layer * LT_LAYER_MATRICES + i];
}

static inline const struct lt_matrix *lt_weights_head(const struct lt_weights *w)
{
	return &w->matrix[w->table.shape.layers * LT_LAYER_MATRICES];
}

#endif
