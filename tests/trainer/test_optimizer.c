/* The optimizer: lanes, norm, clipping, and values that are not finite. */
#include "tests/trainer/tiny.h"

#include <math.h>

static const struct lt_hyper hyper = { 0.9, 0.95, 1e-8, 0.1, 1 };

static void read_vector(struct tiny *t, const lk_real *from, lk_real *to)
{
	assert_int_equal(t->ops->copy(t->q, to, from, t->w->table.total * sizeof(*to), LK_D2H), 0);
	assert_int_equal(t->ops->sync(t->q), 0);
}

static void write_gradient(struct tiny *t, size_t lane, size_t at, lk_real value)
{
	assert_int_equal(t->ops->copy(t->q, t->w->grad + lane * t->w->table.total + at, &value,
					 sizeof(value), LK_H2D),
			0);
	assert_int_equal(t->ops->sync(t->q), 0);
}

/* Add micro-batch i, which differs from the others in its first token, to a lane. */
static void train_micro(struct tiny *t, struct lt_model *m, size_t i, size_t lane)
{
	struct lu_err err;

	t->ids[0] = (uint32_t)i;
	ok(lt_model_train(m, t->ids, t->labels, lane, t->loss, &err), &err);
}

/*
 * Ranks that own some of the lanes compute the same bits as one rank that owns all: a lane depends
 * on its own micro-batches and their order only, and the lanes are added by a fixed tree.
 */
static void test_lanes(void **state)
{
	enum { MICRO = 8, LANES = 4 };
	lk_real *lane[LANES], *sum, *got;
	struct lt_update u;
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;
	size_t n, bytes;

	(void)state;
	tiny_open(&t, LANES, false);
	n = t.w->table.total;
	bytes = n * sizeof(lk_real);
	got = malloc(bytes);
	sum = malloc(bytes);
	assert_true(got && sum);
	ok(lt_model_open(&m, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_TRAIN, false, &err), &err);
	ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, MICRO * TINY_ROWS, &err), &err);
	for (size_t i = 0; i < MICRO; i++)
		train_micro(&t, m, i, i % LANES);
	for (size_t j = 0; j < LANES; j++) {
		lane[j] = malloc(bytes);
		assert_non_null(lane[j]);
		read_vector(&t, t.w->grad + j * n, lane[j]);
	}
	/* Lane j alone, as lane 0 of a rank that has no other: micro-batches j and j + LANES. */
	for (size_t j = 0; j < LANES; j++) {
		ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, MICRO * TINY_ROWS, &err), &err);
		for (size_t i = j; i < MICRO; i += LANES)
			train_micro(&t, m, i, 0);
		read_vector(&t, t.w->grad, got);
		assert_memory_equal(got, lane[j], bytes);
	}
	ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, MICRO * TINY_ROWS, &err), &err);
	for (size_t i = 0; i < MICRO; i++)
		train_micro(&t, m, i, i % LANES);
	ok(lt_optimizer_update(t.w, t.comm, &hyper, &u, &err), &err);
	read_vector(&t, t.w->grad, got);
	for (size_t i = 0; i < n; i++)
		sum[i] = (lane[0][i] + lane[2][i]) + (lane[1][i] + lane[3][i]);
	assert_memory_equal(got, sum, bytes);
	lt_model_close(m);
	tiny_close(&t);
	for (size_t j = 0; j < LANES; j++)
		free(lane[j]);
	free(got);
	free(sum);
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
	ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, 1, &err), &err);
	write_gradient(&t, 0, 0, 3);
	write_gradient(&t, 1, last, -4);
	ok(lt_optimizer_update(t.w, t.comm, &hyper, &u, &err), &err);
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
	ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, 1, &err), &err);
	write_gradient(&t, lane, lt_table_find(&t.w->table, tensor)->offset + 2, value);
	read_vector(&t, t.w->vector[LT_VECTOR_P], before);
	ok(lt_optimizer_update(t.w, t.comm, &hyper, &u, &err), &err);
	assert_false(u.finite);
	read_vector(&t, t.w->vector[LT_VECTOR_P], after);
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
	ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, 1, &err), &err);
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
		cmocka_unit_test(test_norm_and_clip),
		cmocka_unit_test(test_not_finite),
		cmocka_unit_test(test_bad_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
