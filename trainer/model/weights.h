#ifndef LUCIE_TRAINER_MODEL_WEIGHTS_H
#define LUCIE_TRAINER_MODEL_WEIGHTS_H
/*
 * The state that every step changes: the parameters (fp32 master weights), their gradients in lanes,
 * AdamW's m and v, all in device memory in the layout of the local vector (params.h); and what the
 * products read: the copy in the type of the activations.
 *
 *	struct lt_holding h = { .lanes = 1, .dp_size = 1 };
 *	lt_weights_open(&w, ops, q, &shape, NULL, &h, &err)
 *	lt_weights_init(w, seed, &err)		or lt_weights_put() for each tensor, then
 *	lt_weights_refresh(w, &err)
 *	... model, optimizer ...
 *	lt_weights_close(w)
 *
 * A data-parallel rank holds all parameters of its place and some of the lanes of their gradients.
 * With `zero`, m and v are cut over the data-parallel ranks (ZeRO-1, Rajbhandari et al. 2020): of
 * each bucket a rank owns one part, cut at borders of LK_NORM_CHUNK elements of the tensors, updates
 * it, and gathers the others' (optimizer.h). Without it every rank owns everything.
 *
 * Where products read a copy of another type, p is cut as m and v are (lt_weights_cut()): a rank needs
 * of the others' parts the copy alone, and the weights of the norms, which are read as lk_real.
 *
 * With `low`, activations in bf16, a parameter takes 10 bytes in place of 18 (low_memory.h).
 *
 * open allocates everything; if that fails the message says how much was requested.
 */
#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/model/params.h"

enum lt_vector { LT_VECTOR_P, LT_VECTOR_M, LT_VECTOR_V, LT_VECTORS };

/* The matrices of a layer that activations are multiplied with. */
enum lt_layer_matrix { LT_QKV, LT_O, LT_GATE_UP, LT_DOWN, LT_LAYER_MATRICES };

/* A weight W[out][in], of this rank's slices. */
struct lt_matrix {
	size_t offset; /* in the local vector */
	size_t out, in;
	struct lk_packed_weight *packed;
};

/* What a rank holds besides its place: lanes 0 for inference, without gradients and optimizer. */
struct lt_holding {
	size_t lanes;
	size_t dp_rank, dp_size;
	bool zero;
	bool packed;   /* pack the matrices: for generation, a row at a time */
	bool low;      /* 10 bytes a parameter, for training in bf16 */
	uint64_t seed; /* of its stochastic rounding */
};

/* The part of a bucket that a rank owns: begin .. end - 1 of the local vector, and its place in m
 * and v. */
struct lt_owned {
	size_t begin, end, state;
};

struct lt_weights {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_table table;
	struct lt_holding holding;
	lk_real *vector[LT_VECTORS]; /* p, all or what is owned; m and v of what is owned, NULL if
					lanes is 0 */
	lk_real *grad;		     /* lane j at grad + j * table.total */
	size_t *bound;		     /* [buckets][dp_size + 1] in the local vector, if zero */
	struct lt_owned *owned;	     /* by bucket */
	size_t states;		     /* elements owned, of m and of v */
	lk_act *act; /* p in the type of the activations; p itself if the types are equal */
	/* With `low` in place of `vector` and `grad`, p being act and these halves; and fp32 gradients of
	 * one bucket in one micro-batch. */
	uint16_t *half[LT_VECTORS], *half_grad;
	lk_real *scratch;
	lk_real *norm; /* where p is cut, or with `low`: the weights of all norms, one after the other */
	size_t *norm_at;	  /* [norms]: their offsets in the local vector, ascending */
	size_t norms, norm_total; /* number of norms, and of their weights */
	struct lt_matrix *matrix; /* [layers][LT_LAYER_MATRICES], then the head; only those held */
	struct lk_step *step;	  /* device */
	double *sums;		  /* device: partial sums of squares, table.norms */
};

int lt_weights_open(struct lt_weights **w, const struct lk_ops *ops, struct lk_queue *q,
		const struct lt_shape *shape, const struct lt_place *place,
		const struct lt_holding *holding, struct lu_err *err) LU_CHECKED;
void lt_weights_close(struct lt_weights *w);

/* Bytes that open would allocate, by part. */
struct lt_weights_bytes {
	uint64_t weights, packed, gradients, optimizer;
};
int lt_weights_count(const struct lt_table *t, const struct lk_ops *ops,
		const struct lt_holding *holding, struct lt_weights_bytes *bytes,
		struct lu_err *err) LU_CHECKED;

/* Fill in w->matrix from w->table; open does it. For counting without opening. */
void lt_weights_list(struct lt_weights *w);

/* Set the initial values, and refresh. */
int lt_weights_init(struct lt_weights *w, uint64_t seed, struct lu_err *err) LU_CHECKED;
/* Zero m and v. */
int lt_weights_reset_optimizer(struct lt_weights *w, struct lu_err *err) LU_CHECKED;
/* Update act and the packed weights from p. */
int lt_weights_refresh(struct lt_weights *w, struct lu_err *err) LU_CHECKED;

/* Copy n elements of a vector, from `offset` of the local vector on, to and from the host. Only what is
 * owned, within one bucket; but all of p can be put, where it goes to the copies as well if it is cut,
 * and got unless it is cut. Within one parameter. Synchronous. */
int lt_weights_get(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		lk_real *out, struct lu_err *err) LU_CHECKED;
int lt_weights_put(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		const lk_real *in, struct lu_err *err) LU_CHECKED;
/* The same of what all data-parallel ranks hold, to compare them: of p, or of `act` where p is cut.
 * Returns the number of bytes, at most those of n lk_real, or 0 on failure. */
size_t lt_weights_get_shared(struct lt_weights *w, size_t offset, size_t n, void *out,
		struct lu_err *err) LU_CHECKED;
/* Queue a copy of such elements to the host, within one parameter. Only what is owned. */
int lt_weights_queue_get(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		lk_real *out, struct lu_err *err) LU_CHECKED;

/* True if a rank holds of p its own part alone, or with `low` all in halves. */
static inline bool lt_weights_cut(const struct lt_weights *w)
{
	return w->norm != NULL;
}

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

/* Cuts of a bucket over the data-parallel ranks, dp_size + 1 offsets in the local vector. */
static inline const size_t *lt_weights_bounds(const struct lt_weights *w, size_t bucket)
{
	return w->bound + bucket * (w->holding.dp_size + 1);
}

#endif
