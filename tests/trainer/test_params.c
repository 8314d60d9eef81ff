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

/* Count the elements of the whole that a table holds. */
static void mark(const struct lt_table *t, const struct lt_table *whole, unsigned char *seen)
{
	size_t total = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct lt_param *p = &t->param[i];
		size_t at = 0;

		assert_int_equal(p->count, whole->param[i].count);
		if (p->offset == LT_ELSEWHERE)
			continue;
		/* One after the other, without gaps. */
		assert_int_equal(p->offset, total);
		total += p->local_count;
		while (at < p->local_count) {
			size_t first, run = lt_param_run(t, p, at, &first);

			assert_true(run > 0 && run <= p->local_count - at);
			for (size_t k = 0; k < run; k++)
				seen[whole->param[i].offset + first + k]++;
			at += run;
		}
	}
	assert_int_equal(total, t->total);
}

/* The slices of all tensor-parallel ranks and stages cover each element once. */
static void test_slices(void **state)
{
	const struct lt_chunk stage[2][2] = { { { 0, 1 }, { 2, 1 } }, { { 1, 1 }, { 3, 2 } } };
	struct lt_shape shape = tiny_shape(false);
	struct lt_table whole, part[2][2];
	struct lu_err err;
	unsigned char *seen;

	(void)state;
	shape.layers = 5;
	shape.vocab = 36;
	ok(lt_table_build(&whole, &shape, NULL, &err), &err);
	seen = calloc(whole.total, 1);
	assert_non_null(seen);
	for (size_t s = 0; s < 2; s++) {
		for (size_t r = 0; r < 2; r++) {
			const struct lt_place place = { r, 2, stage[s], 2 };

			ok(lt_table_build(&part[s][r], &shape, &place, &err), &err);
			mark(&part[s][r], &whole, seen);
		}
	}
	for (size_t i = 0; i < whole.n; i++) {
		const struct lt_param *p = &whole.param[i];
		/* Norms are on both tensor-parallel ranks. */
		unsigned char want = p->split == LT_SPLIT_NONE ? 2 : 1;

		for (size_t e = 0; e < p->count; e++)
			assert_int_equal(seen[p->offset + e], want);
	}
	assert_true(lt_table_has_embed(&part[0][1]) && !lt_table_has_head(&part[0][1]));
	assert_true(lt_table_has_head(&part[1][0]) && !lt_table_has_embed(&part[1][0]));
	/* Embedding, two layers; three layers, norm and head: in the order of the model. */
	assert_int_equal(part[0][0].buckets, 3);
	assert_int_equal(part[1][0].buckets, 4);
	assert_int_equal(lt_bucket_of_layer(&part[1][0], 3), 1);
	assert_int_equal(lt_bucket_of_head(&part[1][0]), 3);
	for (size_t s = 0; s < 2; s++) {
		for (size_t r = 0; r < 2; r++)
			lt_table_release(&part[s][r]);
	}
	lt_table_release(&whole);
	free(seen);
}

static void refuse(const struct lt_shape *shape, const struct lt_place *place, const char *says)
{
	struct lt_table t;
	struct lu_err err;

	assert_int_equal(lt_table_build(&t, shape, place, &err), -1);
	if (!strstr(err.msg, says))
		fail_msg("'%s' does not say '%s'", err.msg, says);
}

static void test_refused(void **state)
{
	const struct lt_chunk all = { 0, 2 }, first = { 0, 1 };
	struct lt_place two = { 1, 2, &all, 1 }, stage = { 0, 1, &first, 1 };
	struct lt_shape shape = tiny_shape(false);

	(void)state;
	refuse(&shape, &two, "model.vocab = 37 is not a multiple of parallel.tp = 2");
	shape.vocab = 36;
	two.tp_size = 4;
	refuse(&shape, &two, "model.kv_heads = 2 is not a multiple of parallel.tp = 4");
	shape.tied = true;
	refuse(&shape, &stage, "model.tied needs the embedding and the head on one stage");
	shape.vocab = (size_t)1 << 32;
	refuse(&shape, NULL, "the model is too large: vocab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
