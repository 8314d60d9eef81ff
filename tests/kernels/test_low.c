#include "kernels/dither.h"
#include "tests/kernels/lk_test.h"

static const size_t sizes[] = { 0, 1, 3, 17, 127, 4096, 4097, 20000 };

static float number(uint32_t b)
{
	float x;

	memcpy(&x, &b, sizeof(x));
	return x;
}

static uint32_t bits(float x)
{
	uint32_t b;

	memcpy(&b, &x, sizeof(b));
	return b;
}

static uint16_t *fill_bf16(uint64_t seed, size_t n, double scale)
{
	uint16_t *x = t_alloc(n, sizeof(*x));

	for (size_t i = 0; i < n; i++)
		x[i] = (uint16_t)(bits((float)(t_rand(seed, i) * scale)) >> 16);
	return x;
}

/* --- halves ----------------------------------------------------------------------------------- */

struct half_data {
	size_t n;
	lk_real *p;
};

/* out: p from its halves, then hi. */
static void half_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct half_data *d = arg;
	lk_real *p = t_dev(t, d->p, d->n * sizeof(*p)), *again = t_dev(t, NULL, d->n * sizeof(*p));
	uint16_t *hi = t_dev(t, NULL, d->n * sizeof(*hi)), *lo = t_dev(t, NULL, d->n * sizeof(*lo));

	t_ok(t, t_ops(t)->low_split(t_queue(t), hi, lo, p, d->n));
	t_ok(t, t_ops(t)->low_join(t_queue(t), again, hi, lo, d->n));
	t_get(t, t_get(t, out, again, d->n * sizeof(*p)), hi, d->n * sizeof(*hi));
}

/* The halves are the float, exactly; the upper one is the nearest bf16, ties away from zero. */
static void test_halves(void **state)
{
	static const uint32_t special[] = { 0, 0x80000000, 0x3f808000, 0x3f818000, 0xbf808000,
		0xbf818000, 0x3f807fff, 0x3f808001, 1, 0x8000, 0x7fff, 0x7f800000, 0xff800000,
		0x7f7fffff, 0x7fc00000, 0x7fffffff };
	enum { N = 20000 };
	struct half_data d = { N, t_alloc(N, sizeof(lk_real)) };
	lk_real *out = t_alloc(N, sizeof(*out) + sizeof(uint16_t));
	const struct lk_ops *ops;
	uint64_t z = 1;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		z = lk_mix(z + LK_GOLDEN);
		d.p[i] = (lk_real)number(i < T_LEN(special) ? special[i] : (uint32_t)z);
	}
	T_EACH(ops)
	{
		const uint16_t *hi = (const uint16_t *)(const void *)(out + N);

		t_run(ops, half_run, &d, out, N * (sizeof(*out) + sizeof(*hi)));
		for (size_t i = 0; i < N; i++) {
			float p = (float)d.p[i], h = number((uint32_t)hi[i] << 16);
			float below = number(bits(p) & 0xffff0000);
			float above = number((bits(p) & 0xffff0000) + 0x10000);

			if (isnan(p)) {
				assert_true(isnan(out[i]) && isnan(h));
				continue;
			}
			assert_memory_equal(&out[i], &d.p[i], sizeof(out[i]));
			if (isinf(p) || isinf(above))
				continue;
			assert_true(h == (fabsf(p - below) < fabsf(above - p) ? below : above));
		}
	}
	free(d.p), free(out);
}

/* --- accumulation ----------------------------------------------------------------------------- */

struct sum_data {
	size_t n, cut;
	int add;
	struct lk_dither d;
	struct lk_step step;
	uint16_t *g;
	lk_real *x;
};

#define SUMS ((size_t)8)

/* out: squares of the chunks, g. */
static void sum_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct sum_data *d = arg;
	const struct lk_ops *ops = t_ops(t);
	double none[SUMS] = { 0 }, *sums = t_dev8(t, none, sizeof(none));
	uint16_t *g = t_dev(t, d->g, d->n * sizeof(*g));
	lk_real *x = t_dev(t, d->x, d->n * sizeof(*x));
	struct lk_step *step = t_dev8(t, &d->step, sizeof(*step));
	struct lk_dither rest = d->d;

	rest.at += d->cut;
	t_ok(t, ops->low_accumulate(t_queue(t), g, x, d->cut, d->add, &d->d, step));
	t_ok(t,
			ops->low_accumulate(t_queue(t), g + d->cut, x + d->cut, d->n - d->cut,
					d->add, &rest, step));
	t_ok(t, ops->low_sqnorm(t_queue(t), sums, g, d->n));
	t_get(t, t_get(t, out, sums, sizeof(none)), g, d->n * sizeof(*g));
}

