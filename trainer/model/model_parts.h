#ifndef LUCIE_TRAINER_MODEL_MODEL_PARTS_H
#define LUCIE_TRAINER_MODEL_MODEL_PARTS_H
/*
 * Internals of the model: what model.c (opening, calls), layer.c (a layer) and ends.c (embedding and
 * head) share. Functions return 0, or -1 with the reason in m->err if that has a message, otherwise in
 * the queue.
 */
#include "trainer/model/model.h"

/* Activations of one layer. share and rows: see struct lt_model. */
struct lt_acts {
	lk_act *x, *n1, *x2, *n2;     /* [share][hidden] */
	lk_act *qkv, *o, *gate_up;    /* [rows][...] */
	lk_real *rstd1, *rstd2, *lse; /* [share], [share], [rows][heads] */
};

struct lt_slot {
	struct lt_acts *acts; /* by layer of the chunk; acts[0].x is the input */
	lk_act *out;
	uint32_t *ids, *places; /* [rows]; ids where the embedding is */
	bool documents;		/* places are those of this micro-batch */
	struct lk_ids sorted;	/* likewise, and on the host */
	uint32_t *sorted_host;
};

struct lt_model {
	struct lt_weights *w; /* caller-owned */
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_model_plan plan;
	struct lt_model_hooks hooks;
	struct lt_shape s;     /* of this rank's slices */
	size_t rows;	       /* batch * context */
	size_t share;	       /* rows of norms and residuals: rows, or a part with `sequence` */
	size_t share_at;       /* the first of them */
	size_t tp, tp_rank;    /* ranks of tensor parallelism */
	size_t *bound;	       /* [tp + 1]: elements of the shares in [rows][hidden] */
	size_t qkv_width;      /* (heads + 2 kv_heads) dim */
	struct lt_slot **slot; /* [chunk][slot] */
	/* Used by one call at a time. */
	lk_real *rope;
	lk_act *t;    /* [rows][hidden]: parts of a sum */
	lk_act *full; /* [rows][hidden]: gathered; with `sequence` */
	lk_act *y, *dqkv, *dout;
	lk_act *gradient[LT_MODEL_GRADIENTS]; /* [share][hidden] */
	lk_act *n;			      /* [share][hidden]: the final norm */
	lk_act *dlogits;		      /* logits if the types are equal */
	lk_real *rstd, *logits, *log_p, *weight;
	lk_real *stats, *merged; /* of all ranks' parts of the vocabulary [tp][rows][3]; of it */
	size_t *stats_bound;	 /* [tp + 1] */
	uint32_t *labels;
	void **owned; /* all allocations */
	size_t n_owned, max_owned;
	uint64_t bytes; /* their sum */
	bool count_only, failed, measuring;
	struct lu_err err;
};

static inline lk_act *lt_act_at(const struct lt_model *m, const lk_act *p, size_t elements)
{
	return (char *)(uintptr_t)p + elements * m->ops->act_size;
}

/* All rows of x[share][hidden]: x itself, or gathered into m->full. NULL on failure. */
lk_act *lt_gather_rows(struct lt_model *m, lk_act *x);
/* This rank's share of the sum over the ranks of part[rows][hidden]. NULL on failure. */
lk_act *lt_sum_parts(struct lt_model *m, lk_act *part);

/* The products of a layer: y = x W^T; dx = dy W; dW = dy^T x, or dW += it with add. */
int lt_linear(struct lt_model *m, lk_act *y, const lk_act *x, const struct lt_matrix *w,
		size_t rows);
int lt_linear_dx(struct lt_model *m, lk_act *dx, const lk_act *dy, const struct lt_matrix *w,
		size_t rows);
int lt_linear_dw(struct lt_model *m, lk_real *grad, const lk_act *dy, const lk_act *x,
		const struct lt_matrix *w, size_t rows, bool add);

/* Where in the sequences a call works: `batch` sequences of t rows at position pos (batch is 1 if pos
 * is not 0). */
struct lt_span {
	size_t batch, pos, t;
	const uint32_t *places; /* device, or NULL */
};

/*
 * Layer l up to its FFN's activations. `before` is the layer whose output, before->x2 + m->t, is the
 * input; NULL: the input is a->x.
 */
int lt_layer_forward(struct lt_model *m, size_t l, struct lt_acts *a, const struct lt_acts *before,
		const struct lt_span *at);
/* The rest of a layer, which the backward pass does not need: its contribution to the residual, in
 * m->t (this rank's share, from the start of the returned pointer). NULL on failure. */
lk_act *lt_layer_finish(struct lt_model *m, size_t l, struct lt_acts *a, const struct lt_span *at);
/* dx: gradient of the layer's output on entry, of its input on return. g: the lane's gradients. */
int lt_layer_backward(struct lt_model *m, size_t l, struct lt_acts *a, const struct lt_span *at,
		lk_act *dx, lk_real *g, bool add);

/* x[share][hidden] of the ids. */
int lt_embed_forward(struct lt_model *m, const uint32_t *ids, lk_act *x, size_t rows);
int lt_embed_backward(
		struct lt_model *m, const struct lt_slot *slot, lk_act *dx, lk_real *g, bool add);

/* log p of m->labels after the layers, whose output is x. With a pass also the loss, the gradients of
 * the head, and that of x in dx. */
int lt_head(struct lt_model *m, const lk_act *x, size_t rows, lk_act *dx,
		const struct lt_pass *pass, lk_real *g, bool weighted);
/* Logits of rows first .. first + n - 1 of n[rows][hidden] into m->logits. */
int lt_head_logits(struct lt_model *m, const lk_act *n, size_t first, size_t rows);
int lt_final_norm(struct lt_model *m, const lk_act *x, size_t rows);

#endif
