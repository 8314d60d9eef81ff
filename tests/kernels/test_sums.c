#include "tests/kernels/lk_test.h"

static const size_t sizes[] = { 0, 1, 3, 17, 127, 4096, 4097, 20000 };

/* --- norm, clipping, finite check ------------------------------------------------------------ */

struct norm_data {
	size_t n, cut; /* two shards, the first of `cut` chunks */
	double max_norm, loss;
	double weights;
	uint64_t finite;
	lk_real *x;
	double limit;
};

struct norm_out {
	struct lk_step step;
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
	lk_real *x = t_dev(t, d->x, d->n * sizeof(*x));
	double *sums = t_dev8(t, NULL, chunks * sizeof(*sums));
	uint32_t *ok = t_dev8(t, NULL, sizeof(*ok));

	memset(o, 0, sizeof(*o));
	o->step.weights = d->weights;
	o->step.loss = d->loss;
	o->step.finite = d->finite;
	o->step.limit = d->limit;
	step = t_dev8(t, &o->step, sizeof(*step));
	t_ok(t, ops->sqnorm(q, sums, x, cut));
	t_ok(t, ops->sqnorm(q, sums + d->cut, x + cut, d->n - cut));
	t_ok(t, ops->sum(q, &step->sqnorm, sums, chunks));
	t_ok(t, ops->clip(q, step, d->max_norm));
	t_ok(t, ops->finite(q, ok, x, d->n));
	t_get(t, &o->step, step, sizeof(*step));
	t_get(t, &o->ok, ok, sizeof(*ok));
}

static void test_norm(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes); k++) {
		struct norm_data d = { sizes[k], 0, 0.25, 3, 4, 1, t_fill(k, sizes[k], 1), 0 };
		double *x = t_widen(d.x, d.n), sums[8];
		struct lk_step want = { .weights = 4, .loss = 3, .finite = 1 };
		struct norm_out o, shards;

		lk_ref_sqnorm(sums, x, d.n);
		want.sqnorm = lk_ref_sum(sums, (d.n + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK);
		lk_ref_clip(&want, d.max_norm);
		t_run(ops, norm_run, &d, &o, sizeof(o));
		assert_true(fabs(o.step.sqnorm - want.sqnorm) <= 1e-13 * want.sqnorm);
		assert_true(fabs(o.step.norm - want.norm) <= 1e-13 * want.norm);
		assert_true(fabs(o.step.clip - want.clip) < 1e-13);
		assert_true(o.step.finite == 1 && o.step.skip == 0 && o.ok == 1);
		assert_true(o.step.scale == 0.25);
		/* Two shards have the bits of the whole. */
		d.cut = d.n / LK_NORM_CHUNK / 2;
		t_run(ops, norm_run, &d, &shards, sizeof(shards));
		assert_memory_equal(&o, &shards, sizeof(o));
		assert_true(o.step.skip == 0);
		d.max_norm = 0;
		d.limit = want.norm * (1 + 1e-12);
		t_run(ops, norm_run, &d, &o, sizeof(o));
		assert_true(o.step.clip == 0.25 && o.step.skip == 0);
		/* A norm of 0 is past no limit. */
		d.limit = want.norm * (1 - 1e-12);
		t_run(ops, norm_run, &d, &o, sizeof(o));
		assert_true(o.step.skip == (want.norm > 0) && o.step.finite == 1);
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
			struct norm_data d = { sizes[k], 0, 0.25, 3, 4, 1, t_fill(k, sizes[k], 1),
				0 };
			struct norm_out o;

			d.x[i < 6 ? i % d.n : d.n - 1 - i % d.n] = bad[i % 3];
			t_run(ops, norm_run, &d, &o, sizeof(o));
			assert_true(o.ok == 0);
			assert_true(o.step.finite == 0);
			free(d.x);
		}
}

/* The flag stays down, and a loss that is not finite takes it down too. */
static void test_flag(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (int i = 0; i < 4; i++) {
		struct norm_data d = { 100, 0, 1, i & 1 ? (double)NAN : 3, 4, i < 2,
			t_fill(1, 100, 1), 0 };
		struct norm_out o;

		t_run(ops, norm_run, &d, &o, sizeof(o));
		assert_true(o.step.finite == (i == 0));
		free(d.x);
	}
}

/* A step without any weight is skipped, and is no fault. */
static void test_no_weights(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct norm_data d = { 100, 0, 1, 0, 0, 1, t_fill(1, 100, 1), 0 };
		struct norm_out o;

		t_run(ops, norm_run, &d, &o, sizeof(o));
		assert_true(o.step.skip == 1 && o.step.finite == 1);
		assert_true(o.step.scale == 0 && o.step.norm == 0 && o.step.clip == 0);
		free(d.x);
	}
}

/* --- trees ----------------------------------------------------------------------------------- */

struct tree_data {
	size_t n;
	int weighted;
	double *x;
	lk_real *logp, *weight;
};

