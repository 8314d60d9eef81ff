/*
 * The reference implementations themselves, in double: gradients against central differences of the
 * forward function, and the parts of split operations against the whole.
 */
#include "tests/kernels/lk_test.h"

enum { ROWS = 5, N = 7 };

/* The scalar function sum over outputs of weight * output, of all inputs in one vector. */
typedef double loss_fn(const double *in);

/* Compare a gradient with central differences. */
static void check_gradient(loss_fn *loss, const double *in, const double *grad, size_t n)
{
	double *x = t_alloc(n, sizeof(*x));
	const double h = 1e-5;

	memcpy(x, in, n * sizeof(*x));
	for (size_t i = 0; i < n; i++) {
		double up, down;

		x[i] = in[i] + h;
		up = loss(x);
		x[i] = in[i] - h;
		down = loss(x);
		x[i] = in[i];
		if (!(fabs((up - down) / (2 * h) - grad[i]) < 1e-8))
			fail_msg("element %zu: gradient %.10g, differences %.10g", i, grad[i],
					(up - down) / (2 * h));
	}
	free(x);
}

static void fill(double *x, uint64_t seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = t_rand(seed, i);
}

/* --- embed: w ------------------------------------------------------------------------------------ */

static const uint32_t ids[ROWS] = { 3, 1, 3, 4, 5 };
enum { VOCABULARY = 4, V0 = 1 }; /* ids 1 to 4; 5 is another rank's */
static double embed_dy[ROWS * N];

static double embed_loss(const double *in)
{
	double y[ROWS * N];

	lk_ref_embed(y, in, ids, ROWS, N, V0, VOCABULARY);
	return lk_ref_dot(y, embed_dy, ROWS * N);
}

static void test_embed(void **state)
{
	double in[VOCABULARY * N], grad[(VOCABULARY + 1) * N], twice[VOCABULARY * N];

	(void)state;
	fill(in, 13, T_LEN(in));
	fill(embed_dy, 14, ROWS * N);
	fill(grad, 15, T_LEN(in));
	memset(grad + T_LEN(in), 0, N * sizeof(*grad));
	lk_ref_embed_back(grad, embed_dy, ids, ROWS, N, V0, VOCABULARY, 0);
	check_gradient(embed_loss, in, grad, T_LEN(in));
	for (size_t i = T_LEN(in); i < T_LEN(grad); i++)
		assert_true(grad[i] == 0);
	memcpy(twice, grad, sizeof(twice));
	lk_ref_embed_back(twice, embed_dy, ids, ROWS, N, V0, VOCABULARY, 1);
	for (size_t i = 0; i < T_LEN(in); i++)
		assert_true(fabs(twice[i] - 2 * grad[i]) < 1e-14);
}

/* --- rmsnorm: x, res, w ---------------------------------------------------------------------- */

static double norm_dy[ROWS * N], norm_dsum[ROWS * N];

static double norm_loss(const double *in)
{
	double y[ROWS * N], sum[ROWS * N];

	lk_ref_rmsnorm(y, NULL, sum, in, in + ROWS * N, in + 2 * ROWS * N, ROWS, N, 1e-5, LK_F64);
	return lk_ref_dot(y, norm_dy, ROWS * N) + lk_ref_dot(sum, norm_dsum, ROWS * N);
}

static void test_rmsnorm(void **state)
{
	double in[2 * ROWS * N + N], grad[2 * ROWS * N + N] = { 0 };
	double y[ROWS * N], sum[ROWS * N], rstd[ROWS], again[ROWS * N];

	(void)state;
	fill(in, 1, T_LEN(in));
	fill(norm_dy, 2, ROWS * N);
	fill(norm_dsum, 3, ROWS * N);
	lk_ref_rmsnorm(y, rstd, sum, in, in + ROWS * N, in + 2 * ROWS * N, ROWS, N, 1e-5, LK_F64);
	fill(grad, 4, T_LEN(grad));
	lk_ref_rmsnorm_back(grad, grad + 2 * ROWS * N, norm_dy, norm_dsum, sum, in + 2 * ROWS * N,
			rstd, ROWS, N, 0);
	/* x and res have the same gradient. */
	memcpy(grad + ROWS * N, grad, sizeof(sum));
	check_gradient(norm_loss, in, grad, T_LEN(in));
	lk_ref_rmsnorm_again(again, sum, in + 2 * ROWS * N, rstd, ROWS, N);
	assert_memory_equal(again, y, sizeof(y));
}

