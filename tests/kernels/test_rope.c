#include "tests/kernels/lk_test.h"

#define POS0 3900
#define NPOS 200
#define THETA 500000

struct rope_data {
	size_t rows, heads, dim, ld, seq;
	const uint32_t *pos;
	int inverse;
	lk_real *x;
	double freq[64];
};

static void rope_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct rope_data *d = arg;
	lk_act *x = t_act(t, d->x, d->rows * d->ld);
	lk_real *table = t_dev(t, NULL, NPOS * d->dim * sizeof(*table));
	uint32_t *pos = d->pos ? t_dev8(t, d->pos, d->rows * sizeof(*pos)) : NULL;

	t_ok(t, t_ops(t)->rope_table(t_queue(t), table, POS0, NPOS, d->dim, d->freq));
	t_ok(t,
			t_ops(t)->rope(t_queue(t), x, table, pos, d->seq, d->rows, d->heads, d->dim,
					d->ld, d->inverse));
	t_get_act(t, out, x, d->rows * d->ld);
}

static void test_rope(void **state)
{
	static const size_t dims[] = { 2, 6, 34, 64, 126 };
	uint32_t pos[65];
	const struct lk_ops *ops;

	(void)state;
	for (size_t i = 0; i < T_LEN(pos); i++)
		pos[i] = (uint32_t)(i * 3 % NPOS);
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(dims) * 4; k++) {
		struct rope_data d = { 65, 3, dims[k / 4], dims[k / 4] * 3 + (k & 1 ? 5 : 0),
			k & 2 ? 20 : 0, k & 1 ? pos : NULL, k & 1, NULL, { 0 } };
		size_t n = d.rows * d.ld;
		lk_real *out = t_alloc(n, sizeof(*out));
		double *want, *table = t_alloc(NPOS * d.dim, sizeof(*table));

		for (size_t i = 0; i < d.dim / 2; i++)
			d.freq[i] = pow(THETA, -2.0 * (double)i / (double)d.dim);
		d.x = t_fill_act(ops, 3, n, 1);
		want = t_widen(d.x, n);
		lk_ref_rope_table(table, POS0, NPOS, d.dim, d.freq);
		lk_ref_rope(want, table, d.pos, d.seq, d.rows, d.heads, d.dim, d.ld, d.inverse);
		t_run(ops, rope_run, &d, out, n * sizeof(*out));
		t_near_act(ops, "rope", out, want, n, T_EPS * 8);
		free(out), free(want), free(table), free(d.x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rope) };

	return cmocka_run_group_tests_name("kernels/rope", tests, NULL, NULL);
}