static void test_accumulate(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes) * 4; k++) {
		size_t n = sizes[k / 4];
		struct sum_data d = { n, k & 2 ? n / 3 : 0, k & 1,
			{ 7, 3, 1, 1000, 5, k & 2 ? 11 : 0, 40 }, { .number = 9 },
			fill_bf16(1, n, 1), t_fill(2, n, 1) };
		double *out = t_alloc(1, SUMS * sizeof(*out) + n * sizeof(uint16_t) + 1);
		const uint16_t *g = (const uint16_t *)(const void *)(out + SUMS);

		t_run(ops, sum_run, &d, out, SUMS * sizeof(*out) + n * sizeof(*g));
		lk_ref_low_accumulate(d.g, d.x, n, d.add, &d.d, &d.step);
		assert_memory_equal(g, d.g, n * sizeof(*g));
		for (size_t c = 0; c * LK_NORM_CHUNK < n; c++) {
			double want = 0;

			for (size_t i = c * LK_NORM_CHUNK; i < n && i < (c + 1) * LK_NORM_CHUNK;
					i++)
				want += pow((double)number((uint32_t)g[i] << 16), 2);
			assert_true(fabs(out[c] - want) <=
					1e-6 * want * (T_EPS > 1e-10 ? 1e-6 : 1));
		}
		free(out), free(d.g), free(d.x);
	}
}

/* Columns 4 to 10 of a tensor of 13 columns draw what they draw in the whole tensor. */
static void test_slices(void **state)
{
	enum { ROWS = 9, ALL = 13, FROM = 4, COLUMNS = 7 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct sum_data whole = { .n = ROWS * ALL,
			.d = { .seed = 3, .tensor = 2, .first = 50 },
			.step = { .number = 4 },
			.g = fill_bf16(1, ROWS * ALL, 1),
			.x = t_fill(2, ROWS * ALL, 1) };
		struct sum_data part = { .n = ROWS * COLUMNS,
			.d = whole.d,
			.step = whole.step,
			.g = fill_bf16(1, ROWS * COLUMNS, 1),
			.x = t_fill(2, ROWS * COLUMNS, 1) };
		struct {
			double sums[SUMS];
			uint16_t g[ROWS * ALL];
		} a, b;

		part.d.first += FROM;
		part.d.width = COLUMNS;
		part.d.pitch = ALL;
		for (size_t i = 0; i < ROWS * COLUMNS; i++)
			part.x[i] = whole.x[i / COLUMNS * ALL + FROM + i % COLUMNS];
		t_run(ops, sum_run, &whole, &a, sizeof(a.sums) + ROWS * ALL * sizeof(a.g[0]));
		t_run(ops, sum_run, &part, &b, sizeof(b.sums) + ROWS * COLUMNS * sizeof(b.g[0]));
		for (size_t i = 0; i < ROWS * COLUMNS; i++)
			assert_int_equal(b.g[i], a.g[i / COLUMNS * ALL + FROM + i % COLUMNS]);
		free(whole.g), free(whole.x), free(part.g), free(part.x);
	}
}

/* Rounding is right on average, differs from step to step, and leaves alone what bf16 has. */
static void test_average(void **state)
{
	enum { N = 20000 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (int k = 0; k <= 4; k++) {
		float x = number(0x3f800000 + 0x4000 * (uint32_t)k);
		struct sum_data d = { .n = N,
			.d = { .seed = 1 },
			.step = { .number = 1 },
			.g = fill_bf16(1, N, 1),
			.x = t_alloc(N, sizeof(lk_real)) };
		struct {
			double sums[SUMS];
			uint16_t g[N];
		} a, b;
		double mean = 0, share = k % 4 / 4.0;
		size_t same = 0;

		for (size_t i = 0; i < N; i++)
			d.x[i] = (lk_real)x;
		t_run(ops, sum_run, &d, &a, sizeof(a));
		d.step.number = 2;
		t_run(ops, sum_run, &d, &b, sizeof(b));
		for (size_t i = 0; i < N; i++) {
			mean += (double)number((uint32_t)a.g[i] << 16) / N;
			same += a.g[i] == b.g[i];
		}
		/* Five standard deviations of a mean of N draws, apart by 2^-7. */
		assert_true(fabs(mean - (double)x) <=
				5 * 0x1p-7 * sqrt(share * (1 - share) / N) + 1e-12);
		assert_true(k % 4 == 0 ? same == N : same < N * 3 / 4);
		free(d.g), free(d.x);
	}
}

/* --- optimizer -------------------------------------------------------------------------------- */

struct adam_data {
	size_t n, cut;
	struct lk_adamw h;
	struct lk_dither d;
	struct lk_step step;
	uint16_t *part[5]; /* hi, lo, m, v, g */
};

static void adam_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct adam_data *d = arg;
	uint16_t *p[5];
	struct lk_step *step = t_dev8(t, &d->step, sizeof(*step));
	struct lk_dither rest = d->d;
	size_t cut = d->cut;

	rest.at += cut;
	for (size_t k = 0; k < 5; k++)
		p[k] = t_dev(t, d->part[k], d->n * sizeof(**p));
	t_ok(t,
			t_ops(t)->low_adamw(t_queue(t), p[0], p[1], p[2], p[3], p[4], cut, &d->h,
					&d->d, step));
	t_ok(t,
			t_ops(t)->low_adamw(t_queue(t), p[0] + cut, p[1] + cut, p[2] + cut,
					p[3] + cut, p[4] + cut, d->n - cut, &d->h, &rest, step));
	for (size_t k = 0; k < 4; k++)
		out = t_get(t, out, p[k], d->n * sizeof(**p));
}

