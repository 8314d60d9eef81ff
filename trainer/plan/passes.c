#include "trainer/plan/passes.h"

#include <math.h>

#define TERA 1e12
#define GIGA 1e9
#define MICRO 1e-6
#define FP32 4.0

double lt_pass_seconds(const struct lt_pass_cost *p)
{
	double sum = 0;

	for (int i = 0; i < LT_PARTS; i++)
		sum += p->part[i];
	return sum;
}

void lt_pass_add(struct lt_pass_cost *a, const struct lt_pass_cost *b, double n)
{
	for (int i = 0; i < LT_PARTS; i++)
		a->part[i] += n * b->part[i];
	a->tp_bytes += n * b->tp_bytes;
	a->pp_bytes += n * b->pp_bytes;
}

/* --- operations ------------------------------------------------------------------------------- */

double lt_work_move(const struct lt_work *w, double bytes, double operations)
{
	return bytes / (w->cluster->bandwidth * GIGA * w->k->moving) +
			operations * w->k->launch * MICRO;
}

double lt_work_product(const struct lt_work *w, double m, double n, double k, double out)
{
	double area = m * n, share = w->k->product * area / (area + w->k->product_area);
	double compute = 2 * area * k / (w->cluster->peak * TERA * share);
	double read = lt_work_move(w, (m + n) * k * w->act_size, 0);

	return fmax(compute, read) + lt_work_move(w, area * out, 1);
}

double lt_work_attention(const struct lt_work *w, bool backward)
{
	const struct lt_constants *k = w->k;
	double t = w->context, flops = 2 * w->batch * t * t;
	double half = backward ? k->attention_back_context : k->attention_context;
	double share = (backward ? k->attention_back : k->attention) * t / (t + half);

	flops *= (double)w->local.heads * (double)w->local.dim * (backward ? 2.5 : 1);
	return flops / (w->cluster->peak * TERA * share) + k->launch * MICRO;
}

/* Sizes in elements. */
static double rows_of(const struct lt_work *w)
{
	return w->batch * w->context;
}

static double share_of(const struct lt_work *w)
{
	return rows_of(w) / (w->sequence ? w->tp.n : 1);
}

static double residual_bytes(const struct lt_work *w)
{
	return share_of(w) * (double)w->local.hidden * w->act_size;
}

/* Bytes moved for an element of a weight gradient: written once, read and written after that. */
static double gradient_bytes(const struct lt_work *w)
{
	return 2 * FP32 - FP32 / w->micros;
}

/* --- exchange --------------------------------------------------------------------------------- */

/* Sums of parts over the tensor-parallel ranks, and with `sequence` rows gathered before products. */
static void exchange(const struct lt_work *w, double sums, double gathers, struct lt_pass_cost *out)
{
	double bytes = rows_of(w) * (double)w->local.hidden * w->act_size;

	if (w->tp.n < 2)
		return;
	if (!w->sequence) {
		out->part[LT_PART_TP] += sums * lt_ties_all_reduce(&w->tp, bytes);
		out->tp_bytes += sums * 2 * lt_ties_sent(&w->tp, bytes);
		return;
	}
	/* Each rank's rows are copied to their place first. */
	out->part[LT_PART_TP] += (sums + gathers) * lt_ties_ring(&w->tp, bytes) +
			gathers * lt_work_move(w, 2 * residual_bytes(w), 1);
	out->tp_bytes += (sums + gathers) * lt_ties_sent(&w->tp, bytes);
}

/* The output of a chunk, or the gradient of its input, from the neighbour. */
static void receive(const struct lt_work *w, struct lt_pass_cost *out)
{
	double bytes = residual_bytes(w);

	out->part[LT_PART_PP] += lt_ties_send(&w->pp, bytes);
	out->pp_bytes += bytes;
}

/* --- a layer ---------------------------------------------------------------------------------- */

/* Products of the forward pass; the last one is not computed again. */
static double forward_products(const struct lt_work *w, bool again)
{
	const struct lt_shape *s = &w->local;
	double r = rows_of(w), h = (double)s->hidden, q = (double)(s->heads * s->dim);
	double kv = 2 * (double)(s->kv_heads * s->dim), f = (double)s->ffn, a = w->act_size;

	return lt_work_product(w, r, q + kv, h, a) + lt_work_product(w, r, h, q, a) +
			lt_work_product(w, r, 2 * f, h, a) +
			(again ? 0 : lt_work_product(w, r, h, f, a));
}

/* Both norms read x and what is added to it, and write their sum and the output. */
static double forward_moves(const struct lt_work *w, bool again)
{
	const struct lt_shape *s = &w->local;
	double rotated = 2 * rows_of(w) * (double)((s->heads + s->kv_heads) * s->dim);
	double swiglu = again ? 0 : 3 * rows_of(w) * (double)s->ffn;

	return lt_work_move(
			w, 8 * residual_bytes(w) + (rotated + swiglu) * w->act_size, again ? 3 : 4);
}

