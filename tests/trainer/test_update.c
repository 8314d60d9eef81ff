/* Lanes, the norm, clipping, and what happens when a gradient is not finite. */
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

/*
 * Eight micro-batches over R lanes on one rank, and the same computed by hand as d ranks that own
 * R / d lanes each and add up by the same tree: equal in every bit.
 */
static void test_lanes(void **state)
{
	enum { MICRO = 8, LANES = 4 };
	size_t n, bytes;
	lk_real *lane[LANES], *sum, *got;
	struct lt_update u;
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, LANES, false);
	n = t.w->table.total;
	bytes = n * sizeof(lk_real);
	ok(lt_model_open(&m, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_TRAIN, false, &err), &err);
	ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, MICRO * TINY_ROWS, &err), &err);
	for (size_t j = 0; j < MICRO; j++) {
		t.ids[0] = (uint32_t)j;
		ok(lt_model_train(m, t.ids, t.labels, j % LANES, t.loss + j, &err), &err);
	}
	for (size_t j = 0; j < LANES; j++) {
		lane[j] = malloc(bytes);
		assert_non_null(lane[j]);
		read_vector(&t, t.w->grad + j * n, lane[j]);
	}
	ok(lt_optimizer_update(t.w, t.comm, &hyper, &u, &err), &err);
	got = malloc(bytes);
	sum = malloc(bytes);
	assert_non_null(got);
	assert_non_null(sum);
	read_vector(&t, t.w->grad, got);
	for (size_t i = 0; i < n; i++)
		sum[i] = (lane[0][i] + lane[2][i]) + (lane[1][i] + lane[3][i]);
	assert_memory_equal(got, sum, bytes);

	/* one lane holds what lane 0 alone would: micro-batches 0 and 4, in that order */
	ok(lt_optimizer_begin(t.w, &hyper, 0.01, 1, MICRO * TINY_ROWS, &err), &err);
	tiny_close(&t);
	lt_model_close(m);
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
	ok(lt_weights_put(t.w, LT_VECTOR_P, lt_table_find(&t.w->table, "model.norm.weight")->offset, 1,
			   &nan, &err),
			&err);
	ok(lt_optimizer_nonfinite(t.w, what, sizeof(what), &err), &err);
	assert_string_equal(what, "the values of model.norm.weight");
	tiny_close(&t);
}

/* The table: every element once, in order, fused rows side by side, and the published count. */
static void test_table(void **state)
{
	struct lt_shape lucie = { .vocab = 65024,
		.hidden = 4096,
		.layers = 32,
		.heads = 32,
		.kv_heads = 8,
		.dim = 128,
		.ffn = 12288,
		.rope_theta = 5e5,
		.norm_eps = 1e-5,
		.init_std = 0.009 };
	struct lt_table t;
	struct lu_err err;
	size_t at = 0;

	(void)state;
	ok(lt_table_build(&t, &lucie, &err), &err);
	assert_int_equal(t.total, 6706958336);
	assert_int_equal(lt_matrix_params(&t) + 4096 * (2 * 32 + 1), 6440620032);
	for (size_t i = 0; i < t.n; i++) {
		assert_int_equal(t.param[i].offset, at);
		at += t.param[i].count;
	}
	assert_int_equal(at, t.total);
	/* 45.09 GFLOP a token at 4096, 41.86 with causal attention counted half */
	assert_true(fabs(lt_flops_per_token(&t, 4096, false) - 45.09e9) < 0.01e9);
	assert_true(fabs(lt_flops_per_token(&t, 4096, true) - 41.86e9) < 0.01e9);
	assert_true(fabs(lt_table_find(&t, "model.layers.31.mlp.down_proj.weight")->std -
				    0.001125) < 1e-9);
	assert_null(lt_table_find(&t, "model.layers.32.mlp.down_proj.weight"));
	lt_table_release(&t);
}

/* A piece of a tensor has the values of the whole. */
static void test_init(void **state)
{
	struct lt_table t;
	struct lt_shape shape = tiny_shape(false);
	lk_real whole[400], part[101];
	const struct lt_param *p;
	struct lu_err err;
	double sum = 0;

	(void)state;
	ok(lt_table_build(&t, &shape, &err), &err);
	p = lt_table_find(&t, "model.embed_tokens.weight");
	lt_param_init(p, 5, 0, 400, whole);
	lt_param_init(p, 5, 137, 101, part);
	assert_memory_equal(part, whole + 137, sizeof(part));
	lt_param_init(p, 6, 137, 101, part);
	assert_memory_not_equal(part, whole + 137, sizeof(part));
	for (size_t i = 0; i < 400; i++)
		sum += (double)whole[i] * (double)whole[i];
	assert_true(fabs(sqrt(sum / 400) - 0.3) < 0.03);
	lt_param_init(lt_table_find(&t, "model.norm.weight"), 5, 0, 3, part);
	assert_true(part[0] == 1 && part[2] == 1);
	lt_table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_norm_and_clip),
		cmocka_unit_test(test_not_finite),
		cmocka_unit_test(test_bad_value),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