/* out: sum, loss. */
static void tree_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct tree_data *d = arg;
	size_t bytes = d->n * sizeof(lk_real);
	double *x = t_dev8(t, d->x, d->n * sizeof(*x)), *to = t_dev8(t, NULL, 2 * sizeof(*to));
	lk_real *logp = t_dev(t, d->logp, bytes), *weight = t_dev(t, d->weight, bytes);

	t_ok(t, t_ops(t)->sum(t_queue(t), to, x, d->n));
	t_ok(t, t_ops(t)->loss(t_queue(t), to + 1, logp, d->weighted ? weight : NULL, d->n));
	t_get(t, out, to, 2 * sizeof(*to));
}

static void test_trees(void **state)
{
	static const size_t ns[] = { 0, 1, 2, 3, 1023, 1024, 1025, 5000, 1024 * 1024,
		1024 * 1024 + 7 };
	const struct lk_ops *ops;

	(void)state;
	for (size_t k = 0; k < T_LEN(ns); k++) {
		size_t n = ns[k];
		struct tree_data d = { n, k & 1, t_alloc(n, sizeof(*d.x)), t_fill(1, n, 9),
			t_fill(2, n, 1) };
		double out[2], sum, exact = 0, loss;

		for (size_t i = 0; i < n; i++)
			exact += d.x[i] = t_rand(k, i) + 0.1;
		sum = lk_ref_sum(d.x, n);
		assert_true(fabs(sum - exact) <= 1e-12 * (double)n);
		T_EACH(ops)
		{
			if (n > 100000 && ops != lk_cpu_ops(LK_REAL))
				continue;
			t_run(ops, tree_run, &d, out, sizeof(out));
			assert_memory_equal(&out[0], &sum, sizeof(sum));
			loss = n < 1024 * 1024
					? lk_ref_loss(d.logp, d.weighted ? d.weight : NULL, n)
					: out[1];
			assert_memory_equal(&out[1], &loss, sizeof(loss));
		}
		free(d.x), free(d.logp), free(d.weight);
	}
}

/* --- lanes ----------------------------------------------------------------------------------- */

struct lane_data {
	size_t lanes, n, stride;
	lk_real *x;
};

#define LANE_SUMS ((size_t)8) /* chunks of the largest n, and more */

/* out: the sum of the lanes, lane 0 plus that sum; lane_sum()'s sums and sqnorm()'s. */
static void lane_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct lane_data *d = arg;
	size_t bytes = d->lanes * d->stride * sizeof(lk_real);
	lk_real *x = t_dev(t, d->x, bytes), *y = t_dev(t, d->x, bytes), *z = t_dev(t, d->x, bytes);
	double none[LANE_SUMS] = { 0 }, *sums = t_dev8(t, none, sizeof(none));
	double *squares = t_dev8(t, none, sizeof(none));

	t_ok(t, t_ops(t)->lane_sum(t_queue(t), x, d->lanes, d->stride, d->n, sums));
	t_ok(t, t_ops(t)->lane_sum(t_queue(t), z, d->lanes, d->stride, d->n, NULL));
	t_ok(t, t_ops(t)->sqnorm(t_queue(t), squares, z, d->n));
	t_ok(t, t_ops(t)->accumulate(t_queue(t), y, x, d->n));
	out = t_get(t, t_get(t, out, x, d->n * sizeof(*x)), y, d->n * sizeof(*y));
	t_get(t, t_get(t, out, sums, sizeof(none)), squares, sizeof(none));
}

static size_t lane_bytes(size_t n)
{
	return 2 * n * sizeof(lk_real) + 2 * LANE_SUMS * sizeof(double);
}

static void test_lanes(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 1; k < T_LEN(sizes); k++)
		for (size_t lanes = 1; lanes <= 11; lanes++) {
			struct lane_data d = { lanes, sizes[k], sizes[k] + k, NULL };
			lk_real *out = t_alloc(1, lane_bytes(d.n)), *x;
			const double *sums = (const double *)(const void *)(out + 2 * d.n);

			d.x = t_fill(5, d.lanes * d.stride, 1);
			x = t_fill(5, d.lanes * d.stride, 1);
			t_run(ops, lane_run, &d, out, lane_bytes(d.n));
			lk_ref_lane_sum(x, lanes, d.stride, d.n);
			assert_memory_equal(out, x, d.n * sizeof(*x));
			assert_memory_equal(sums, sums + LANE_SUMS, LANE_SUMS * sizeof(*sums));
			lk_ref_accumulate(d.x, x, d.n);
			assert_memory_equal(out + d.n, d.x, d.n * sizeof(*x));
			free(out), free(d.x), free(x);
		}
}

