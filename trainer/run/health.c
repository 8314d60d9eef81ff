#include "trainer/run/health.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/progress.h"
#include "trainer/model/weights.h"

/* --- the probe ------------------------------------------------------------------------------ */

#define SIDE 512		 /* of the matrices */
#define ARRAY ((size_t)16 << 20) /* elements of an array, beyond the caches */
#define BUDGET 0.06		 /* seconds for each of the two measurements */
#define ARRAY_BYTES (ARRAY * sizeof(float))

/* Operands and results, in device memory. */
struct probe {
	const struct lk_ops *ops;
	struct lk_queue *q;
	lk_real *host; /* [SIDE][SIDE], host memory */
	lk_real *real; /* the same of the device */
	lk_act *a, *b;
	lk_real *x, *y; /* [ARRAY_BYTES] */
};

/* A whole number from -2 to 2 for element i of matrix `which`. */
static int element(size_t i, uint32_t which)
{
	uint32_t h = ((uint32_t)i + which) * 2654435761u;

	return (int)((h >> 16) % 5) - 2;
}

static int open_probe(struct probe *p, int device, struct lu_err *err)
{
	const struct lk_ops *ops = p->ops;
	size_t n = (size_t)SIDE * SIDE;
	struct lk_err lk;

	if (ops->open(&p->q, device, &lk) < 0)
		return lu_err_set(err, "%s", lk.msg);
	p->host = malloc(n * sizeof(*p->host));
	if (!p->host)
		return lu_err_nomem(err);
	p->real = ops->alloc(p->q, n * sizeof(*p->real));
	p->a = ops->alloc(p->q, n * ops->act_size);
	p->b = ops->alloc(p->q, n * ops->act_size);
	p->x = ops->alloc(p->q, ARRAY_BYTES);
	p->y = ops->alloc(p->q, ARRAY_BYTES);
	if (!p->real || !p->a || !p->b || !p->x || !p->y)
		return lt_queue_err(ops, p->q, err);
	for (int m = 0; m < 2; m++) {
		for (size_t i = 0; i < n; i++)
			p->host[i] = (lk_real)element(i, (uint32_t)m);
		if (ops->copy(p->q, p->real, p->host, n * sizeof(*p->host), LK_H2D) < 0 ||
				ops->to_act(p->q, m ? p->b : p->a, p->real, n) < 0 ||
				ops->sync(p->q) < 0)
			return lt_queue_err(ops, p->q, err);
	}
	/* Touched once, so that no page is missing when the time runs. */
	if (ops->zero(p->q, p->x, ARRAY_BYTES) < 0 || ops->zero(p->q, p->y, ARRAY_BYTES) < 0)
		return lt_queue_err(ops, p->q, err);
	return 0;
}

static void close_probe(struct probe *p)
{
	if (p->q) {
		p->ops->free(p->q, p->real);
		p->ops->free(p->q, p->a);
		p->ops->free(p->q, p->b);
		p->ops->free(p->q, p->x);
		p->ops->free(p->q, p->y);
	}
	p->ops->close(p->q);
	free(p->host);
}

static int product(struct probe *p)
{
	const struct lk_gemm g = {
		.m = SIDE, .n = SIDE, .k = SIDE, .alpha = 1, .cd_type = LK_REAL
	};

	return p->ops->gemm(p->q, &g, p->real, p->a, p->b, NULL);
}

static int addition(struct probe *p)
{
	return p->ops->accumulate(p->q, p->y, p->x, ARRAY_BYTES / sizeof(lk_real));
}

/* The shortest time of a run of `work`, after one that warms up. */
static int best(struct probe *p, int (*work)(struct probe *p), double *seconds, struct lu_err *err)
{
	double end = lu_clock() + BUDGET;

	*seconds = (double)INFINITY;
	if (work(p) < 0 || p->ops->sync(p->q) < 0)
		return lt_queue_err(p->ops, p->q, err);
	do {
		double start = lu_clock(), t;

		if (work(p) < 0 || p->ops->sync(p->q) < 0)
			return lt_queue_err(p->ops, p->q, err);
		t = lu_clock() - start;
		if (t < *seconds)
			*seconds = t;
	} while (lu_clock() < end);
	return 0;
}

