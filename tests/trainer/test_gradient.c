/*
 * The gradient of the whole model, over two micro-batches with weights of labels and with documents,
 * compared with differences of the loss of the forward pass. In the double-precision build (make
 * DOUBLE=1) they agree to 1e-8; in fp32 the comparison is coarse.
 */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "libcommon/base/rng.h"

enum { VOCAB = 23, TOP = 4, BATCH = 2, CONTEXT = 13, ROWS = BATCH * CONTEXT, MICROS = 2 };

static const struct lt_objective next_token;
static const bool in_double = sizeof(lk_real) == sizeof(double);

/* A model, and the micro-batches of a step. */
struct whole {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w;
	struct lt_model *m;
	uint32_t ids[MICROS][ROWS], labels[MICROS][ROWS], places[MICROS][ROWS];
	lk_real weight[MICROS][ROWS];
	double reference[MICROS][BATCH];
	uint32_t top[MICROS][ROWS * TOP];
	lk_real top_logp[MICROS][ROWS * TOP];
	bool documents;
	struct lt_objective objective;
};

static struct lt_batch batch_of(const struct whole *x, size_t i)
{
	return (struct lt_batch){ .ids = x->ids[i],
		.labels = x->labels[i],
		.weight = x->weight[i],
		.places = x->documents ? x->places[i] : NULL,
		.reference = x->reference[i],
		.top = x->top[i],
		.top_logp = x->top_logp[i],
		.top_n = TOP };
}

static void fill(struct whole *x)
{
	static const lk_real weights[] = { 0, (lk_real)0.5, 1, 2 };

	for (size_t i = 0; i < MICROS; i++) {
		for (size_t r = 0; r < ROWS; r++) {
			uint64_t at = i * ROWS + r;

			x->ids[i][r] = (uint32_t)lu_rand_below(1, 0, at, VOCAB);
			x->labels[i][r] = (uint32_t)lu_rand_below(1, 1, at, VOCAB);
			x->weight[i][r] = weights[lu_rand_below(1, 2, at, 4)];
			/* A document begins with each sequence and at a quarter of the others. */
			x->places[i][r] = r % CONTEXT == 0 || lu_rand_below(1, 3, at, 4) == 0
					? 0
					: x->places[i][r - 1] + 1;
		}
	}
}

/* The reference of each pair, near what the model says; the teacher's tokens, with 0.8 of the mass. */
static void fill_objective(struct whole *x)
{
	for (size_t i = 0; i < MICROS; i++) {
		for (size_t s = 0; s < BATCH; s++)
			x->reference[i][s] = -40 - (double)lu_rand_below(4, i, s, 10);
		for (size_t k = 0; k < ROWS * TOP; k++) {
			x->top[i][k] = (uint32_t)((k / TOP * 3 + k % TOP * 5) % VOCAB);
			x->top_logp[i][k] = (lk_real)log(0.08 * (double)(k % TOP + 1));
		}
	}
}

/* Norm weights are not ones, or their gradients could be confused. */
static void vary(struct lt_weights *w)
{
	struct lu_err err;

	for (size_t i = 0; i < w->table.n; i++) {
		const struct lt_param *p = &w->table.param[i];

		for (size_t e = 0; p->dims == 1 && e < p->count; e++) {
			lk_real v = (lk_real)(0.5 + (double)lu_rand_below(2, i, e, 1000) / 1000);

			ok(lt_weights_put(w, LT_VECTOR_P, p->offset + e, 1, &v, &err), &err);
		}
	}
}

static void open_whole(struct whole *x, bool tied, bool documents, enum lt_recompute recompute,
		const struct lt_objective *o)
{
	struct lt_shape shape = tiny_shape(tied);
	struct lt_holding holding = { .lanes = 1, .dp_size = 1 };
	struct lt_model_plan plan = { .batch = BATCH,
		.context = CONTEXT,
		.mode = LT_MODEL_TRAIN,
		.recompute = recompute,
		.head_rows = 7,
		.objective = *o };
	struct lk_err kerr;
	struct lu_err err;

	shape.vocab = VOCAB;
	shape.rope_theta = 100;
	memset(x, 0, sizeof(*x));
	x->documents = documents;
	x->objective = *o;
	x->ops = lk_cpu_ops(tiny_act);
	assert_int_equal(x->ops->open(&x->q, 0, &kerr), 0);
	ok(lt_weights_open(&x->w, x->ops, x->q, &shape, NULL, &holding, &err), &err);
	ok(lt_weights_init(x->w, 7, &err), &err);
	vary(x->w);
	ok(lt_model_open(&x->m, x->w, &plan, &err), &err);
	fill(x);
	fill_objective(x);
}

