#include "tests/kernels/lk_test.h"

struct gemm_case {
	size_t m, n, k;
	size_t pad; /* added to the leading dimensions */
	int ta, tb, packed, in_place, scaled;
	int real;    /* C and D are lk_real, otherwise activations */
	int ab_real; /* and A and B */
	double alpha, beta;
	size_t row0, row1;
};

struct gemm_data {
	struct gemm_case c;
	struct lk_gemm g;
	lk_real *a, *b, *d;
	size_t na, nb, nd;
	lk_real scale[2];
};

static void gemm_make(const struct lk_ops *ops, struct gemm_data *x, const struct gemm_case *c)
{
	size_t arows = c->ta ? c->k : c->m, acols = c->ta ? c->m : c->k;
	size_t brows = c->tb ? c->n : c->k, bcols = c->tb ? c->k : c->n;

	x->c = *c;
	x->g = (struct lk_gemm){ .m = c->m,
		.n = c->n,
		.k = c->k,
		.ta = c->ta,
		.tb = c->tb,
		.alpha = c->alpha,
		.beta = c->beta,
		.row0 = c->row0,
		.row1 = c->row1,
		.ab_type = c->ab_real ? LK_REAL : LK_ACT,
		.cd_type = c->real ? LK_REAL : LK_ACT };
	if (c->pad != 0) {
		x->g.lda = acols + c->pad;
		x->g.ldb = bcols + c->pad + 1;
		x->g.ldc = x->g.ldd = c->n + c->pad + 2;
	}
	x->na = arows * (acols + c->pad);
	x->nb = brows * (bcols + (c->pad ? c->pad + 1 : 0));
	x->nd = c->m * (c->n + (c->pad ? c->pad + 2 : 0));
	x->a = t_fill_act(ops, 1, x->na, 1);
	x->b = t_fill_act(ops, 2, x->nb, 1);
	x->d = t_fill_act(ops, 3, x->nd, 1);
	x->scale[0] = 3;
	x->scale[1] = (lk_real)-0.7;
}

static void gemm_free(struct gemm_data *x)
{
	free(x->a);
	free(x->b);
	free(x->d);
}

/* A device buffer of n numbers of one type or the other. */
static void *gemm_dev(struct t_ctx *t, int real, const lk_real *init, size_t n)
{
	return real ? t_dev(t, init, n * sizeof(*init)) : t_act(t, init, n);
}

/* out: D with its padding, which must not change; then, with scales, its largest absolute value. */
static void gemm_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct gemm_data *x = arg;
	const struct lk_ops *ops = t_ops(t);
	struct lk_queue *q = t_queue(t);
	struct lk_gemm g = x->g;
	struct lk_packed_weight *packed = NULL;
	void *a, *b, *c, *d;
	lk_real *scale, *amax = NULL;

	if (!t_on_cpu(ops))
		t_align(t, 16);
	a = gemm_dev(t, x->c.ab_real, x->a, x->na);
	b = gemm_dev(t, x->c.ab_real, x->b, x->nb);
	c = d = gemm_dev(t, x->c.real, x->d, x->nd);
	scale = t_dev(t, x->scale, sizeof(x->scale));
	if (!x->c.in_place) {
		lk_real *fill = t_alloc(x->nd, sizeof(*fill));

		d = gemm_dev(t, x->c.real, fill, x->nd);
		free(fill);
	}
	for (int i = 0; i < 2 && x->c.packed; i++)
		t_ok(t, ops->pack(q, &packed, b, g.tb ? g.n : g.k, g.tb ? g.k : g.n, g.ldb));
	g.packed = packed;
	if (x->c.scaled) {
		g.a_scale = scale;
		g.b_scale = scale + 1;
		g.d_amax = amax = t_dev(t, NULL, sizeof(*amax));
	}
	t_ok(t, ops->gemm(q, &g, d, a, packed ? NULL : b, g.beta != 0 ? c : NULL));
	out = x->c.real ? t_get(t, out, d, x->nd * sizeof(lk_real)) : t_get_act(t, out, d, x->nd);
	if (x->c.scaled)
		t_get(t, out, amax, sizeof(*amax));
	ops->pack_free(q, packed);
}

/* Too much for tiles in C. */
static bool gemm_too_large(const struct lk_ops *ops, const struct gemm_case *c)
{
	return strstr(ops->name, "model") && c->m * c->n * (c->k + 31) > 20000000;
}

