#include "tests/kernels/lk_test.h"

static const size_t sizes[] = { 0, 1, 3, 17, 127, 4096, 4097, 20000 };

/* --- norm, clipping, finite check, conversion ------------------------------------------------ */

struct norm_data {
	size_t n, cut; /* two shards, the first of `cut` chunks */
	double max_norm;
	lk_real *x;
};

struct norm_out {
	struct lk_step step;
	double sum;
	uint32_t ok;
	uint32_t pad;
};

static void norm_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct norm_data *d = arg;
	const struct lk_ops *ops = t_ops(t);
	struct lk_queue *q = t_queue(t);
	size_t chunks = (d->n + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK, cut = d->cut * LK_NORM_CHUNK;
	struct norm_out *o = out;
	struct lk_step *step;
	lk_real *x = t_dev(t, d->x, d->n * sizeof(*x)), *act = t_dev(t, NULL, d->n * sizeof(*x));
	double *sums = t_dev8(t, NULL, chunks * sizeof(*sums)), *sum;
	uint32_t *ok = t_dev8(t, NULL, sizeof(*ok));

	memset(o, 0, sizeof(*o));
	step = t_dev8(t, &o->step, sizeof(*step));
	sum = t_dev8(t, NULL, sizeof(*sum));
	t_ok(t, ops->sqnorm(q, sums, x, cut));
	t_ok(t, ops->sqnorm(q, sums + d->cut, x + cut, d->n - cut));
	t_ok(t, ops->sum(q, &step->sqnorm, sums, chunks));
	t_ok(t, ops->clip(q, step, d->max_norm));
	t_ok(t, ops->to_act(q, act, x, d->n));
	t_ok(t, ops->finite(q, ok, act, d->n));
	t_ok(t, ops->sum_real(q, sum, act, d->n));
	t_get(t, &o->step, step, sizeof(*step));
	t_get(t, &o->sum, sum, sizeof(*sum));
	t_get(t, &o->ok, ok, sizeof(*ok));
}

static void test_norm(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes); k++) {
		struct norm_data d = { sizes[k], 0, 1, t_fill(k, sizes[k], 1) };
		double *x = t_widen(d.x, d.n), sums[8];
		struct lk_step want = { 0 };
		struct norm_out o, shards;

		lk_ref_sqnorm(sums, x, d.n);
		want.sqnorm = lk_ref_sum(sums, (d.n + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK);
		lk_ref_clip(&want, d.max_norm);
		t_run(ops, norm_run, &d, &o, sizeof(o));
		assert_true(fabs(o.step.sqnorm - want.sqnorm) <= 1e-13 * want.sqnorm);
		assert_true(fabs(o.step.norm - want.norm) <= 1e-13 * want.norm);
		assert_true(fabs(o.step.clip - want.clip) < 1e-13);
		assert_true(o.step.finite == 1 && o.ok == 1);
		assert_true(o.sum == lk_ref_sum(x, d.n));
		/* Two shards have the bits of the whole. */
		d.cut = d.n / LK_NORM_CHUNK / 2;
		t_run(ops, norm_run, &d, &shards, sizeof(shards));
		assert_memory_equal(&o, &shards, sizeof(o));
		d.max_norm = 0;
		t_run(ops, norm_run, &d, &o, sizeof(o));
		assert_true(o.step.clip == 1);
		free(x), free(d.x);
	}
}

/* A value that is not finite is found at any position, in the vector part and in the tail. */
static void test_finite(void **state)
{
	const lk_real bad[] = { (lk_real)NAN, (lk_real)INFINITY, (lk_real)-INFINITY };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 1; k < T_LEN(sizes); k++)
		for (size_t i = 0; i < 12; i++) {
			struct norm_data d = { sizes[k], 0, 1, t_fill(k, sizes[k], 1) };
			struct norm_out o;

			d.x[i < 6 ? i % d.n : d.n - 1 - i % d.n] = bad[i % 3];
			t_run(ops, norm_run, &d, &o, sizeof(o));
			assert_true(o.ok == 0);
			assert_true(o.step.finite == 0);
			free(d.x);
		}
}

/* --- lanes ----------------------------------------------------------------------------------- */

struct lane_data {
	size_t lanes, n, stride;
	lk_real *x;
};

/* out: the sum of the lanes, then lane 0 plus that sum. */
static void lane_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct lane_data *d = arg;
	size_t bytes = d->lanes * d->stride * sizeof(lk_real);
	lk_real *x = t_dev(t, d->x, bytes), *y = t_dev(t, d->x, bytes);

	t_ok(t, t_ops(t)->lane_sum(t_queue(t), x, d->lanes, d->stride, d->n));
	t_ok(t, t_ops(t)->accumulate(t_queue(t), y, x, d->n));
	out = t_get(t, out, x, d->n * sizeof(*x));
	t_get(t, out, y, d->n * sizeof(*y));
}

static void test_lanes(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 1; k < T_LEN(sizes); k++)
		for (size_t lanes = 1; lanes <= 8; lanes *= 2) {
			struct lane_data d = { lanes, sizes[k], sizes[k] + k, NULL };
			lk_real *out = t_alloc(2 * d.n, sizeof(*out)), *x;

			d.x = t_fill(5, d.lanes * d.stride, 1);
			x = t_fill(5, d.lanes * d.stride, 1);
			t_run(ops, lane_run, &d, out, 2 * d.n * sizeof(*out));
			lk_ref_lane_sum(x, lanes, d.stride, d.n);
			assert_memory_equal(out, x, d.n * sizeof(*x));
			lk_ref_accumulate(d.x, x, d.n);
			assert_memory_equal(out + d.n, d.x, d.n * sizeof(*x));
			free(out), free(d.x), free(x);
		}
}

/* Two ranks of two lanes each have the bits of one rank with four. */
static void test_lane_ranks(void **state)
{
	enum { N = 1000 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		lk_real *x = t_fill(8, 4 * N, 1), *rank[2], all[N], part[N];
		struct lane_data d = { 4, N, N, x };
		lk_real *out = t_alloc(2 * N, sizeof(*out));

		t_run(ops, lane_run, &d, out, 2 * N * sizeof(*out));
		memcpy(all, out, sizeof(all));
		for (size_t k = 0; k < 2; k++) {
			rank[k] = t_alloc(2 * N, sizeof(*rank[k]));
			memcpy(rank[k], x + k * N, N * sizeof(*x));
			memcpy(rank[k] + N, x + (k + 2) * N, N * sizeof(*x));
			d = (struct lane_data){ 2, N, N, rank[k] };
			t_run(ops, lane_run, &d, out, 2 * N * sizeof(*out));
			for (size_t i = 0; i < N; i++)
				part[i] = k == 0 ? out[i] : part[i] + out[i];
			free(rank[k]);
		}
		assert_memory_equal(all, part, sizeof(all));
		free(x), free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_norm),
		cmocka_unit_test(test_finite),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_lane_ranks),
	};

	return cmocka_run_group_tests_name("kernels/sums", tests, NULL, NULL);
}