static void close_whole(struct whole *x)
{
	lt_model_close(x->m);
	lt_weights_close(x->w);
	x->ops->close(x->q);
}

/* Forward and backward passes; returns the sum of the losses. */
static double passes(struct whole *x)
{
	double *device = x->ops->alloc(x->q, LK_SUMS * MICROS * sizeof(*device)), loss[MICROS];
	struct lu_err err;
	double sum = 0;

	assert_non_null(device);
	for (size_t i = 0; i < MICROS; i++) {
		struct lt_batch batch = batch_of(x, i);
		struct lt_pass pass = { .first = i == 0, .sums = device + i, .stride = MICROS };

		ok(lt_model_forward(x->m, 0, 0, &batch, &err), &err);
		ok(lt_model_backward(x->m, 0, 0, &batch, lt_model_gradient(x->m, 0), &pass, &err),
				&err);
	}
	x->ops->copy(x->q, loss, device, sizeof(loss), LK_D2H);
	assert_int_equal(x->ops->sync(x->q), 0);
	x->ops->free(x->q, device);
	for (size_t i = 0; i < MICROS; i++)
		sum += loss[i];
	return sum;
}

/* Sum of weight * -log p by the forward pass; or what the objective is. */
static double loss_of(struct whole *x)
{
	lk_real log_p[ROWS];
	struct lu_err err;
	double sum = 0;

	ok(lt_weights_refresh(x->w, &err), &err);
	if (x->objective.dpo || x->objective.top)
		return passes(x);
	for (size_t i = 0; i < MICROS; i++) {
		struct lt_batch batch = batch_of(x, i);

		ok(lt_model_score(x->m, &batch, BATCH, log_p, &err), &err);
		for (size_t r = 0; r < ROWS; r++)
			sum -= (double)x->weight[i][r] * (double)log_p[r];
	}
	return sum;
}

/* The gradient of that; malloc'd. The loss that comes with it must be the same. */
static lk_real *gradient_of(struct whole *x)
{
	size_t bytes = x->w->table.total * sizeof(lk_real);
	lk_real *g = malloc(bytes);
	double loss;

	assert_non_null(g);
	loss = passes(x);
	x->ops->copy(x->q, g, x->w->grad, bytes, LK_D2H);
	assert_int_equal(x->ops->sync(x->q), 0);
	assert_true(fabs(loss - loss_of(x)) < (in_double ? 1e-12 : 1e-4));
	return g;
}

static double loss_at(struct whole *x, size_t element, lk_real value)
{
	struct lu_err err;

	ok(lt_weights_put(x->w, LT_VECTOR_P, element, 1, &value, &err), &err);
	return loss_of(x);
}

/* Derivative of the loss, from four differences: the error is of the fourth order. */
static double difference(struct whole *x, size_t element)
{
	double h = in_double ? 3e-4 : 1e-2, near, far;
	struct lu_err err;
	lk_real was;

	ok(lt_weights_get(x->w, LT_VECTOR_P, element, 1, &was, &err), &err);
	near = loss_at(x, element, was + (lk_real)h) - loss_at(x, element, was - (lk_real)h);
	far = loss_at(x, element, was + (lk_real)(2 * h)) -
			loss_at(x, element, was - (lk_real)(2 * h));
	ok(lt_weights_put(x->w, LT_VECTOR_P, element, 1, &was, &err), &err);
	return (8 * near - far) / (12 * h);
}

