#include "tests/kernels/lk_test.h"

struct embed_data {
	size_t rows, n, v0, v;
	const uint32_t *ids;
	lk_real *w, *dy;
};

/* out: y, then w with the gradient added. */
static void embed_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct embed_data *d = arg;
	size_t bytes = d->rows * d->n * sizeof(lk_real), wb = d->v * d->n * sizeof(lk_real);
	lk_real *w = t_dev(t, d->w, wb), *y = t_dev(t, NULL, bytes), *dy = t_dev(t, d->dy, bytes);
	uint32_t *ids = t_dev8(t, d->ids, d->rows * sizeof(*ids));

	t_ok(t, t_ops(t)->embed(t_queue(t), y, w, ids, d->rows, d->n, d->v0, d->v));
	t_ok(t, t_ops(t)->embed_back(t_queue(t), w, dy, ids, d->rows, d->n, d->v0, d->v));
	t_get(t, t_get(t, out, y, bytes), w, wb);
}

static void test_embed(void **state)
{
	static const size_t ns[] = { 1, 3, 17, 64, 127, 200 };
	uint32_t ids[133];
	const struct lk_ops *ops;

	(void)state;
	for (size_t i = 0; i < T_LEN(ids); i++)
		ids[i] = (uint32_t)((t_rand(7, i) + 1) * 10);
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(ns) * 2; k++) {
		size_t n = ns[k / 2], rows = T_LEN(ids);
		/* the whole vocabulary of 20, or ids 5..13 */
		struct embed_data d = { rows, n, k & 1 ? 5 : 0, k & 1 ? 9 : 20, ids,
			t_fill(1, 20 * n, 1), t_fill(2, rows * n, 1) };
		lk_real *out = t_alloc((rows + 20) * n, sizeof(*out));
		double *w = t_widen(d.w, d.v * n), *dy = t_widen(d.dy, rows * n);
		double *y = t_alloc(rows * n, sizeof(*y));

		lk_ref_embed(y, w, ids, rows, n, d.v0, d.v);
		lk_ref_embed_back(w, dy, ids, rows, n, d.v0, d.v);
		t_run(ops, embed_run, &d, out, (rows + d.v) * n * sizeof(*out));
		t_near("embed", out, y, rows * n, 0);
		t_near("embed dw", out + rows * n, w, d.v * n, T_EPS * 16);
		free(out), free(w), free(dy), free(y), free(d.w), free(d.dy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_embed) };

	return cmocka_run_group_tests_name("kernels/embed", tests, NULL, NULL);
}