/* Compare the sums of the rows of A B with A times the sums of the rows of B. */
static int check(struct probe *p, struct lu_err *err)
{
	int64_t sum[SIDE] = { 0 };

	if (p->ops->copy(p->q, p->host, p->real, sizeof(lk_real) * SIDE * SIDE, LK_D2H) < 0 ||
			p->ops->sync(p->q) < 0)
		return lt_queue_err(p->ops, p->q, err);
	for (size_t k = 0; k < SIDE; k++) {
		for (size_t j = 0; j < SIDE; j++)
			sum[k] += element(k * SIDE + j, 1);
	}
	for (size_t i = 0; i < SIDE; i++) {
		int64_t want = 0;
		double got = 0;

		for (size_t k = 0; k < SIDE; k++)
			want += element(i * SIDE + k, 0) * sum[k];
		for (size_t j = 0; j < SIDE; j++)
			got += (double)p->host[i * SIDE + j];
		if (got != (double)want)
			return lu_err_set(err,
					"a matrix product came out wrong: row %zu adds up to %g, "
					"not "
					"%" PRId64 "; the processor or its memory is faulty, leave "
					"this host out",
					i, got, want);
	}
	return 0;
}

int lt_health_probe(const struct lk_ops *ops, int device, struct lt_health *h, struct lu_err *err)
{
	struct probe p = { .ops = ops };
	double multiply, add;
	int rc = open_probe(&p, device, err);

	if (rc == 0)
		rc = best(&p, product, &multiply, err);
	if (rc == 0)
		rc = check(&p, err);
	if (rc == 0)
		rc = best(&p, addition, &add, err);
	if (rc == 0) {
		h->gflops = 2.0 * SIDE * SIDE * SIDE / multiply * 1e-9;
		/* Two are read and one is written. */
		h->gbytes = 3.0 * (double)ARRAY_BYTES / add * 1e-9;
	}
	close_probe(&p);
	return rc;
}

/* --- the slowest ---------------------------------------------------------------------------- */

/* The median of those of x[0], x[stride], ... x[(n - 1) * stride] that are positive, of an even number
 * the lower of the two in the middle; 0: none is. In place, for a few thousand at most. */
static double median(const double *x, size_t n, size_t stride)
{
	size_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += x[i * stride] > 0;
	for (size_t i = 0; i < n; i++) {
		double v = x[i * stride];
		size_t below = 0, equal = 0;

		for (size_t k = 0; v > 0 && k < n; k++) {
			below += x[k * stride] > 0 && x[k * stride] < v;
			equal += x[k * stride] == v;
		}
		if (v > 0 && below <= (all - 1) / 2 && (all - 1) / 2 < below + equal)
			return v;
	}
	return 0;
}

bool lt_health_slowest(const double *seconds, size_t n, struct lt_slow *slow)
{
	*slow = (struct lt_slow){ .median = median(seconds, n, 1) };
	for (size_t i = 0; i < n; i++) {
		if (seconds[i] > slow->seconds) {
			slow->rank = i;
			slow->seconds = seconds[i];
		}
	}
	return slow->seconds > LT_SLOW * slow->median;
}

const char *lt_slow_text(const struct lt_slow *slow, const char *host, char *text, size_t size)
{
	snprintf(text, size,
			"rank %zu on %s takes %.0f %% longer than the median of the ranks: %.3g s, "
			"not "
			"%.3g s",
			slow->rank, host, 100 * (slow->seconds / slow->median - 1), slow->seconds,
			slow->median);
	return text;
}

int lt_pace_init(struct lt_pace *p, size_t ranks, struct lu_err *err)
{
	*p = (struct lt_pace){ .ranks = ranks, .named = SIZE_MAX };
	if (ranks <= SIZE_MAX / LT_PACE_STEPS)
		p->seconds = calloc(ranks * LT_PACE_STEPS, sizeof(*p->seconds));
	p->middle = calloc(ranks, sizeof(*p->middle));
	if (p->seconds && p->middle)
		return 0;
	lt_pace_release(p);
	return lu_err_nomem(err);
}

bool lt_pace_add(struct lt_pace *p, const double *seconds, struct lt_slow *slow)
{
	memcpy(p->seconds + p->steps++ % LT_PACE_STEPS * p->ranks, seconds,
			p->ranks * sizeof(*seconds));
	if (p->steps < LT_PACE_STEPS)
		return false;
	for (size_t r = 0; r < p->ranks; r++)
		p->middle[r] = median(p->seconds + r, LT_PACE_STEPS, p->ranks);
	if (!lt_health_slowest(p->middle, p->ranks, slow)) {
		p->named = SIZE_MAX;
		return false;
	}
	if (slow->rank == p->named)
		return false;
	p->named = slow->rank;
	return true;
}

void lt_pace_release(struct lt_pace *p)
{
	free(p->seconds);
	free(p->middle);
	*p = (struct lt_pace){ .named = SIZE_MAX };
}