static void check_objective(bool tied, bool documents, enum lt_recompute recompute,
		const struct lt_objective *o)
{
	double limit = in_double ? 1e-8 : 1e-2, worst = 0;
	struct whole x;
	lk_real *g;

	open_whole(&x, tied, documents, recompute, o);
	g = gradient_of(&x);
	for (size_t i = 0; i < x.w->table.n; i++) {
		const struct lt_param *p = &x.w->table.param[i];
		double largest = 0;

		for (size_t e = 0; e < p->count; e++)
			largest = fmax(largest, fabs((double)g[p->offset + e]));
		/* Some elements of each tensor, including the first and the last. */
		for (size_t k = 0; k < 6; k++) {
			size_t e = k < 2 ? k * (p->count - 1)
					 : (size_t)lu_rand_below(3, i, k, p->count);
			double got = (double)g[p->offset + e];
			double want = difference(&x, p->offset + e);
			double off = fabs(got - want) / (largest + 1e-3);

			if (!(off <= limit))
				fail_msg("%s[%zu]: gradient %.12g, differences %.12g", p->name, e,
						got, want);
			worst = fmax(worst, off);
		}
	}
	print_message("# %zu tensors, largest distance %.2g of the largest element\n", x.w->table.n,
			worst);
	free(g);
	close_whole(&x);
}

static void check(bool tied, bool documents, enum lt_recompute recompute)
{
	check_objective(tied, documents, recompute, &next_token);
}

/* The gradient with activations in bf16, against that in fp32: relative L2 distance of each tensor. */
static void check_bf16(bool tied, bool documents, enum lt_recompute recompute)
{
	struct whole real, half;
	lk_real *want, *got;
	double worst = 0;

	open_whole(&real, tied, documents, recompute, &next_token);
	(void)tiny_use_bf16(NULL);
	open_whole(&half, tied, documents, recompute, &next_token);
	(void)tiny_use_real(NULL);
	want = gradient_of(&real);
	got = gradient_of(&half);
	assert_int_equal(half.ops->act_size, 2);
	for (size_t i = 0; i < real.w->table.n; i++) {
		const struct lt_param *p = &real.w->table.param[i];
		double off = 0, size = 0;

		for (size_t e = p->offset; e < p->offset + p->count; e++) {
			double d = (double)got[e] - (double)want[e];

			off += d * d;
			size += (double)want[e] * (double)want[e];
		}
		off = sqrt(off / size);
		if (!(off <= 0.08))
			fail_msg("%s: relative distance %g", p->name, off);
		worst = fmax(worst, off);
	}
	print_message("# %zu tensors, largest relative distance %.2g\n", real.w->table.n, worst);
	/* Or nothing has been rounded. */
	assert_true(worst > 1e-4);
	free(want);
	free(got);
	close_whole(&real);
	close_whole(&half);
}

static void test_bf16(void **state)
{
	(void)state;
	for (int again = LT_RECOMPUTE_NONE; again <= LT_RECOMPUTE_LAYER; again++)
		check_bf16(again == LT_RECOMPUTE_NORMS, again > 0, (enum lt_recompute)again);
}

static void test_gradient(void **state)
{
	(void)state;
	check(false, false, LT_RECOMPUTE_NONE);
}

static void test_tied(void **state)
{
	(void)state;
	check(true, false, LT_RECOMPUTE_NONE);
}

static void test_documents(void **state)
{
	(void)state;
	check(false, true, LT_RECOMPUTE_NONE);
}

static void test_norms_again(void **state)
{
	(void)state;
	check(true, true, LT_RECOMPUTE_NORMS);
}

static void test_layers_again(void **state)
{
	(void)state;
	check(false, true, LT_RECOMPUTE_LAYER);
}

/* Blocks of 7 rows cut the pairs. */
static void test_pairs(void **state)
{
	const struct lt_objective plain = { .dpo = true, .beta = 0.1 };
	const struct lt_objective normalized = { .dpo = true, .beta = 2, .normalized = true };

	(void)state;
	check_objective(false, false, LT_RECOMPUTE_NONE, &plain);
	check_objective(true, false, LT_RECOMPUTE_NONE, &normalized);
}

static void test_teacher(void **state)
{
	const struct lt_objective alone = { .top = TOP, .teacher = 1 };
	const struct lt_objective mixed = { .top = TOP, .teacher = 0.4 };

	(void)state;
	check_objective(false, true, LT_RECOMPUTE_NONE, &alone);
	check_objective(true, false, LT_RECOMPUTE_NONE, &mixed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_gradient),
		cmocka_unit_test(test_tied), cmocka_unit_test(test_documents),
		cmocka_unit_test(test_norms_again), cmocka_unit_test(test_layers_again),
		cmocka_unit_test(test_bf16), cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_teacher) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
