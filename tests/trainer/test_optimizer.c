/* The optimizer: lanes, norm, clipping, and values that are not finite. */
#include "tests/trainer/tiny.h"

#include <math.h>

static const struct lt_hyper hyper = { 0.9, 0.95, 1e-8, 0.1, 1, 0 };

static void write_gradient(struct tiny *t, size_t lane, size_t at, lk_real value)
{
	assert_int_equal(t->ops->copy(t->q, t->w->grad + lane * t->w->table.total + at, &value,
					 sizeof(value), LK_H2D),
			0);
	assert_int_equal(t->ops->sync(t->q), 0);
}

/* Add micro-batch i, which differs from the others in its first token, to a lane. */
static void train_micro(struct tiny *t, struct lt_model *m, size_t i, size_t lane, bool first)
{
	struct lt_pass pass = { .lane = lane, .first = first, .sums = t->loss, .stride = 1 };
	struct lt_batch b;
	struct lu_err err;

	t->ids[0] = (uint32_t)i;
	b = tiny_batch(t);
	ok(lt_model_forward(m, 0, 0, &b, &err), &err);
	ok(lt_model_backward(m, 0, 0, &b, lt_model_gradient(m, 0), &pass, &err), &err);
}

static struct lt_model *open_model(struct tiny *t)
{
	struct lt_model_plan plan = tiny_plan(LT_MODEL_TRAIN);
	struct lt_model *m;
	struct lu_err err;

	ok(lt_model_open(&m, t->w, &plan, &err), &err);
	return m;
}

/* The gradient of an update from `micro` micro-batches in `lanes` lanes, and in lane[] what is in the
 * lanes before. */
static void sum_lanes(struct tiny *t, struct lt_model *m, size_t micro, size_t lanes,
		lk_real *const *lane, lk_real *sum)
{
	size_t n = t->w->table.total;
	struct lt_update u;
	struct lu_err err;

	/* What an earlier step left there must not matter. */
	for (size_t j = 0; j < lanes; j++)
		write_gradient(t, j, 0, (lk_real)NAN);
	ok(lt_optimizer_begin(t->o, &hyper, 0, 1, micro, &err), &err);
	for (size_t i = 0; i < micro; i++)
		train_micro(t, m, i, i % lanes, i < lanes);
	for (size_t j = 0; j < lanes; j++)
		tiny_read(t, t->w->grad + j * n, lane[j], n);
	ok(lt_optimizer_update(t->o, &hyper, t->loss, 1, &u, &err), &err);
	tiny_read(t, t->w->grad, sum, n);
}

/*
 * Ranks that own some of the lanes compute the same bits as one rank that owns all: a lane depends
 * on its own micro-batches and their order only, and the lanes are added by a fixed tree.
 */
static void check_lanes(size_t micro, size_t lanes)
{
	lk_real *lane[4], *sum, *got;
	struct lt_model *m;
	struct tiny t;
	size_t n, bytes;

	tiny_open(&t, lanes, false);
	n = t.w->table.total;
	bytes = n * sizeof(lk_real);
	got = malloc(bytes);
	sum = malloc(bytes);
	assert_true(got && sum);
	for (size_t j = 0; j < lanes; j++) {
		lane[j] = malloc(bytes);
		assert_non_null(lane[j]);
	}
	m = open_model(&t);
	sum_lanes(&t, m, micro, lanes, lane, sum);
	/* Lane j alone, as lane 0 of a rank that has no other. */
	for (size_t j = 0; j < lanes; j++) {
		memset(got, 0, bytes);
		for (size_t i = j; i < micro; i += lanes)
			train_micro(&t, m, i, 0, i == j);
		if (j < micro)
			tiny_read(&t, t.w->grad, got, n);
		assert_memory_equal(got, lane[j], bytes);
	}
	for (size_t i = 0; i < n; i++) {
		switch (lanes) {
		case 4: got[i] = (lane[0][i] + lane[2][i]) + (lane[1][i] + lane[3][i]); break;
		case 3: got[i] = (lane[0][i] + lane[2][i]) + lane[1][i]; break;
		default: got[i] = lane[0][i]; break;
		}
	}
	assert_memory_equal(got, sum, bytes);
	lt_model_close(m);
	tiny_close(&t);
	for (size_t j = 0; j < lanes; j++)
		free(lane[j]);
	free(got);
	free(sum);
}

static void test_lanes(void **state)
{
	(void)state;
	check_lanes(8, 4);
	check_lanes(5, 3);
	check_lanes(3, 1);
}

