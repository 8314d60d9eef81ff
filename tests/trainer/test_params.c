/* The table of parameters and their initial values. */
#include "tests/trainer/tiny.h"

#include <math.h>

/* The offsets cover every element once; counts and FLOPs are those published for Lucie-7B. */
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
	size_t offset = 0;

	(void)state;
	ok(lt_table_build(&t, &lucie, NULL, &err), &err);
	assert_int_equal(t.total, 6706958336);
	assert_int_equal(lt_matrix_params(&t) + 4096 * (2 * 32 + 1), 6440620032);
	for (size_t i = 0; i < t.n; i++) {
		assert_int_equal(t.param[i].offset, offset);
		offset += t.param[i].count;
	}
	assert_int_equal(offset, t.total);
	/* 45.09 GFLOP per token at 4096, 41.86 with causal attention counted half. */
	assert_true(fabs(lt_flops_per_token(&t, 4096, false) - 45.09e9) < 0.01e9);
	assert_true(fabs(lt_flops_per_token(&t, 4096, true) - 41.86e9) < 0.01e9);
	assert_true(fabs(lt_table_find(&t, "model.layers.31.mlp.down_proj.weight")->std -
				    0.001125) < 1e-9);
	assert_null(lt_table_find(&t, "model.layers.32.mlp.down_proj.weight"));
	lt_table_release(&t);
}

/* The initial values of part of a tensor are those of the whole. */
static void test_init(void **state)
{
	struct lt_table t;
	struct lt_shape shape = tiny_shape(false);
	lk_real whole[400], part[101];
	const struct lt_param *p;
	struct lu_err err;
	double sum = 0;

	(void)state;
	ok(lt_table_build(&t, &shape, NULL, &err), &err);
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
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
