#ifndef LUCIE_TRAINER_MODEL_WEIGHTS_H
#define LUCIE_TRAINER_MODEL_WEIGHTS_H
/*
 * The state of a run that changes with every step: parameters (fp32 master copies), their
 * gradients in lanes, AdamW's m and v, all in device memory, laid out by the table of parameters;
 * and what the products read (the copy in the activations' type, prepared weights).
 *
 *	lt_weights_open(&w, ops, q, &shape, lanes, &err)	lanes 0: to compute, not to train
 *	lt_weights_init(w, seed, &err)		or lt_weights_put() for each tensor
 *	lt_weights_refresh(w, &err)		after p was filled by hand
 *	... model, optimizer ...
 *	lt_weights_close(w)
 *
 * All bytes are allocated by open; on failure it says how many were wanted.
 */
#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/model/params.h"

enum lt_vector { LT_VECTOR_P, LT_VECTOR_M, LT_VECTOR_V, LT_VECTORS };

struct lt_weights {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_table table;
	lk_real *vector[LT_VECTORS]; /* p, m, v; m and v NULL when lanes is 0 */
	lk_real *g;		     /* lane j at g + j * table.total */
	size_t lanes;
	lk_act *w;			  /* what products read; p itself where the types are one */
	struct lk_packed_weight **packed; /* 4 a layer (qkv, o, gate|up, down), then the head */
	struct lk_step *step;		  /* device */
	double *sums;			  /* device: partial sums of squares */
};

int lt_weights_open(struct lt_weights **w, const struct lk_ops *ops, struct lk_queue *q,
		const struct lt_shape *shape, size_t lanes, struct lu_err *err) LU_CHECKED;
void lt_weights_close(struct lt_weights *w);

/* Bytes that open would allocate. */
uint64_t lt_weights_bytes(const struct lt_table *t, const struct lk_ops *ops, size_t lanes);

int lt_weights_init(struct lt_weights *w, uint64_t seed, struct lu_err *err) LU_CHECKED;
/* Zeroes m and v. */
int lt_weights_reset_optimizer(struct lt_weights *w, struct lu_err *err) LU_CHECKED;
/* Makes w and the prepared weights follow p. */
int lt_weights_refresh(struct lt_weights *w, struct lu_err *err) LU_CHECKED;

/* Elements at..at+n-1 of a vector, from and to the host. Waits. */
int lt_weights_get(struct lt_weights *w, enum lt_vector which, size_t at, size_t n, lk_real *out,
		struct lu_err *err) LU_CHECKED;
int lt_weights_put(struct lt_weights *w, enum lt_vector which, size_t at, size_t n,
		const lk_real *in, struct lu_err *err) LU_CHECKED;

/* The queue's sentence in err; -1. */
int lt_failed(const struct lk_ops *ops, const struct lk_queue *q, struct lu_err *err);

/* Where the products find a matrix, and its prepared form. */
static inline const lk_act *lt_weight_at(const struct lt_weights *w, size_t at)
{
	return (const char *)w->w + at * w->ops->act_size;
}

#endif
