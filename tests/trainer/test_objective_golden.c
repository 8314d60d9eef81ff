/*
 * What a step minimises against others: instruction tuning against transformers, preferences against
 * TRL, distillation against autograd. make_objective_golden.py has written their results to
 * tests/data/llama/small. The pairs are also computed in blocks of rows, whose logits are computed twice.
 */
#include "tests/trainer/golden.h"

#include <math.h>

static double number_of(const struct golden *g, const char *name)
{
	size_t n;
	double *p = golden_values(g, name, LU_ST_F64, &n), v = p[0];

	assert_int_equal(n, 1);
	free(p);
	return v;
}

static bool has(const struct golden *g, const char *name)
{
	return lu_st_find(&g->st, name) != NULL;
}

/* The only micro-batch of the file, with what its objective reads. */
struct given {
	struct lt_batch batch;
	double *reference;
	uint32_t *top;
	lk_real *top_logp;
};

static struct given given_of(const struct golden *g, struct lt_objective *o)
{
	struct given x = { .batch = golden_batch(g, 0) };
	size_t n, rows = g->sequences * g->context;

	if (has(g, "reference")) {
		o->dpo = true;
		o->beta = number_of(g, "beta");
		x.batch.reference = x.reference = golden_values(g, "reference", LU_ST_F64, &n);
	}
	if (has(g, "top")) {
		float *log_p = golden_values(g, "top_logp", LU_ST_F32, &n);

		o->top = n / rows;
		o->teacher = number_of(g, "teacher");
		x.batch.top_n = o->top;
		x.batch.top = x.top = golden_small(g, "top");
		x.batch.top_logp = x.top_logp = calloc(n, sizeof(*x.top_logp));
		assert_non_null(x.top_logp);
		for (size_t i = 0; i < n; i++)
			x.top_logp[i] = (lk_real)log_p[i];
		free(log_p);
	}
	return x;
}

/* Loss, rewards and gradients, divided by the weights, as a step does. */
static void compare(struct golden *g, const double *sums, bool rewards)
{
	double weights = sums[LK_SUM_WEIGHTS], worst = 0;
	size_t stride = golden_count(g, "stride");

	golden_within("loss", fabs(sums[LK_SUM_LOSS] / weights - number_of(g, "loss")),
			golden_limit(1e-6, 1e-5, 0.05));
	if (rewards) {
		golden_within("reward of the chosen",
				fabs(sums[LK_SUM_CHOSEN] / weights - number_of(g, "chosen")),
				golden_limit(1e-6, 1e-5, 0.05));
		golden_within("reward of the rejected",
				fabs(sums[LK_SUM_REJECTED] / weights - number_of(g, "rejected")),
				golden_limit(1e-6, 1e-5, 0.05));
		assert_true(fabs(sums[LK_SUM_RIGHT] / weights - number_of(g, "accuracy")) < 1e-6);
	}
	for (size_t i = 0; i < g->w->table.n; i++)
		worst = fmax(worst, golden_gradient_off(g, &g->w->table.param[i], stride, weights));
	golden_within("largest relative distance of a gradient", worst,
			golden_limit(1e-5, 1e-4, 0.15));
}

static void check(const char *name, size_t head_rows)
{
	struct golden g;

	golden_open(&g, "small", name);
	{
		struct lt_model_plan plan = { .batch = g.sequences,
			.context = g.context,
			.mode = LT_MODEL_TRAIN,
			.head_rows = head_rows };
		struct given x = given_of(&g, &plan.objective);
		double *device = g.ops->alloc(g.q, LK_SUMS * sizeof(*device)), sums[LK_SUMS];
		struct lt_pass pass = { .first = true, .sums = device, .stride = 1 };
		struct lt_model *m;
		struct lu_err err;

		plan.objective.normalized = strstr(name, "norm");
		assert_non_null(device);
		ok(lt_model_open(&m, g.w, &plan, &err), &err);
		ok(lt_model_forward(m, 0, 0, &x.batch, &err), &err);
		ok(lt_model_backward(m, 0, 0, &x.batch, lt_model_gradient(m, 0), &pass, &err),
				&err);
		g.ops->copy(g.q, sums, device, sizeof(sums), LK_D2H);
		assert_int_equal(g.ops->sync(g.q), 0);
		compare(&g, sums, has(&g, "chosen"));
		lt_model_close(m);
		g.ops->free(g.q, device);
		free(x.reference);
		free(x.top);
		free(x.top_logp);
	}
	golden_close(&g);
}

static void test_sft(void **state)
{
	(void)state;
	check("sft.safetensors", 0);
}

static void test_dpo(void **state)
{
	(void)state;
	check("dpo.safetensors", 0);
	check("dpo.safetensors", 7);
}

static void test_dpo_normalized(void **state)
{
	(void)state;
	check("dpo-norm.safetensors", 0);
}

static void test_distillation(void **state)
{
	(void)state;
	check("distill.safetensors", 0);
	check("distill.safetensors", 7);
}

static void test_mixture(void **state)
{
	(void)state;
	check("mixture.safetensors", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sft), cmocka_unit_test(test_dpo),
		cmocka_unit_test(test_dpo_normalized), cmocka_unit_test(test_distillation),
		cmocka_unit_test(test_mixture), TINY_BF16(test_sft), TINY_BF16(test_dpo),
		TINY_BF16(test_dpo_normalized), TINY_BF16(test_distillation),
		TINY_BF16(test_mixture) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
