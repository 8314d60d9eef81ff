#include "tests/kernels/lk_test.h"

struct adam_data {
	size_t n, cut; /* updated by two calls: elements before the cut, then the rest */
	struct lk_adamw h;
	struct lk_step step;
	lk_real *p, *m, *v, *g;
};

/* out: p, m, v, copy */
static void adam_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct adam_data *d = arg;
	size_t bytes = d->n * sizeof(lk_real), cut = d->cut;
	lk_real *p = t_dev(t, d->p, bytes), *m = t_dev(t, d->m, bytes), *v = t_dev(t, d->v, bytes);
	lk_real *g = t_dev(t, d->g, bytes);
	lk_act *copy = t_act(t, d->p, d->n);
	struct lk_step *step = t_dev8(t, &d->step, sizeof(*step));

	t_ok(t, t_ops(t)->adamw(t_queue(t), p, m, v, g, copy, cut, &d->h, step));
	t_ok(t,
			t_ops(t)->adamw(t_queue(t), p + cut, m + cut, v + cut, g + cut,
					t_act_at(t_ops(t), copy, cut), d->n - cut, &d->h, step));
	out = t_get(t, t_get(t, out, p, bytes), m, bytes);
	t_get_act(t, t_get(t, out, v, bytes), copy, d->n);
}

static void test_adamw(void **state)
{
	static const size_t sizes[] = { 0, 1, 3, 17, 127, 4096, 4097, 20000 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes) * 2; k++) {
		size_t n = sizes[k / 2];
		struct adam_data d = { n, k & 1 ? n / 3 : 0, { 0.9, 0.95, 1e-5, k & 1 ? 0.1 : 0 },
			{ .lr = 3e-2, .bias1 = 0.19, .bias2 = 0.0975, .clip = 0.7, .finite = 1 },
			t_fill(1, n, 1), t_fill(2, n, 1), t_fill(3, n, 1), t_fill(4, n, 1) };
		double *p = t_widen(d.p, n), *m = t_widen(d.m, n), *g = t_widen(d.g, n), *v;
		lk_real *out = t_alloc(4 * n, sizeof(*out));

		for (size_t i = 0; i < n; i++)
			d.v[i] = d.v[i] < 0 ? -d.v[i] : d.v[i];
		v = t_widen(d.v, n);
		lk_ref_adamw(p, m, v, g, n, &d.h, &d.step);
		t_run(ops, adam_run, &d, out, 4 * n * sizeof(*out));
		t_near("p", out, p, n, T_EPS * 8);
		t_near("m", out + n, m, n, T_EPS * 8);
		t_near("v", out + 2 * n, v, n, T_EPS * 8);
		for (size_t i = 0; i < n; i++)
			assert_true(out[3 * n + i] == (lk_real)t_round(ops, (double)out[i]));

		d.step.finite = d.step.skip = k & 1;
		t_run(ops, adam_run, &d, out, 4 * n * sizeof(*out));
		assert_memory_equal(out, d.p, n * sizeof(*out));
		assert_memory_equal(out + n, d.m, n * sizeof(*out));
		assert_memory_equal(out + 2 * n, d.v, n * sizeof(*out));
		free(p), free(m), free(v), free(g), free(out);
		free(d.p), free(d.m), free(d.v), free(d.g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_adamw) };

	return cmocka_run_group_tests_name("kernels/adamw", tests, NULL, NULL);
}
