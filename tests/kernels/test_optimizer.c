/*
 * test_optimizer.c: what follows backward: lanes, norm, clipping, finite check, AdamW; and the
 * memory operations.
 */
#include "tests/kernels/lk_test.h"

static const size_t sizes[] = { 0, 1, 3, 17, 127, 4096, 4097, 20000 };

/* AdamW */

struct adam_data {
	size_t n, from; /* update elements from.. only, in the second of two calls */
	struct lk_adamw h;
	struct lk_step step;
	lk_real *p, *m, *v, *g;
};

static void adam_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct adam_data *d = arg;
	size_t bytes = d->n * sizeof(lk_real), shift = t->shift;
	lk_real *p = t_dev(t, d->p, bytes), *m = t_dev(t, d->m, bytes), *v = t_dev(t, d->v, bytes);
	lk_real *g = t_dev(t, d->g, bytes), *copy = t_dev(t, d->p, bytes);
	struct lk_step *step;

	t->shift = shift / 8 * 8;
	step = t_dev(t, &d->step, sizeof *step);
	t->shift = shift;
	t_ok(t, t->ops->adamw(t->q, p, m, v, g, copy, d->from, &d->h, step));
	t_ok(t,
			t->ops->adamw(t->q, p + d->from, m + d->from, v + d->from, g + d->from,
					copy + d->from, d->n - d->from, &d->h, step));
	out = t_get(t, t_get(t, out, p, bytes), m, bytes);
	t_get(t, t_get(t, out, v, bytes), copy, bytes);
}

static void adam_want(const struct adam_data *d, double *p, double *m, double *v)
{
	const struct lk_adamw *h = &d->h;
	const struct lk_step *s = &d->step;

	for (size_t i = 0; i < d->n; i++) {
		double g = (double)d->g[i] * s->clip;

		m[i] = h->beta1 * m[i] + (1 - h->beta1) * g;
		v[i] = h->beta2 * v[i] + (1 - h->beta2) * g * g;
		p[i] -= s->lr *
				(m[i] / s->bias1 / (sqrt(v[i] / s->bias2) + h->eps) +
						h->decay * p[i]);
	}
}

static void test_adamw(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes) * 2; k++) {
		size_t n = sizes[k / 2];
		struct adam_data d = { n, k & 1 ? n / 3 : 0, { 0.9, 0.95, 1e-5, k & 1 ? 0.1 : 0 },
			{ .lr = 3e-2, .bias1 = 0.19, .bias2 = 0.0975, .clip = 0.7, .finite = 1 },
			t_fill(1, n, 1), t_fill(2, n, 1), t_fill(3, n, 1), t_fill(4, n, 1) };
		double *p = t_widen(d.p, n), *m = t_widen(d.m, n), *v;
		lk_real *out = t_alloc(4 * n, sizeof *out);

		for (size_t i = 0; i < n; i++)
			d.v[i] = d.v[i] < 0 ? -d.v[i] : d.v[i];
		v = t_widen(d.v, n);
		adam_want(&d, p, m, v);
		t_run(ops, adam_run, &d, out, 4 * n * sizeof *out);
		t_near("p", out, p, n, T_EPS * 8);
		t_near("m", out + n, m, n, T_EPS * 8);
		t_near("v", out + 2 * n, v, n, T_EPS * 8);
		assert_memory_equal(out, out + 3 * n, n * sizeof *out);
		d.step.finite = 0;
		t_run(ops, adam_run, &d, out, 4 * n * sizeof *out);
		assert_memory_equal(out, d.p, n * sizeof *out);
		assert_memory_equal(out + n, d.m, n * sizeof *out);
		assert_memory_equal(out + 2 * n, d.v, n * sizeof *out);
		free(p), free(m), free(v), free(out);
		free(d.p), free(d.m), free(d.v), free(d.g);
	}
}

/* norm, sums, finite check and clipping of one tensor */

struct norm_data {
	size_t n, cut; /* the tensor in two shards, cut at so many chunks */
	double max_norm;
	lk_real *x;
};

struct norm_out {
	struct lk_step step;
	double real;
	uint32_t ok;
	uint32_t pad;
};

static void norm_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct norm_data *d = arg;
	size_t chunks = (d->n + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK, cut = d->cut * LK_NORM_CHUNK;
	struct norm_out host = { .real = 0 }, *o = out;
	lk_real *x = t_dev(t, d->x, d->n * sizeof *x);
	struct lk_step *step;
	double *sums, *real;
	uint32_t *ok;

	*o = host;
	t->shift = t->shift / 8 * 8;
	step = t_dev(t, &host.step, sizeof *step);
	sums = t_dev(t, NULL, chunks * sizeof *sums);
	real = t_dev(t, NULL, sizeof *real);
	ok = t_dev(t, NULL, sizeof *ok);
	t_ok(t, t->ops->sqnorm(t->q, sums, x, cut));
	t_ok(t, t->ops->sqnorm(t->q, sums + d->cut, x + cut, d->n - cut));
	t_ok(t, t->ops->sum(t->q, &step->sqnorm, sums, chunks));
	t_ok(t, t->ops->clip(t->q, step, d->max_norm));
	t_ok(t, t->ops->finite(t->q, ok, x, d->n));
	t_ok(t, t->ops->sum_real(t->q, real, x, d->n));
	t_get(t, &o->step, step, sizeof *step);
	t_get(t, &o->real, real, sizeof *real);
	t_get(t, &o->ok, ok, sizeof *ok);
}