static void gemm_check(const struct lk_ops *ops, const struct gemm_case *c)
{
	struct gemm_data x;
	double *a, *b, *d, *want;
	lk_real *out;
	char what[128];

	gemm_make(ops, &x, c);
	out = t_alloc(x.nd, sizeof(*out));
	a = t_widen(x.a, x.na);
	b = t_widen(x.b, x.nb);
	d = t_widen(x.d, x.nd);
	want = c->in_place ? t_widen(x.d, x.nd) : t_alloc(x.nd, sizeof(*want));
	lk_ref_gemm(&x.g, want, a, b, d);
	t_run(ops, gemm_run, &x, out, x.nd * sizeof(*out));
	(void)snprintf(what, sizeof(what), "%s %zux%zux%zu t%d%d pad %zu", ops->name, c->m, c->n,
			c->k, c->ta, c->tb, c->pad);
	if (c->real)
		t_near(what, out, want, x.nd, T_EPS * 8 * sqrt((double)c->k + 4));
	else
		t_near_act(ops, what, out, want, x.nd, T_EPS * 8 * sqrt((double)c->k + 4));
	free(out), free(want), free(a), free(b), free(d);
	gemm_free(&x);
}

static void gemm_shapes(void **state)
{
	static const size_t sizes[][3] = { { 1, 1, 1 }, { 1, 17, 3 }, { 3, 1, 127 }, { 17, 33, 5 },
		{ 33, 16, 1 }, { 127, 127, 33 }, { 96, 256, 256 }, { 97, 300, 257 }, { 6, 32, 600 },
		{ 200, 3, 513 }, { 5, 4200, 2 }, { 2400, 5, 3 }, { 4, 5, 0 } };
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (size_t i = 0; i < T_LEN(sizes); i++)
		for (int v = 0; v < 16; v++) {
			struct gemm_case c = { .m = sizes[i][0],
				.n = sizes[i][1],
				.k = sizes[i][2],
				.ta = v & 1,
				.tb = v >> 1 & 1,
				.pad = v & 4 ? 3 : 0,
				.in_place = v >> 3,
				.packed = (v & 9) == 9,
				.real = (i + (size_t)v / 2) & 1,
				.alpha = v & 4 ? 0.5 : 1,
				.beta = v & 8		? 1
						: v & 4 ? -2
							: 0 };

			gemm_check(ops, &c);
		}
}

/* Operands in lk_real where activations are not. */
static void gemm_real(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (int v = 0; v < 8; v++) {
		struct gemm_case c = { .m = 37,
			.n = 70,
			.k = 1100,
			.pad = 3,
			.ta = v & 1,
			.tb = v >> 1 & 1,
			.alpha = -2,
			.beta = 1,
			.real = v >> 2,
			.ab_real = 1 };

		/* cuBLASLt has no product of fp32 matrices in bf16. */
		if (t_on_cpu(ops) || !t_is_bf16(ops) || c.real)
			gemm_check(ops, &c);
	}
}

/*
 * D in bf16 is rounded once: it is what rounding D in lk_real yields, since the sums are the same, also
 * where k takes several blocks, and where more lines than sums have room for are done in turns.
 */
static void gemm_once(void **state)
{
	static const size_t sizes[][3] = { { 40, 70, 2500 }, { 70, 40, 2500 }, { 33, 2100, 1100 },
		{ 2100, 33, 1100 }, { 2100, 2090, 1030 } };
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (size_t i = 0; i < T_LEN(sizes) && t_on_cpu(ops); i++) {
		struct gemm_case c = { .m = sizes[i][0],
			.n = sizes[i][1],
			.k = sizes[i][2],
			.tb = 1,
			.alpha = 0.5,
			.beta = -3,
			.real = 1 };
		struct gemm_data x;
		lk_real *real, *act;

		if (gemm_too_large(ops, &c) ||
				(c.m > 2000 && c.n > 2000 && ops != lk_cpu_ops(LK_BF16)))
			continue;
		gemm_make(ops, &x, &c);
		real = t_alloc(x.nd, sizeof(*real));
		act = t_alloc(x.nd, sizeof(*act));
		t_run(ops, gemm_run, &x, real, x.nd * sizeof(*real));
		x.c.real = 0;
		x.g.cd_type = LK_ACT;
		t_run(ops, gemm_run, &x, act, x.nd * sizeof(*act));
		for (size_t j = 0; j < x.nd; j += x.nd < 100000 ? 1 : 13)
			if (!((double)act[j] == t_round(ops, (double)real[j])))
				fail_msg("%s %zux%zux%zu: element %zu is %.9g, not %.9g rounded",
						ops->name, c.m, c.n, c.k, j, (double)act[j],
						(double)real[j]);
		free(real), free(act);
		gemm_free(&x);
	}
}