/* Without a residual: x, w. */
static double norm_alone_loss(const double *in)
{
	double y[ROWS * N];

	lk_ref_rmsnorm(y, NULL, NULL, in, NULL, in + ROWS * N, ROWS, N, 1e-5, LK_F64);
	return lk_ref_dot(y, norm_dy, ROWS * N);
}

static void test_rmsnorm_alone(void **state)
{
	double in[ROWS * N + N], grad[ROWS * N + N], y[ROWS * N], rstd[ROWS];
	double *dw = grad + ROWS * N, twice[ROWS * N];

	(void)state;
	fill(in, 16, T_LEN(in));
	fill(norm_dy, 17, ROWS * N);
	lk_ref_rmsnorm(y, rstd, NULL, in, NULL, in + ROWS * N, ROWS, N, 1e-5, LK_F64);
	lk_ref_rmsnorm_back(grad, dw, norm_dy, NULL, in, in + ROWS * N, rstd, ROWS, N, 0);
	check_gradient(norm_alone_loss, in, grad, T_LEN(in));
	memcpy(y, dw, N * sizeof(*y));
	lk_ref_rmsnorm_back(twice, dw, norm_dy, NULL, in, in + ROWS * N, rstd, ROWS, N, 1);
	for (size_t i = 0; i < N; i++)
		assert_true(fabs(dw[i] - 2 * y[i]) < 1e-14);
}

/* --- swiglu: gate and up --------------------------------------------------------------------- */

static double glu_dy[ROWS * N];

static double glu_loss(const double *in)
{
	double y[ROWS * N];

	lk_ref_swiglu(y, in, ROWS, N);
	return lk_ref_dot(y, glu_dy, ROWS * N);
}

static void test_swiglu(void **state)
{
	double in[2 * ROWS * N], grad[2 * ROWS * N], y[ROWS * N], again[ROWS * N];

	(void)state;
	fill(in, 4, T_LEN(in));
	fill(glu_dy, 5, ROWS * N);
	lk_ref_swiglu(y, in, ROWS, N);
	lk_ref_swiglu_back(grad, again, glu_dy, in, ROWS, N);
	assert_memory_equal(y, again, sizeof(y));
	check_gradient(glu_loss, in, grad, T_LEN(in));
}

/* --- rope: a rotation, so its gradient is the inverse ----------------------------------------- */

enum { HEADS = 2, DIM = 6 };
static const double freq[DIM / 2] = { 1, 0.3, 0.01 };
static const uint32_t places[ROWS] = { 4, 0, 1, 2, 0 };
static double rope_table[5 * DIM], rope_dy[ROWS * HEADS * DIM];

static double rope_loss(const double *in)
{
	double x[ROWS * HEADS * DIM];

	memcpy(x, in, sizeof(x));
	lk_ref_rope(x, rope_table, places, 0, ROWS, HEADS, DIM, 0, 0);
	return lk_ref_dot(x, rope_dy, T_LEN(x));
}

static void test_rope(void **state)
{
	double x[ROWS * HEADS * DIM], y[ROWS * HEADS * DIM];

	(void)state;
	lk_ref_rope_table(rope_table, 3, 5, DIM, freq);
	fill(x, 6, T_LEN(x));
	memcpy(y, x, sizeof(y));
	lk_ref_rope(y, rope_table, NULL, 0, ROWS, HEADS, DIM, 0, 0);
	assert_true(fabs(y[0] - (x[0] * cos(3) - x[3] * sin(3))) < 1e-12);
	assert_true(fabs(lk_ref_dot(x, x, T_LEN(x)) - lk_ref_dot(y, y, T_LEN(y))) < 1e-12);
	lk_ref_rope(y, rope_table, NULL, 0, ROWS, HEADS, DIM, 0, 1);
	for (size_t i = 0; i < T_LEN(x); i++)
		assert_true(fabs(x[i] - y[i]) < 1e-12);
	fill(rope_dy, 18, T_LEN(y));
	memcpy(y, rope_dy, sizeof(y));
	lk_ref_rope(y, rope_table, places, 0, ROWS, HEADS, DIM, 0, 1);
	check_gradient(rope_loss, x, y, T_LEN(x));
}

