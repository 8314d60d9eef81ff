#ifndef LUCIE_TRAINER_MODEL_LAYER_H
#define LUCIE_TRAINER_MODEL_LAYER_H
/*
 * One layer, forward and backward, and the products and sums over ranks that it is made of. Internal
 * to the model; see model_parts.h.
 */
#include "trainer/model/model_parts.h"

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

/* What a call works on: `batch` sequences of t rows; or t rows that are decoded (decoding.h), of which
 * places are the positions. */
struct lt_span {
	size_t batch, t;
	const uint32_t *places; /* device, or NULL */
	bool decode;
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

#endif