/* Whether the products of bf16 are those of an instruction that adds up pairs. */
static bool gemm_by_tiles(const struct lk_ops *ops)
{
	return strncmp(ops->name, "cpu amx", 7) == 0;
}

static bool gemm_by_pairs(const struct lk_ops *ops)
{
	return gemm_by_tiles(ops) || strncmp(ops->name, "cpu avx512bf16", 14) == 0;
}

/* Number e of line i as an instruction that adds up pairs sees it: denormals are zeros. */
static float pair_element(const lk_real *x, size_t ld, size_t i, size_t e, size_t k)
{
	float v = e < k ? (float)x[i * ld + e] : 0;

	return fabsf(v) < 0x1p-126f ? 0 : v;
}

/* Element (i, j) of A B^T as kernels/cpu/pairs.h describes it; for results that are not denormal. */
static float pair_sum(const struct gemm_data *x, size_t i, size_t j, bool tiles)
{
	size_t k = x->c.k;
	float sum = 0;

	for (size_t e = 0; e < k; e += tiles ? 32 : 2) {
		float half[2] = { tiles ? 0 : sum, 0 };

		for (size_t c = e + (tiles ? 32 : 2); c-- > e;) {
			size_t at = tiles ? e + (e + 31 - c) : c;
			float *h = &half[tiles && at % 2 == 1];

			*h = fmaf(pair_element(x->a, k, i, at, k), pair_element(x->b, k, j, at, k),
					*h);
		}
		sum = tiles ? sum + (half[0] + half[1]) : half[0];
	}
	return sum;
}

/* The products by pairs have the order of additions that is promised. */
static void gemm_pairs(void **state)
{
	const struct lk_ops *ops, *first = t_product_table(0);
	size_t checked = 0;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (size_t k = 1; k < 1000; k = 3 * k + 64) {
		struct gemm_case c = { .m = 45, .n = 40, .k = k, .tb = 1, .alpha = 1, .real = 1 };
		bool tiles = gemm_by_tiles(ops);
		struct gemm_data x;
		lk_real out[45 * 40];

		if (!gemm_by_pairs(ops))
			continue;
		checked++;
		gemm_make(ops, &x, &c);
		for (size_t i = 0; i < x.na; i += 7)
			x.a[i] = (lk_real)0x1p-130; /* taken for 0, however large b is */
		for (size_t i = 3; i < x.nb; i += 11)
			x.b[i] *= (lk_real)0x1p120;
		t_run(ops, gemm_run, &x, out, sizeof(out));
		for (size_t i = 0; i < T_LEN(out); i++)
			if ((float)out[i] != pair_sum(&x, i / c.n, i % c.n, tiles))
				fail_msg("%s k %zu: element %zu is %.9g, not %.9g", ops->name, k, i,
						(double)out[i],
						(double)pair_sum(&x, i / c.n, i % c.n, tiles));
		gemm_free(&x);
	}
	assert_true(checked > 0 || !t_on_cpu(first) || sizeof(lk_real) != sizeof(float));
}

/* NaN and infinity reach their row and column and no other element; padding by zeros adds none. */
static void gemm_not_finite(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (int v = 0; v < 8; v++) {
		struct gemm_case c = { .m = 35,
			.n = 37,
			.k = 9,
			.ta = v & 1,
			.tb = v >> 1 & 1,
			.alpha = 1,
			.real = v >> 2 };
		struct gemm_data x;
		lk_real out[35 * 37];

		gemm_make(ops, &x, &c);
		x.a[c.ta ? 8 * c.m + 20 : 20 * c.k + 8] = (lk_real)NAN;
		x.b[c.tb ? 36 * c.k : 36] = (lk_real)INFINITY;
		t_run(ops, gemm_run, &x, out, sizeof(out));
		for (size_t i = 0; i < T_LEN(out); i++)
			if (i / c.n == 20)
				assert_true(isnan(out[i]));
			else
				assert_int_equal(isfinite(out[i]) != 0, i % c.n != 36);
		gemm_free(&x);
	}
}