/* Ranks that hold every ranks-th lane each have, by the same tree, the bits of one with all lanes. */
static void test_lane_ranks(void **state)
{
	enum { N = 1000 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < 6; k++) {
		size_t ranks = 2 + k / 3, each = (size_t)1 << k % 3, lanes = ranks * each;
		lk_real *x = t_fill(8, lanes * N, 1), *mine = t_alloc(each * N, sizeof(*mine));
		lk_real *sums = t_alloc(ranks * N, sizeof(*sums)), *out = t_alloc(1, lane_bytes(N));
		struct lane_data d;

		for (size_t r = 0; r < ranks; r++) {
			for (size_t j = 0; j < each; j++)
				memcpy(mine + j * N, x + (j * ranks + r) * N, N * sizeof(*x));
			d = (struct lane_data){ each, N, N, mine };
			t_run(ops, lane_run, &d, out, lane_bytes(N));
			memcpy(sums + r * N, out, N * sizeof(*x));
		}
		lk_ref_lane_sum(sums, ranks, N, N);
		d = (struct lane_data){ lanes, N, N, x };
		t_run(ops, lane_run, &d, out, lane_bytes(N));
		assert_memory_equal(out, sums, N * sizeof(*x));
		free(x), free(mine), free(sums), free(out);
	}
}

/* --- add, conversion ------------------------------------------------------------------------- */

/* out: a + b, three times: apart, in a, in b. */
static void add_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct lane_data *d = arg;
	size_t n = d->n;
	lk_act *a = t_act(t, d->x, n), *b = t_act(t, d->x + n, n);
	lk_act *y = t_act(t, NULL, n), *z = t_act(t, d->x, n);

	t_ok(t, t_ops(t)->add(t_queue(t), y, a, b, d->n));
	t_ok(t, t_ops(t)->add(t_queue(t), z, z, b, d->n));
	t_ok(t, t_ops(t)->add(t_queue(t), b, a, b, d->n));
	t_get_act(t, t_get_act(t, t_get_act(t, out, y, n), z, n), b, n);
}

static void test_add(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes); k++) {
		size_t n = sizes[k];
		struct lane_data d = { .n = n, .x = t_fill_act(ops, 6, 2 * n, 1) };
		lk_real *out = t_alloc(3 * n, sizeof(*out));

		t_run(ops, add_run, &d, out, 3 * n * sizeof(*out));
		lk_ref_accumulate(d.x, d.x + n, n);
		for (size_t i = 0; i < n; i++)
			d.x[i] = (lk_real)t_round(ops, (double)d.x[i]);
		for (size_t i = 0; i < 3; i++)
			assert_memory_equal(out + i * n, d.x, n * sizeof(*out));
		free(out), free(d.x);
	}
}

/* out: y */
static void to_act_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct lane_data *d = arg;
	lk_real *x = t_dev(t, d->x, d->n * sizeof(*x));
	lk_act *y = t_act(t, NULL, d->n);

	t_ok(t, t_ops(t)->to_act(t_queue(t), y, x, d->n));
	t_get_act(t, out, y, d->n);
}

/* Every number is the nearest activation: ties in both directions, the ends of the range, what is not
 * finite; at every place of a vector. */
static void test_to_act(void **state)
{
	const lk_real odd[] = { 0, (lk_real)-0.0, (lk_real)(1 + 0x1p-8), (lk_real)(1 + 3 * 0x1p-8),
		(lk_real)(-1 - 0x1p-8), (lk_real)(1 + 0x1p-8 + 0x1p-22),
		(lk_real)(1 + 0x1p-8 - 0x1p-22), (lk_real)0x1.fep127, (lk_real)0x1.fffffep127,
		(lk_real)-0x1.ff7ffep127, (lk_real)0x1p-126, (lk_real)0x1p-133, (lk_real)0x1p-134,
		(lk_real)0x1.8p-134, (lk_real)-0x1.02p-127, (lk_real)INFINITY, (lk_real)-INFINITY,
		(lk_real)NAN };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes); k++)
		for (size_t shift = 0; shift < (k < 5 ? T_LEN(odd) : 1); shift++) {
			size_t n = sizes[k];
			struct lane_data d = { .n = n, .x = t_fill(9, n, 1) };
			lk_real *y = t_alloc(n, sizeof(*y));

			for (size_t i = 0; i < n; i += k < 5 ? 1 : 3)
				d.x[i] = odd[(i + shift) % T_LEN(odd)];
			if (n > 0) /* a NaN whose bits rounding would carry over */
				memset(&d.x[shift % n], 0xff, sizeof(*d.x));
			t_run(ops, to_act_run, &d, y, n * sizeof(*y));
			for (size_t i = 0; i < n; i++) {
				lk_real want = (lk_real)t_round(ops, (double)d.x[i]);

				if (isnan(want) ? !isnan(y[i])
						: memcmp(&y[i], &want, sizeof(want)) != 0)
					fail_msg("%s: %a becomes %a, not %a", ops->name,
							(double)d.x[i], (double)y[i], (double)want);
			}
			free(d.x), free(y);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_norm),
		cmocka_unit_test(test_finite),
		cmocka_unit_test(test_flag),
		cmocka_unit_test(test_no_weights),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_lane_ranks),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_to_act),
	};

	return cmocka_run_group_tests_name("kernels/sums", tests, NULL, NULL);
}
