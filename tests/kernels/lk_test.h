/*
 * lk_test.h: what the tests of the kernels share.  A test takes a table of operations and nothing
 * else of the backend, so the same tests run on every backend: t_tables() lists those of this
 * machine.  Each operation is run by a function that makes its buffers, calls it and brings the
 * results to the host; t_run() calls that function several times, with other numbers of threads
 * and buffers elsewhere in memory, and demands the same bits each time.  Around every buffer lie
 * bytes that must not change.
 */
#ifndef LK_TEST_H
#define LK_TEST_H

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/lk.h"

#define T_INF ((double)INFINITY)
#define T_GUARD ((size_t)128)
#define T_BUFS 32
#define T_LEN(a) (sizeof(a) / sizeof *(a))
#define T_USED static inline __attribute__((unused))

/* a result's error beyond the rounding of lk_real, in units of it */
#define T_EPS (sizeof(lk_real) == sizeof(float) ? 6e-8 : 1.2e-16)

struct t_buf {
	unsigned char *base, *host;
	size_t bytes, shift;
};

struct t_ctx {
	const struct lk_ops *ops;
	struct lk_queue *q;
	size_t shift; /* bytes that buffers start past a multiple of 64 */
	size_t n;
	struct t_buf buf[T_BUFS];
};

typedef void t_fn(struct t_ctx *t, const void *arg, void *out);

/* The tables of this machine; NULL after the last. */
T_USED const struct lk_ops *t_table(size_t i)
{
	static const char *const isa[] = { "base", "avx2", "avx512" };
	size_t n = 0;

	for (size_t j = 0; j < T_LEN(isa); j++) {
		const struct lk_ops *ops = lk_cpu_ops_isa(isa[j]);

		if (ops != NULL && n++ == i)
			return ops;
	}
	return NULL;
}

#define T_EACH(ops) for (size_t t_i = 0; (ops = t_table(t_i)) != NULL; t_i++)

T_USED void t_ok(struct t_ctx *t, int rc)
{
	if (rc != 0)
		fail_msg("%s: %s", t->ops->name, t->ops->message(t->q));
}

/* A device buffer of bytes, a copy of init or, with NULL, full of not-a-numbers. */
T_USED void *t_dev(struct t_ctx *t, const void *init, size_t bytes)
{
	struct t_buf *b = &t->buf[t->n++];
	size_t all = bytes + 2 * T_GUARD;

	assert_true(t->n <= T_BUFS);
	b->bytes = bytes;
	b->shift = t->shift;
	b->base = t->ops->alloc(t->q, all);
	b->host = malloc(all);
	assert_non_null(b->base);
	assert_non_null(b->host);
	memset(b->host, 0xff, all);
	if (init != NULL && bytes > 0)
		memcpy(b->host + T_GUARD / 2 + b->shift, init, bytes);
	t_ok(t, t->ops->copy(t->q, b->base, b->host, all, LK_H2D));
	t_ok(t, t->ops->sync(t->q));
	return b->base + T_GUARD / 2 + b->shift;
}

/* Brings n bytes home and returns where the next result goes. */
T_USED void *t_get(struct t_ctx *t, void *out, const void *dev, size_t bytes)
{
	t_ok(t, t->ops->copy(t->q, out, dev, bytes, LK_D2H));
	t_ok(t, t->ops->sync(t->q));
	return (unsigned char *)out + bytes;
}

T_USED void t_guards(struct t_ctx *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct t_buf *b = &t->buf[i];
		size_t all = b->bytes + 2 * T_GUARD, at = T_GUARD / 2 + b->shift;

		t_get(t, b->host, b->base, all);
		for (size_t j = 0; j < all; j++)
			if ((j < at || j >= at + b->bytes) && b->host[j] != 0xff)
				fail_msg("%s: buffer %zu: byte %zd of %zu written", t->ops->name, i,
						(ssize_t)(j - at), b->bytes);
		t->ops->free(t->q, b->base);
		free(b->host);
	}
	t->n = 0;
}

/* Runs fn into out (bytes), again with other threads and places, and compares the bits. */
T_USED void t_run(const struct lk_ops *ops, t_fn *fn, const void *arg, void *out, size_t bytes)
{
	static const int threads[] = { 1, 1, 2, 3, 5 };
	struct t_ctx t = { .ops = ops };
	struct lk_err err;
	void *again = malloc(bytes + 1);
	int before = omp_get_max_threads();

	assert_non_null(again);
	if (ops->open(&t.q, 0, &err) == -1)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < T_LEN(threads); i++) {
		omp_set_num_threads(threads[i]);
		t.shift = i * sizeof(lk_real);
		fn(&t, arg, i == 0 ? out : again);
		t_guards(&t);
		if (i > 0 && memcmp(out, again, bytes) != 0)
			fail_msg("%s: run %zu with %d threads gave other bits", ops->name, i,
					threads[i]);
	}
	omp_set_num_threads(before);
	ops->close(t.q);
	free(again);
}

/* The i-th of a stream of numbers in -1..1 (splitmix64, Steele et al. 2014). */
T_USED double t_rand(uint64_t seed, uint64_t i)
{
	uint64_t z = (seed * 0x100000001b3u + i + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (double)(z >> 11) * 0x1p-52 - 1;
}

T_USED void *t_alloc(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	assert_non_null(p);
	return p;
}

T_USED lk_real *t_fill(uint64_t seed, size_t n, double scale)
{
	lk_real *x = t_alloc(n, sizeof *x);

	for (size_t i = 0; i < n; i++)
		x[i] = (lk_real)(t_rand(seed, i) * scale);
	return x;
}

T_USED double *t_widen(const lk_real *x, size_t n)
{
	double *y = t_alloc(n, sizeof *y);

	for (size_t i = 0; i < n; i++)
		y[i] = (double)x[i];
	return y;
}

/* Each got[i] within tol of want[i], relative to the largest of want and 1e-3. */
T_USED void t_near(const char *what, const lk_real *got, const double *want, size_t n, double tol)
{
	double top = 1e-3;

	for (size_t i = 0; i < n; i++)
		if (isfinite(want[i]) && fabs(want[i]) > top)
			top = fabs(want[i]);
	for (size_t i = 0; i < n; i++)
		if (!((double)got[i] == want[i]) && !(fabs((double)got[i] - want[i]) <= tol * top))
			fail_msg("%s[%zu of %zu]: %.9g, not %.9g", what, i, n, (double)got[i],
					want[i]);
}

/*
 * The gradient of f(x) = sum over outputs of weight * output, by central differences in double.
 * The caller's f takes the whole input.
 */
typedef double t_loss(const void *arg, const double *x);

T_USED void t_gradient(t_loss *f, const void *arg, const double *x, double *grad, size_t n)
{
	double *y = t_alloc(n, sizeof *y);
	const double h = 1e-5;

	memcpy(y, x, n * sizeof *y);
	for (size_t i = 0; i < n; i++) {
		double a, b;

		y[i] = x[i] + h;
		a = f(arg, y);
		y[i] = x[i] - h;
		b = f(arg, y);
		y[i] = x[i];
		grad[i] = (a - b) / (2 * h);
	}
	free(y);
}

#endif