/* --- attention: Q, K, V ----------------------------------------------------------------------- */

static struct lk_attn attn = {
	.batch = 1, .heads = 4, .kv_heads = 2, .dim = 3, .tq = 9, .tk = 7, .k_pos = 1
};

enum { NQ = 9 * 4 * 3, NK = 7 * 2 * 3, NL = 4 * 9 };
static double attn_dout[NQ];

static double attn_loss(const double *in)
{
	double o[NQ], lse[NL];

	lk_ref_attention(&attn, o, lse, in, in + NQ, in + NQ + NK);
	return lk_ref_dot(o, attn_dout, NQ);
}

static void test_attention(void **state)
{
	double in[NQ + 2 * NK], grad[NQ + 2 * NK], o[NQ], lse[NL];

	(void)state;
	fill(in, 7, T_LEN(in));
	fill(attn_dout, 8, NQ);
	lk_ref_attention(&attn, o, lse, in, in + NQ, in + NQ + NK);
	/* Query 0 is before the first key. */
	assert_true(o[0] == 0 && isinf(lse[0]) && lse[0] < 0);
	lk_ref_attention_back(&attn, grad, grad + NQ, grad + NQ + NK, attn_dout, o, lse, in,
			in + NQ, in + NQ + NK);
	check_gradient(attn_loss, in, grad, T_LEN(in));
}

/* Documents of 2, 3 and 4 tokens; the second is as if it stood alone, the first key being before. */
static void test_documents(void **state)
{
	static const uint32_t pos[] = { 0, 1, 0, 1, 2, 0, 1, 2, 3 };
	double in[NQ + 2 * NK], grad[NQ + 2 * NK], o[NQ], lse[NL], alone[NQ], alone_lse[NL];
	size_t q_row = attn.heads * attn.dim, k_row = attn.kv_heads * attn.dim;
	struct lk_attn one = attn;

	(void)state;
	attn.pos = pos;
	fill(in, 19, T_LEN(in));
	fill(attn_dout, 20, NQ);
	lk_ref_attention(&attn, o, lse, in, in + NQ, in + NQ + NK);
	lk_ref_attention_back(&attn, grad, grad + NQ, grad + NQ + NK, attn_dout, o, lse, in,
			in + NQ, in + NQ + NK);
	check_gradient(attn_loss, in, grad, T_LEN(in));
	attn.pos = NULL;
	one.tq = one.tk = 3;
	one.k_pos = 0;
	lk_ref_attention(&one, alone, alone_lse, in + 2 * q_row, in + NQ + k_row,
			in + NQ + NK + k_row);
	assert_memory_equal(alone, o + 2 * q_row, 3 * q_row * sizeof(*o));
}

/* Keys in two parts, the second invisible to the first queries, merge into the whole. */
static void test_merge(void **state)
{
	double in[NQ + 2 * NK], o[NQ], lse[NL], part[NQ], part_lse[NL], o2[NQ], lse2[NL];
	struct lk_attn a = attn, b = attn;
	const double *k = in + NQ, *v = in + NQ + NK;
	size_t cut = 4, row = attn.kv_heads * attn.dim;

	(void)state;
	fill(in, 9, T_LEN(in));
	a.tk = cut;
	b.tk = attn.tk - cut;
	b.k_pos = attn.k_pos + cut;
	lk_ref_attention(&attn, o, lse, in, k, v);
	lk_ref_attention(&a, part, part_lse, in, k, v);
	lk_ref_attention(&b, o2, lse2, in, k + cut * row, v + cut * row);
	lk_ref_attn_merge(&attn, part, part_lse, o2, lse2);
	for (size_t i = 0; i < NQ; i++)
		assert_true(fabs(part[i] - o[i]) < 1e-14);
	for (size_t i = 0; i < NL; i++)
		assert_true(part_lse[i] == lse[i] || fabs(part_lse[i] - lse[i]) < 1e-14);
}