static void test_norm(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes); k++) {
		struct norm_data d = { sizes[k], 0, 1, t_fill(k, sizes[k], 1) };
		struct norm_out o, shard;
		double sq = 0, s = 0, norm;

		for (size_t i = 0; i < d.n; i++) {
			sq += (double)d.x[i] * (double)d.x[i];
			s += (double)d.x[i];
		}
		norm = sqrt(sq);
		t_run(ops, norm_run, &d, &o, sizeof o);
		assert_true(fabs(o.step.sqnorm - sq) <= 1e-13 * sq);
		assert_true(fabs(o.step.norm - norm) <= 1e-13 * norm);
		assert_true(fabs(o.step.clip - (norm + 1e-6 > 1 ? 1 / (norm + 1e-6) : 1)) < 1e-13);
		assert_true(o.step.finite == 1 && o.ok == 1);
		assert_true(o.real == s);
		d.cut = d.n / LK_NORM_CHUNK / 2;
		t_run(ops, norm_run, &d, &shard, sizeof shard);
		assert_memory_equal(&o, &shard, sizeof o);
		d.max_norm = 0;
		t_run(ops, norm_run, &d, &o, sizeof o);
		assert_true(o.step.clip == 1);
		free(d.x);
	}
}

/* Every place of a bad number is seen, in each kind of tail. */
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
			t_run(ops, norm_run, &d, &o, sizeof o);
			assert_true(o.ok == 0);
			assert_true(o.step.finite == 0);
			free(d.x);
		}
}

/* lanes */

struct lane_data {
	size_t lanes, n, stride;
	lk_real *x;
};

static void lane_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct lane_data *d = arg;
	size_t bytes = d->lanes * d->stride * sizeof(lk_real);
	lk_real *x = t_dev(t, d->x, bytes), *y = t_dev(t, d->x, bytes);

	t_ok(t, t->ops->lane_sum(t->q, x, d->lanes, d->stride, d->n));
	t_ok(t, t->ops->accumulate(t->q, y, x, d->n));
	out = t_get(t, out, x, d->n * sizeof *x);
	t_get(t, out, y, d->n * sizeof *y);
}

static void test_lanes(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 1; k < T_LEN(sizes); k++)
		for (size_t lanes = 1; lanes <= 8; lanes *= 2) {
			struct lane_data d = { lanes, sizes[k], sizes[k] + k, NULL };
			size_t n = d.lanes * d.stride;
			lk_real *out = t_alloc(2 * d.n, sizeof *out), *x;

			d.x = t_fill(5, n, 1);
			x = t_fill(5, n, 1);
			t_run(ops, lane_run, &d, out, 2 * d.n * sizeof *out);
			for (size_t s = lanes / 2; s > 0; s /= 2)
				for (size_t j = 0; j < s * d.stride; j++)
					x[j] += x[j + s * d.stride];
			assert_memory_equal(out, x, d.n * sizeof *x);
			for (size_t i = 0; i < d.n; i++)
				assert_true(out[d.n + i] == d.x[i] + x[i]);
			free(out), free(d.x), free(x);
		}
}

/* Two ranks of two lanes give the bits of one rank of four. */
static void test_lane_ranks(void **state)
{
	const struct lk_ops *ops;
	const size_t n = 1000;

	(void)state;
	T_EACH(ops)
	{
		lk_real *x = t_fill(8, 4 * n, 1), *r[2], all[1000], part[1000];
		struct lane_data d = { 4, n, n, x };
		lk_real *out = t_alloc(2 * n, sizeof *out);

		t_run(ops, lane_run, &d, out, 2 * n * sizeof *out);
		memcpy(all, out, sizeof all);
		for (size_t k = 0; k < 2; k++) {
			r[k] = t_alloc(2 * n, sizeof *r[k]);
			memcpy(r[k], x + k * n, n * sizeof *x);
			memcpy(r[k] + n, x + (k + 2) * n, n * sizeof *x);
			d = (struct lane_data){ 2, n, n, r[k] };
			t_run(ops, lane_run, &d, out, 2 * n * sizeof *out);
			for (size_t i = 0; i < n; i++)
				part[i] = k == 0 ? out[i] : part[i] + out[i];
			free(r[k]);
		}
		assert_memory_equal(all, part, sizeof all);
		free(x);
		free(out);
	}
}

static void test_memory(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_queue *q;
		struct lk_err err;
		unsigned char *a, *b, *h;

		assert_int_equal(ops->open(&q, 0, &err), 0);
		a = ops->alloc(q, 100);
		b = ops->alloc(q, 100);
		h = ops->host_alloc(q, 100);
		assert_true(a != NULL && b != NULL && h != NULL && (uintptr_t)a % 64 == 0);
		for (size_t i = 0; i < 100; i++)
			h[i] = (unsigned char)i;
		assert_int_equal(ops->copy(q, a, h, 100, LK_H2D), 0);
		assert_int_equal(ops->copy(q, b, a, 100, LK_D2D), 0);
		assert_int_equal(ops->zero(q, b + 10, 80), 0);
		assert_int_equal(ops->copy(q, h, b, 100, LK_D2H), 0);
		assert_int_equal(ops->sync(q), 0);
		for (size_t i = 0; i < 100; i++)
			assert_int_equal(h[i], i < 10 || i >= 90 ? i : 0);
		ops->free(q, a);
		ops->free(q, b);
		ops->free(q, NULL);
		ops->host_free(q, h);
		a = ops->alloc(q, 0);
		assert_non_null(a);
		ops->free(q, a);
		assert_null(ops->alloc(q, SIZE_MAX / 2));
		assert_true(strlen(ops->message(q)) > 10);
		ops->close(q);
		ops->close(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_adamw),
		cmocka_unit_test(test_norm),
		cmocka_unit_test(test_finite),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_lane_ranks),
	};

	return cmocka_run_group_tests_name("kernels/optimizer", tests, NULL, NULL);
}