static void layer_forward(const struct lt_work *w, struct lt_pass_cost *out)
{
	out->part[LT_PART_PRODUCTS] += forward_products(w, false);
	out->part[LT_PART_ATTENTION] += lt_work_attention(w, false);
	out->part[LT_PART_MOVING] += forward_moves(w, false);
	exchange(w, 2, 2, out);
}

static void layer_again(const struct lt_work *w, struct lt_pass_cost *out)
{
	switch (w->recompute) {
	case LT_RECOMPUTE_NONE: break;
	case LT_RECOMPUTE_NORMS:
		out->part[LT_PART_AGAIN] += lt_work_move(w, 4 * residual_bytes(w), 2);
		break;
	case LT_RECOMPUTE_LAYER:
		out->part[LT_PART_AGAIN] += forward_products(w, true) +
				lt_work_attention(w, false) + forward_moves(w, true);
		exchange(w, 1, 2, out);
		break;
	}
}

static void layer_backward(const struct lt_work *w, struct lt_pass_cost *out)
{
	const struct lt_shape *s = &w->local;
	double r = rows_of(w), h = (double)s->hidden, q = (double)(s->heads * s->dim);
	double kv = 2 * (double)(s->kv_heads * s->dim), f = (double)s->ffn, a = w->act_size;
	double grad = gradient_bytes(w);
	const struct {
		double out, in;
	} matrix[] = { { q + kv, h }, { h, q }, { 2 * f, h }, { h, f } };

	for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++)
		out->part[LT_PART_PRODUCTS] +=
				lt_work_product(w, r, matrix[i].in, matrix[i].out, a) +
				lt_work_product(w, matrix[i].out, matrix[i].in, r, grad);
	out->part[LT_PART_ATTENTION] += lt_work_attention(w, true);
	/* The norms read two gradients and x; SwiGLU writes its output again. */
	out->part[LT_PART_MOVING] += lt_work_move(w,
			8 * residual_bytes(w) +
					(6 * r * f +
							2 * r *
									(double)((s->heads + s->kv_heads) *
											s->dim)) *
							a,
			4);
	exchange(w, 2, 4, out);
	layer_again(w, out);
}

/* --- the ends --------------------------------------------------------------------------------- */

/* Final norm, logits, loss and their gradients, in blocks of rows. */
static void head(const struct lt_work *w, struct lt_pass_cost *out)
{
	double r = rows_of(w), h = (double)w->local.hidden, v = (double)w->local.vocab;
	double blocks = ceil(r / w->head_rows), rows = r / blocks, a = w->act_size;
	/* The first block of the first micro-batch writes. */
	double grad = 2 * FP32 - FP32 / (w->micros * blocks);

	out->part[LT_PART_HEAD] += lt_work_move(w, 6 * residual_bytes(w), 2) +
			blocks *
					(lt_work_product(w, rows, v, h, FP32) +
							lt_work_move(w, rows * v * (2 * FP32 + a),
									1) +
							lt_work_product(w, v, h, rows, grad) +
							lt_work_product(w, rows, h, v, a));
	if (w->tp.n > 1) {
		double stats = 3 * FP32 * rows * w->tp.n;

		out->part[LT_PART_TP] += blocks * lt_ties_ring(&w->tp, stats);
		out->tp_bytes += blocks * lt_ties_sent(&w->tp, stats);
	}
	exchange(w, 1, 1, out);
}

/* What the software adds to computation. */
static void slow_down(const struct lt_work *w, struct lt_pass_cost *out)
{
	for (int i = LT_PART_PRODUCTS; i <= LT_PART_AGAIN; i++)
		out->part[i] *= w->k->software;
}

void lt_work_forward(const struct lt_work *w, size_t layers, bool first, struct lt_pass_cost *out)
{
	struct lt_pass_cost layer = { 0 };

	*out = (struct lt_pass_cost){ 0 };
	layer_forward(w, &layer);
	lt_pass_add(out, &layer, (double)layers);
	if (first) {
		double bytes = rows_of(w) * (double)w->local.hidden * w->act_size;

		out->part[LT_PART_MOVING] += lt_work_move(w, 2 * bytes, 1);
		exchange(w, 1, 0, out);
	} else {
		receive(w, out);
	}
	slow_down(w, out);
}

void lt_work_backward(const struct lt_work *w, size_t layers, bool first, bool last,
		struct lt_pass_cost *out)
{
	struct lt_pass_cost layer = { 0 };
	double r = rows_of(w), h = (double)w->local.hidden;

	*out = (struct lt_pass_cost){ 0 };
	layer_backward(w, &layer);
	lt_pass_add(out, &layer, (double)layers);
	if (last)
		head(w, out);
	else
		receive(w, out);
	if (first) {
		/* The first micro-batch writes all of the gradient, the others the rows that occur. */
		double all = FP32 * (double)w->local.vocab * h / w->micros;
		double rows = r * h * (w->act_size + 2 * FP32);

		out->part[LT_PART_MOVING] += lt_work_move(w, all + rows, 1);
		exchange(w, 0, 1, out);
	}
	slow_down(w, out);
}