/* Denormal numbers are numbers, but where pairs are multiplied. */
static void gemm_denormals(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	{
		bool pairs = gemm_by_pairs(ops);
		struct gemm_case c = { .m = 2, .n = 3, .k = 4, .tb = 1, .alpha = 1, .real = 1 };
		struct gemm_data x;
		lk_real out[6];

		if (!t_on_cpu(ops))
			continue;
		gemm_make(ops, &x, &c);
		for (size_t i = 0; i < x.na; i++)
			x.a[i] = (lk_real)0x1p-130;
		for (size_t i = 0; i < x.nb; i++)
			x.b[i] = 2;
		t_run(ops, gemm_run, &x, out, sizeof(out));
		gemm_free(&x);
		for (size_t i = 0; i < T_LEN(out); i++)
			if ((double)out[i] != (pairs ? 0 : 0x1p-127))
				fail_msg("%s: a sum of denormals is %g", ops->name, (double)out[i]);
	}
}

/* Operands of which only a part is packed at once: many rows and columns, a large k. */
static void gemm_parts(void **state)
{
	static const size_t sizes[][3] = { { 2800, 2790, 2 }, { 9, 5, 100000 } };
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (size_t i = 0; i < T_LEN(sizes); i++) {
		struct gemm_case c = { .m = sizes[i][0],
			.n = sizes[i][1],
			.k = sizes[i][2],
			.tb = 1,
			.alpha = 1,
			.real = i == 0 };

		if (!gemm_too_large(ops, &c))
			gemm_check(ops, &c);
	}
}

/* On the CPU the bits of a row depend neither on the number of rows nor on the row range. */
static void gemm_rows(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (int v = 0; v < 4 && t_on_cpu(ops); v++) {
		struct gemm_case c = { .m = 150,
			.n = 45,
			.k = 300,
			.tb = v & 1,
			.alpha = 1,
			.beta = v >> 1,
			.in_place = v >> 1,
			.real = v == 3 };
		struct gemm_data x;
		size_t bytes = c.m * c.n * sizeof(lk_real);
		lk_real *all, *some, *first = t_alloc(c.m * c.n, sizeof(*first));

		gemm_make(ops, &x, &c);
		memcpy(first, x.d, bytes);
		all = t_alloc(c.m * c.n, sizeof(*all));
		some = t_alloc(c.m * c.n, sizeof(*some));
		t_run(ops, gemm_run, &x, all, bytes);
		for (size_t r = 0; r < c.m; r += r % 3 == 0 ? 1 : 15) {
			x.g.row0 = r;
			x.g.row1 = r + (r % 3 == 0 ? 1 : 15);
			if (x.g.row1 > c.m)
				x.g.row1 = c.m;
			t_run(ops, gemm_run, &x, some, bytes);
			assert_memory_equal(some + r * c.n, all + r * c.n,
					(x.g.row1 - r) * c.n * sizeof(*some));
			if (r > 0 && c.in_place)
				assert_memory_equal(some, first, r * c.n * sizeof(*some));
		}
		free(all);
		free(some);
		free(first);
		gemm_free(&x);
	}
}

/* On the CPU a packed weight, and a slice of the columns, have the bits of the plain product. */
static void gemm_same(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (size_t m = 1; m < 100 && t_on_cpu(ops); m += 49) {
		struct gemm_case c = {
			.m = m, .n = 333, .k = 1100, .tb = 1, .alpha = 1, .real = m > 50
		};
		struct gemm_data x;
		lk_real *plain = t_alloc(m * c.n, sizeof(*plain));
		lk_real *other = t_alloc(m * c.n, sizeof(*other));

		gemm_make(ops, &x, &c);
		t_run(ops, gemm_run, &x, plain, m * c.n * sizeof(*plain));
		x.c.packed = 1;
		t_run(ops, gemm_run, &x, other, m * c.n * sizeof(*plain));
		assert_memory_equal(plain, other, m * c.n * sizeof(*plain));
		x.c.packed = 0;
		x.g.n = 101;
		x.g.ldd = c.n;
		t_run(ops, gemm_run, &x, other, m * c.n * sizeof(*plain));
		for (size_t i = 0; i < m; i++)
			assert_memory_equal(plain + i * c.n, other + i * c.n, 101 * sizeof(*plain));
		free(plain);
		free(other);
		gemm_free(&x);
	}
}

