#include "tests/kernels/lk_test.h"

struct glu_data {
	size_t rows, f;
	int in_place;
	lk_real *gu, *dy;
};

/* out: y, y from the backward call, dgu. */
static void glu_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct glu_data *d = arg;
	size_t n = d->rows * d->f;
	lk_act *gu = t_act(t, d->gu, 2 * n), *dy = t_act(t, d->dy, n);
	lk_act *y = t_act(t, NULL, n), *again = d->in_place ? dy : t_act(t, NULL, n);
	lk_act *dgu = d->in_place ? gu : t_act(t, NULL, 2 * n);

	t_ok(t, t_ops(t)->swiglu(t_queue(t), y, gu, d->rows, d->f));
	t_ok(t, t_ops(t)->swiglu_back(t_queue(t), dgu, again, dy, gu, d->rows, d->f));
	out = t_get_act(t, t_get_act(t, out, y, n), again, n);
	t_get_act(t, out, dgu, 2 * n);
}

static void test_swiglu(void **state)
{
	static const size_t shapes[][2] = { { 1, 1 }, { 3, 17 }, { 17, 33 }, { 33, 127 },
		{ 70, 256 }, { 129, 96 }, { 2, 4600 } };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(shapes) * 2; k++) {
		size_t rows = shapes[k / 2][0], f = shapes[k / 2][1], n = rows * f;
		struct glu_data d = { rows, f, k & 1, t_fill_act(ops, 1, 2 * n, k & 2 ? 12 : 100),
			t_fill_act(ops, 2, n, 1) };
		double *gu = t_widen(d.gu, 2 * n), *dy = t_widen(d.dy, n);
		double *y = t_alloc(n, sizeof(*y)), *dgu = t_alloc(2 * n, sizeof(*dgu));
		lk_real *out = t_alloc(4 * n, sizeof(*out));

		lk_ref_swiglu(y, gu, rows, f);
		lk_ref_swiglu_back(dgu, NULL, dy, gu, rows, f);
		t_run(ops, glu_run, &d, out, 4 * n * sizeof(*out));
		t_near_act(ops, "swiglu", out, y, n, T_EPS * 8);
		assert_memory_equal(out, out + n, n * sizeof(*out));
		t_near_act(ops, "swiglu dgu", out + 2 * n, dgu, 2 * n, T_EPS * 8);
		free(out), free(gu), free(dy), free(y), free(dgu), free(d.gu), free(d.dy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_swiglu) };

	return cmocka_run_group_tests_name("kernels/swiglu", tests, NULL, NULL);
}