/* More lanes than micro-batches, or as many as do not divide them. */
static void test_uneven_lanes(void **state)
{
	(void)state;
	check_lanes(7, 4);
	check_lanes(3, 4);
	check_lanes(1, 4);
	check_lanes(2, 3);
}

static void test_norm_and_clip(void **state)
{
	struct lt_update u;
	struct lu_err err;
	struct tiny t;
	lk_real p[2], q[2];
	size_t last;

	(void)state;
	tiny_open(&t, 2, true);
	last = t.w->table.total - 1;
	ok(lt_weights_get(t.w, LT_VECTOR_P, 0, 1, &p[0], &err), &err);
	ok(lt_weights_get(t.w, LT_VECTOR_P, last, 1, &p[1], &err), &err);
	ok(lt_optimizer_begin(t.o, &hyper, 0.01, 1, 0, &err), &err);
	write_gradient(&t, 0, 0, 3);
	write_gradient(&t, 1, last, -4);
	tiny_set_weights(&t, 1);
	ok(lt_optimizer_update(t.o, &hyper, t.loss, 1, &u, &err), &err);
	assert_true(u.finite);
	assert_true(fabs(u.norm - 5) < 1e-12);
	assert_true(fabs(u.clip - 1 / (5 + 1e-6)) < 1e-9);
	/* The first update is lr times the sign, and decay for a matrix but not for a norm. */
	ok(lt_weights_get(t.w, LT_VECTOR_P, 0, 1, &q[0], &err), &err);
	ok(lt_weights_get(t.w, LT_VECTOR_P, last, 1, &q[1], &err), &err);
	assert_true(fabs((double)(p[0] - q[0]) - 0.01 * (1 + 0.1 * (double)p[0])) < 1e-6);
	assert_true(fabs((double)(q[1] - p[1]) - 0.01) < 1e-6);
	assert_string_equal(t.w->table.param[t.w->table.n - 1].name, "model.norm.weight");
	tiny_close(&t);
}

static void check_bad(size_t lane, const char *tensor, lk_real value, const char *want)
{
	size_t bytes;
	lk_real *before, *after;
	struct lt_update u;
	struct lu_err err;
	struct tiny t;
	char what[160];

	tiny_open(&t, 2, false);
	bytes = t.w->table.total * sizeof(lk_real);
	before = malloc(bytes);
	after = malloc(bytes);
	assert_true(before && after);
	ok(lt_optimizer_begin(t.o, &hyper, 0.01, 1, 0, &err), &err);
	write_gradient(&t, lane, lt_table_find(&t.w->table, tensor)->offset + 2, value);
	tiny_read(&t, t.w->vector[LT_VECTOR_P], before, t.w->table.total);
	tiny_set_weights(&t, 1);
	ok(lt_optimizer_update(t.o, &hyper, t.loss, 1, &u, &err), &err);
	assert_false(u.finite);
	tiny_read(&t, t.w->vector[LT_VECTOR_P], after, t.w->table.total);
	assert_memory_equal(before, after, bytes);
	ok(lt_optimizer_nonfinite(t.w, what, sizeof(what), &err), &err);
	assert_string_equal(what, want);
	free(before);
	free(after);
	tiny_close(&t);
}

static void test_not_finite(void **state)
{
	(void)state;
	check_bad(0, "model.layers.1.mlp.up_proj.weight", (lk_real)NAN,
			"the gradient of model.layers.1.mlp.up_proj.weight");
	check_bad(1, "lm_head.weight", (lk_real)INFINITY, "the gradient of lm_head.weight");
}

static void test_bad_value(void **state)
{
	lk_real nan = (lk_real)NAN;
	struct lu_err err;
	struct tiny t;
	char what[160];

	(void)state;
	tiny_open(&t, 1, false);
	ok(lt_optimizer_begin(t.o, &hyper, 0.01, 1, 0, &err), &err);
	ok(lt_weights_put(t.w, LT_VECTOR_P, lt_table_find(&t.w->table, "model.norm.weight")->offset,
			   1, &nan, &err),
			&err);
	ok(lt_optimizer_nonfinite(t.w, what, sizeof(what), &err), &err);
	assert_string_equal(what, "the values of model.norm.weight");
	tiny_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_uneven_lanes),
		cmocka_unit_test(test_norm_and_clip),
		cmocka_unit_test(test_not_finite),
		cmocka_unit_test(test_bad_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