/* With beta 0 the old D is not read. */
static void gemm_nan_in_d(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	{
		struct gemm_case c = { .m = 7, .n = 9, .k = 5, .alpha = 1, .in_place = 1 };
		struct gemm_data x;
		lk_real out[63];

		gemm_make(ops, &x, &c);
		for (size_t i = 0; i < x.nd; i++)
			x.d[i] = (lk_real)NAN;
		t_run(ops, gemm_run, &x, out, sizeof(out));
		for (size_t i = 0; i < T_LEN(out); i++)
			assert_true(isfinite(out[i]));
		gemm_free(&x);
	}
}

/* Scales of the operands and the largest absolute value of the result, of all rows or of a range. */
static void gemm_scales(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	for (int v = 0; v < 8; v++) {
		struct gemm_case c = { .m = 40,
			.n = 50 * (size_t)(v < 6),
			.k = 30,
			.tb = v & 1,
			.pad = 3,
			.scaled = 1,
			.real = v == 2 || v == 5,
			.alpha = 0.5,
			.beta = v >> 1 & 1,
			.row0 = v & 4 ? 7 : 0,
			.row1 = v & 4 ? 13 : 0 };
		double *a, *b, *d, *want, most = 0;
		struct gemm_data x;
		lk_real *out;

		gemm_make(ops, &x, &c);
		out = t_alloc(x.nd + 1, sizeof(*out));
		a = t_widen(x.a, x.na);
		b = t_widen(x.b, x.nb);
		d = t_widen(x.d, x.nd);
		want = t_alloc(x.nd + 1, sizeof(*want));
		x.g.a_scale = x.scale;
		x.g.b_scale = x.scale + 1;
		lk_ref_gemm(&x.g, want, a, b, d);
		for (size_t i = 0; i < x.nd; i++)
			most = fabs(want[i]) > most ? fabs(want[i]) : most;
		want[x.nd] = most;
		t_run(ops, gemm_run, &x, out, (x.nd + 1) * sizeof(*out));
		if (c.real)
			t_near("scaled", out, want, x.nd + 1, T_EPS * 64);
		else
			t_near_act(ops, "scaled", out, want, x.nd + 1, T_EPS * 64);
		free(out), free(want), free(a), free(b), free(d);
		gemm_free(&x);
	}
}

static void gemm_refuses(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH_PRODUCT(ops)
	{
		struct lk_gemm g = lk_linear(2, 3, 4), bad[8];
		struct lk_queue *q;
		struct lk_err err;
		lk_real a[16] = { 0 }, d[16];

		assert_int_equal(ops->open(&q, 0, &err), 0);
		for (size_t i = 0; i < T_LEN(bad); i++)
			bad[i] = g;
		bad[0].lda = 3;
		bad[1].ldb = 3;
		bad[2].ldc = 2;
		bad[3].ldd = 2;
		bad[4].row1 = 3;
		bad[5].beta = 1;
		bad[6].ab_type = LK_BF16;
		bad[7].cd_type = LK_F32;
		for (size_t i = 0; i < T_LEN(bad); i++) {
			assert_int_equal(ops->gemm(q, &bad[i], d, a, a, NULL), -1);
			assert_true(strlen(ops->message(q)) > 10);
		}
		ops->close(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gemm_shapes),
		cmocka_unit_test(gemm_real),
		cmocka_unit_test(gemm_once),
		cmocka_unit_test(gemm_pairs),
		cmocka_unit_test(gemm_not_finite),
		cmocka_unit_test(gemm_denormals),
		cmocka_unit_test(gemm_parts),
		cmocka_unit_test(gemm_rows),
		cmocka_unit_test(gemm_same),
		cmocka_unit_test(gemm_nan_in_d),
		cmocka_unit_test(gemm_scales),
		cmocka_unit_test(gemm_refuses),
	};

	return cmocka_run_group_tests_name("kernels/gemm", tests, NULL, NULL);
}
