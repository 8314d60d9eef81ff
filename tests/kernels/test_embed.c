#include "tests/kernels/lk_test.h"

struct embed_data {
	size_t rows, n, v0, v;
	const uint32_t *ids;
	int add;
	lk_real *w, *dy;
};

/* out: y, then the gradient, which began as w. */
static void embed_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct embed_data *d = arg;
	size_t n = d->rows * d->n, nw = d->v * d->n;
	lk_act *w = t_act(t, d->w, nw), *y = t_act(t, NULL, n), *dy = t_act(t, d->dy, n);
	lk_real *dw = t_dev(t, d->w, nw * sizeof(*dw));
	uint32_t *ids = t_dev8(t, d->ids, d->rows * sizeof(*ids));
	uint32_t *id = t_alloc(d->rows, sizeof(*id)), *begin = t_alloc(d->rows + 1, sizeof(*id));
	uint32_t *row = t_alloc(d->rows, sizeof(*row));
	struct lk_ids sorted = { .rows = d->rows };

	sorted.segments = lk_sort_ids(id, begin, row, d->ids, d->rows);
	sorted.id = t_dev8(t, id, sorted.segments * sizeof(*id));
	sorted.begin = t_dev8(t, begin, (sorted.segments + 1) * sizeof(*id));
	sorted.row = t_dev8(t, row, d->rows * sizeof(*id));
	t_ok(t, t_ops(t)->embed(t_queue(t), y, w, ids, d->rows, d->n, d->v0, d->v));
	t_ok(t, t_ops(t)->embed_back(t_queue(t), dw, dy, &sorted, d->n, d->v0, d->v, d->add));
	t_get(t, t_get_act(t, out, y, n), dw, nw * sizeof(*dw));
	free(id), free(begin), free(row);
}

static void test_embed(void **state)
{
	static const size_t ns[] = { 1, 3, 17, 64, 127, 200, 2056 };
	uint32_t ids[133];
	const struct lk_ops *ops;

	(void)state;
	/* one id has most of the rows */
	for (size_t i = 0; i < T_LEN(ids); i++)
		ids[i] = i % 8 < 5 ? 9 : 2 + (uint32_t)((t_rand(7, i) + 1) * 10);
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(ns) * 8; k++) {
		size_t n = ns[k / 8], rows = k & 4 ? T_LEN(ids) : k & 1;
		/* a vocabulary of 24, of which 4 are not used, or ids 5..13 */
		struct embed_data d = { rows, n, k & 1 ? 5 : 0, k & 1 ? 9 : 24, ids, k >> 1 & 1,
			t_fill_act(ops, 1, 24 * n, 1), t_fill_act(ops, 2, rows * n, 1) };
		lk_real *out = t_alloc((rows + 24) * n, sizeof(*out));
		double *w = t_widen(d.w, d.v * n), *dy = t_widen(d.dy, rows * n);
		double *y = t_alloc(rows * n, sizeof(*y));

		lk_ref_embed(y, w, ids, rows, n, d.v0, d.v);
		lk_ref_embed_back(w, dy, ids, rows, n, d.v0, d.v, d.add);
		t_run(ops, embed_run, &d, out, (rows + d.v) * n * sizeof(*out));
		t_near("embed", out, y, rows * n, 0);
		t_near("embed dw", out + rows * n, w, d.v * n, T_EPS * 16);
		free(out), free(w), free(dy), free(y), free(d.w), free(d.dy);
	}
}

/* Segments ascend, so do the rows of each, every row has the id of its segment, and all are there. */
static void test_sort(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 100, 5000 };
	static const uint32_t vocabulary[] = { 1, 7, 3000, 70000, UINT32_MAX };
	enum { MOST = 5000 };
	uint32_t *ids = t_alloc(MOST, sizeof(*ids)), *id = t_alloc(MOST, sizeof(*ids));
	uint32_t *begin = t_alloc(MOST + 1, sizeof(*ids)), *row = t_alloc(MOST, sizeof(*ids));

	(void)state;
	for (size_t k = 0; k < T_LEN(sizes) * T_LEN(vocabulary); k++) {
		size_t n = sizes[k / T_LEN(vocabulary)], segments;
		double v = vocabulary[k % T_LEN(vocabulary)];

		for (size_t i = 0; i < n; i++)
			ids[i] = (uint32_t)((t_rand(k, i) + 1) / 2 * v);
		segments = lk_sort_ids(id, begin, row, ids, n);
		assert_true(begin[0] == 0 && begin[segments] == n);
		for (size_t s = 0; s < segments; s++) {
			assert_true(begin[s] < begin[s + 1] && (s == 0 || id[s - 1] < id[s]));
			for (size_t i = begin[s]; i < begin[s + 1]; i++) {
				assert_true(row[i] < n && ids[row[i]] == id[s]);
				assert_true(i == begin[s] || row[i - 1] < row[i]);
			}
		}
	}
	free(ids), free(id), free(begin), free(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed),
		cmocka_unit_test(test_sort),
	};

	return cmocka_run_group_tests_name("kernels/embed", tests, NULL, NULL);
}
