#ifndef LUCIE_TRAINER_PLAN_PASSES_H
#define LUCIE_TRAINER_PLAN_PASSES_H
/*
 * The time that a rank spends in the passes of a micro-batch, by part: the operations of the model in
 * the order of kernels/lk.h, each with its operations and bytes.
 *
 * PRODUCTS. D[m][n] of a product with inner dimension k takes
 *	2 m n k / (peak product m n / (m n + product_area)) + bytes of D / (bandwidth moving)
 * at least the time to read A and B, and a launch. The fraction in the first term is what the last
 * wave of tiles leaves idle; D is written, and where gradients are added read, after the sum is
 * complete. Weight gradients are fp32.
 *
 * ATTENTION. 2 T^2 heads dim operations a sequence and layer forward, causal pairs alone, and 2.5
 * times as many backward, at the share of the peak that `attention` T / (T + attention_context) is.
 * Boundaries of documents, which make it less, are not taken into account.
 *
 * THE REST moves bytes: the norms with the residual, rotation, SwiGLU, embedding, cross-entropy.
 *
 * Exchange over the tensor-parallel ranks is waited for, as trainer/model/layer.c does: two
 * all-reduces a layer in each direction; with `sequence`, two all-gathers and two reduce-scatters
 * forward, four and two backward.
 */
#include <stddef.h>

#include "trainer/model/model.h"
#include "trainer/model/params.h"
#include "trainer/plan/cluster.h"
#include "trainer/plan/ties.h"

enum lt_part {
	LT_PART_PRODUCTS,
	LT_PART_ATTENTION,
	LT_PART_MOVING,
	LT_PART_HEAD,
	LT_PART_AGAIN, /* recomputation */
	LT_PART_TP,
	LT_PART_PP,
	LT_PARTS
};

/* Seconds by part, and bytes sent over the tensor-parallel and pipeline axis. */
struct lt_pass_cost {
	double part[LT_PARTS];
	double tp_bytes, pp_bytes;
};

/* What the passes of a chunk depend on. */
struct lt_work {
	const struct lt_cluster *cluster;
	const struct lt_constants *k;
	struct lt_shape shape; /* of the whole model */
	struct lt_shape local; /* of a rank's slices */
	double batch, context; /* sequences of a micro-batch, tokens of each */
	double act_size;       /* bytes of an activation */
	double head_rows;      /* rows of logits at once */
	double micros;	       /* of a step: the first one writes the gradients, the others add */
	enum lt_recompute recompute;
	bool sequence;
	struct lt_ties tp, pp;
};

/* Passes of a chunk of so many layers; `first` has the embedding, `last` the head. */
void lt_work_forward(const struct lt_work *w, size_t layers, bool first, struct lt_pass_cost *out);
void lt_work_backward(const struct lt_work *w, size_t layers, bool first, bool last,
		struct lt_pass_cost *out);

double lt_pass_seconds(const struct lt_pass_cost *p);
/* a += n b */
void lt_pass_add(struct lt_pass_cost *a, const struct lt_pass_cost *b, double n);

/* Seconds that moving so many bytes of memory takes in so many operations. */
double lt_work_move(const struct lt_work *w, double bytes, double operations);
/* Seconds of the product D[m][n] with inner dimension k, `out` bytes moved for an element of D. */
double lt_work_product(const struct lt_work *w, double m, double n, double k, double out);
/* Seconds of attention in a layer. */
double lt_work_attention(const struct lt_work *w, bool backward);

#endif