static void test_adamw(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(sizes) * 2; k++) {
		size_t n = sizes[k / 2];
		struct adam_data d = { n, k & 1 ? n / 3 : 0, { 0.9, 0.95, 1e-5, k & 1 ? 0.1 : 0 },
			{ 5, 1, 2, 77, 3, k & 1 ? 5 : 0, 6 },
			{ .lr = 3e-4,
					.bias1 = 0.19,
					.bias2 = 0.0975,
					.number = 2,
					.clip = 0.7,
					.finite = 1 },
			{ NULL } };
		uint16_t *out = t_alloc(4 * n, sizeof(*out));

		for (size_t j = 0; j < 5; j++)
			d.part[j] = fill_bf16(j, n, 1);
		for (size_t i = 0; i < n; i++)
			d.part[3][i] &= 0x7fff;
		d.step.finite = d.step.skip = k & 1;
		t_run(ops, adam_run, &d, out, 4 * n * sizeof(*out));
		for (size_t j = 0; j < 4; j++)
			assert_memory_equal(out + j * n, d.part[j], n * sizeof(*out));
		d.step.finite = 1;
		d.step.skip = 0;
		t_run(ops, adam_run, &d, out, 4 * n * sizeof(*out));
		lk_ref_low_adamw(d.part[0], d.part[1], d.part[2], d.part[3], d.part[4], n, &d.h,
				&d.step, &d.d);
		for (size_t j = 0; j < 4; j++)
			assert_memory_equal(out + j * n, d.part[j], n * sizeof(*out));
		for (size_t j = 0; j < 5; j++)
			free(d.part[j]);
		free(out);
	}
}

/* The update is that of adamw(): one step from equal states, within the rounding of the moments. */
static void test_same_step(void **state)
{
	enum { N = 1000 };
	struct lk_adamw h = { 0.9, 0.95, 1e-8, 0.1 };
	struct lk_step step = {
		.lr = 1e-3, .bias1 = 0.1, .bias2 = 0.05, .number = 1, .clip = 1, .finite = 1
	};
	struct lk_dither d = { .seed = 1 };
	uint16_t hi[N], lo[N], m[N] = { 0 }, v[N] = { 0 }, *g = fill_bf16(4, N, 1);
	double p[N], y[N] = { 0 }, z[N] = { 0 }, x[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		lk_low_split(bits((float)t_rand(1, i)), hi + i, lo + i);
		p[i] = (double)(float)t_rand(1, i);
		x[i] = (double)number((uint32_t)g[i] << 16);
	}
	lk_ref_adamw(p, y, z, x, N, &h, &step);
	lk_ref_low_adamw(hi, lo, m, v, g, N, &h, &step, &d);
	for (size_t i = 0; i < N; i++) {
		assert_true(fabs((double)number(lk_low_join(hi[i], lo[i])) - p[i]) < 3e-7);
		assert_true(fabs((double)number((uint32_t)m[i] << 16) - y[i]) <=
				fabs(y[i]) * 0x1p-7);
		assert_true(fabs((double)number((uint32_t)v[i] << 16) - z[i]) <=
				fabs(z[i]) * 0x1p-7);
	}
	free(g);
}

/* splitmix64 with seed 1234567, as published with its source: the stream is this function. */
static void test_stream(void **state)
{
	static const uint64_t want[] = { 6457827717110365317u, 3203168211198807973u,
		9817491932198370423u, 4593380528125082431u, 16408922859458223821u };

	(void)state;
	for (size_t i = 0; i < T_LEN(want); i++)
		assert_true(lk_dither_bits(1234567, i) == want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_accumulate),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_average),
		cmocka_unit_test(test_adamw),
		cmocka_unit_test(test_same_step),
		cmocka_unit_test(test_stream),
	};

	return cmocka_run_group_tests_name("kernels/low", tests, NULL, NULL);
}