/* --- cross-entropy: logits -------------------------------------------------------------------- */

static const uint32_t labels[ROWS] = { 3, 0, 1, 6, 2 };
static const double weights[ROWS] = { 0.5, -2, 0, 1, 0.37 };

static double ce_loss(const double *in)
{
	double logp[ROWS];

	lk_ref_cross_entropy(logp, NULL, in, labels, weights, ROWS, N, 0);
	return -lk_ref_dot(logp, weights, ROWS);
}

static void test_cross_entropy(void **state)
{
	double in[ROWS * N], grad[ROWS * N], split[ROWS * N], logp[ROWS], split_logp[ROWS];
	double all[2][ROWS * 3], stats[ROWS * 3], sum = 0;
	size_t cut = 4;

	(void)state;
	fill(in, 10, T_LEN(in));
	lk_ref_cross_entropy(logp, grad, in, labels, weights, ROWS, N, 0);
	check_gradient(ce_loss, in, grad, T_LEN(in));
	for (size_t j = 0; j < N; j++)
		sum += exp(in[j]);
	assert_true(fabs(logp[0] - log(exp(in[3]) / sum)) < 1e-14 && grad[2 * N] == 0);

	lk_ref_ce_stats(all[0], in, labels, ROWS, cut, N, 0);
	lk_ref_ce_stats(all[1], in + cut, labels, ROWS, N - cut, N, cut);
	lk_ref_ce_merge(stats, all[0], 2, ROWS);
	lk_ref_ce_grad(split_logp, split, in, labels, weights, stats, ROWS, cut, N, 0);
	lk_ref_ce_grad(split_logp, split + cut, in + cut, labels, weights, stats, ROWS, N - cut, N,
			cut);
	for (size_t i = 0; i < T_LEN(in); i++)
		assert_true(fabs(split[i] - grad[i]) < 1e-14);
	for (size_t r = 0; r < ROWS; r++)
		assert_true(fabs(split_logp[r] - logp[r]) < 1e-14);
}

/* --- gemm: a linear layer's x and W ------------------------------------------------------------ */

enum { OUT = 4 };
static double linear_dy[ROWS * OUT];

static double linear_loss(const double *in)
{
	const struct lk_gemm g = lk_linear(ROWS, OUT, N);
	double y[ROWS * OUT];

	lk_ref_gemm(&g, y, in, in + ROWS * N, NULL);
	return lk_ref_dot(y, linear_dy, ROWS * OUT);
}

static void test_linear(void **state)
{
	const struct lk_gemm dx = lk_linear_dx(ROWS, OUT, N), dw = lk_linear_dw(ROWS, OUT, N);
	double in[ROWS * N + OUT * N], grad[ROWS * N + OUT * N] = { 0 };

	(void)state;
	fill(in, 11, T_LEN(in));
	fill(linear_dy, 12, ROWS * OUT);
	lk_ref_gemm(&dx, grad, linear_dy, in + ROWS * N, NULL);
	lk_ref_gemm(&dw, grad + ROWS * N, linear_dy, in, grad + ROWS * N);
	check_gradient(linear_loss, in, grad, T_LEN(in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed),
		cmocka_unit_test(test_rmsnorm),
		cmocka_unit_test(test_rmsnorm_alone),
		cmocka_unit_test(test_swiglu),
		cmocka_unit_test(test_rope),
		cmocka_unit_test(test_attention),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_cross_entropy),
		cmocka_unit_test(test_linear),
	};

	return cmocka_run_group_tests_name("kernels/ref", tests, NULL, NULL);
}
