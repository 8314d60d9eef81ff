#include "tests/kernels/lk_test.h"

struct attn_data {
	struct lk_attn at;
	lk_real *q, *k, *v, *dout, *o, *lse;
	uint32_t *pos;
	size_t nq, nk, no, nl; /* elements of q, of k and v, of o and dout, of lse */
};

/* Documents of 1 to `longest` tokens; 0: one document. */
static void attn_make(const struct lk_ops *ops, struct attn_data *x, const struct lk_attn *at,
		uint32_t longest)
{
	size_t ql = at->q_ld != 0 ? at->q_ld : at->heads * at->dim;
	size_t kl = at->k_ld != 0 ? at->k_ld : at->kv_heads * at->dim;
	size_t ol = at->o_ld != 0 ? at->o_ld : at->heads * at->dim;

	x->at = *at;
	x->at.q_ld = ql;
	x->at.k_ld = kl;
	x->at.o_ld = ol;
	if (at->q_seq == 0)
		x->at.q_seq = at->tq * ql;
	if (at->k_seq == 0)
		x->at.k_seq = at->tk * kl;
	if (at->o_seq == 0)
		x->at.o_seq = at->tq * ol;
	x->nq = at->batch * x->at.q_seq;
	x->nk = at->batch * x->at.k_seq;
	x->no = at->batch * x->at.o_seq;
	x->nl = at->batch * at->heads * at->tq;
	x->pos = t_alloc(at->batch * at->tq, sizeof(*x->pos));
	for (size_t i = 0; i < at->batch * at->tq; i++) {
		double end = longest * (t_rand(9, i / 3) + 1) / 2;

		x->pos[i] = i % at->tq == 0 ? (uint32_t)at->q_pos % 7 : x->pos[i - 1] + 1;
		x->pos[i] = x->pos[i] < end ? x->pos[i] : 0;
	}
	x->at.pos = longest > 0 ? x->pos : NULL;
	x->q = t_fill_act(ops, 1, x->nq, 2);
	x->k = t_fill_act(ops, 2, x->nk, 2);
	x->v = t_fill_act(ops, 3, x->nk, 1);
	x->dout = t_fill_act(ops, 4, x->no, 1);
	x->o = t_alloc(x->no, sizeof(*x->o));
	x->lse = t_alloc(x->nl, sizeof(*x->lse));
}

static void attn_free(struct attn_data *x)
{
	free(x->q);
	free(x->k);
	free(x->v);
	free(x->dout);
	free(x->o);
	free(x->lse);
	free(x->pos);
}

/* The description with pos[] in device memory. */
static struct lk_attn attn_device(struct t_ctx *t, const struct attn_data *x)
{
	struct lk_attn at = x->at;

	if (at.pos)
		at.pos = t_dev8(t, x->pos, at.batch * at.tq * sizeof(*at.pos));
	return at;
}

static void attn_forward(struct t_ctx *t, const void *arg, void *out)
{
	const struct attn_data *x = arg;
	lk_real *zero = t_alloc(x->no, sizeof(*zero));
	lk_act *q = t_act(t, x->q, x->nq), *k = t_act(t, x->k, x->nk);
	lk_act *v = t_act(t, x->v, x->nk), *o = t_act(t, zero, x->no);
	lk_real *lse = t_dev(t, NULL, x->nl * sizeof(*lse));
	struct lk_attn at = attn_device(t, x);

	t_ok(t, t_ops(t)->attention(t_queue(t), &at, o, lse, q, k, v));
	t_get(t, t_get_act(t, out, o, x->no), lse, x->nl * sizeof(*lse));
	free(zero);
}

static void attn_backward(struct t_ctx *t, const void *arg, void *out)
{
	const struct attn_data *x = arg;
	lk_real *zq = t_alloc(x->nq, sizeof(*zq)), *zk = t_alloc(x->nk, sizeof(*zk));
	lk_act *q = t_act(t, x->q, x->nq), *k = t_act(t, x->k, x->nk);
	lk_act *v = t_act(t, x->v, x->nk), *o = t_act(t, x->o, x->no);
	lk_real *lse = t_dev(t, x->lse, x->nl * sizeof(*lse));
	lk_act *dout = t_act(t, x->dout, x->no), *dq = t_act(t, zq, x->nq);
	lk_act *dk = t_act(t, zk, x->nk), *dv = t_act(t, zk, x->nk);
	struct lk_attn at = attn_device(t, x);

	for (int i = 0; i <= x->at.add; i++)
		t_ok(t,
				t_ops(t)->attention_back(t_queue(t), &at, dq, dk, dv, dout, o, lse,
						q, k, v));
	out = t_get_act(t, out, dq, x->nq);
	t_get_act(t, t_get_act(t, out, dk, x->nk), dv, x->nk);
	free(zq);
	free(zk);
}

static void attn_check(const struct lk_ops *ops, const struct lk_attn *at, uint32_t longest)
{
	/* bf16: the probabilities and their gradients are operands of products, and rounded too. */
	double half = t_is_bf16(ops) ? T_BF16 : 0, tol = T_EPS * 40 * sqrt((double)at->dim);
	double *q, *k, *v, *dout, *o, *lse, *dq, *dk, *dv;
	struct attn_data x;
	lk_real *out, *grad;
	char what[160];

	attn_make(ops, &x, at, longest);
	q = t_widen(x.q, x.nq);
	k = t_widen(x.k, x.nk);
	v = t_widen(x.v, x.nk);
	dout = t_widen(x.dout, x.no);
	o = t_alloc(x.no, sizeof(*o));
	lse = t_alloc(x.nl, sizeof(*lse));
	dq = t_alloc(x.nq + 2 * x.nk, sizeof(*dq));
	dk = dq + x.nq;
	dv = dk + x.nk;
	lk_ref_attention(&x.at, o, lse, q, k, v);
	out = t_alloc(x.no + x.nl, sizeof(*out));
	t_run(ops, attn_forward, &x, out, (x.no + x.nl) * sizeof(*out));
	(void)snprintf(what, sizeof(what), "%s b%zu h%zu/%zu d%zu q%zu@%zu k%zu@%zu doc %u",
			ops->name, at->batch, at->heads, at->kv_heads, at->dim, at->tq, at->q_pos,
			at->tk, at->k_pos, longest);
	t_near_act(ops, what, out, o, x.no, tol + half);
	t_near(what, out + x.no, lse, x.nl, tol);
	memcpy(x.o, out, x.no * sizeof(*out));
	memcpy(x.lse, out + x.no, x.nl * sizeof(*out));
	/* Backward, from the output as it was stored. */
	for (size_t i = 0; i < x.no; i++)
		o[i] = t_round(ops, o[i]);
	for (int i = 0; i <= at->add; i++)
		lk_ref_attention_back(&x.at, dq, dk, dv, dout, o, lse, q, k, v);
	grad = t_alloc(x.nq + 2 * x.nk, sizeof(*grad));
	t_run(ops, attn_backward, &x, grad, (x.nq + 2 * x.nk) * sizeof(*grad));
	/* By the largest of all three: with one visible key dQ is a difference of equal numbers. */
	t_near_act(ops, what, grad, dq, x.nq + 2 * x.nk, (tol + half) * 4);
	free(q), free(k), free(v), free(dout), free(o), free(lse), free(dq);
	free(out), free(grad);
	attn_free(&x);
}

static void attn_shapes(void **state)
{
	static const struct lk_attn cases[] = {
		{ .batch = 1, .heads = 1, .kv_heads = 1, .dim = 1, .tq = 1, .tk = 1 },
		{ .batch = 2, .heads = 2, .kv_heads = 1, .dim = 3, .tq = 17, .tk = 17 },
		{ .batch = 1, .heads = 3, .kv_heads = 3, .dim = 17, .tq = 33, .tk = 33 },
		{ .batch = 1, .heads = 4, .kv_heads = 2, .dim = 64, .tq = 127, .tk = 127 },
		{ .batch = 2,
				.heads = 2,
				.kv_heads = 1,
				.dim = 16,
				.tq = 200,
				.tk = 200,
				.q_ld = 70,
				.k_ld = 70,
				.o_ld = 37,
				.q_seq = 200 * 70 + 5 },
		{ .batch = 1, .heads = 1, .kv_heads = 1, .dim = 128, .tq = 65, .tk = 65 },
		{ .batch = 1, .heads = 1, .kv_heads = 1, .dim = 256, .tq = 20, .tk = 20 },
		{ .batch = 1,
				.heads = 2,
				.kv_heads = 1,
				.dim = 8,
				.tq = 1,
				.tk = 130,
				.q_pos = 129 },
		{ .batch = 1,
				.heads = 2,
				.kv_heads = 1,
				.dim = 8,
				.tq = 5,
				.tk = 130,
				.q_pos = 125,
				.scale = 0.7 },
		/* several segments of keys; more sequences than are processed at once */
		{ .batch = 2, .heads = 2, .kv_heads = 1, .dim = 5, .tq = 900, .tk = 900 },
		{ .batch = 70, .heads = 1, .kv_heads = 1, .dim = 4, .tq = 16, .tk = 16, .add = 1 },
		/* later queries and earlier keys, and the reverse */
		{ .batch = 1,
				.heads = 1,
				.kv_heads = 1,
				.dim = 8,
				.tq = 70,
				.tk = 60,
				.q_pos = 60,
				.add = 1 },
		{ .batch = 1,
				.heads = 1,
				.kv_heads = 1,
				.dim = 8,
				.tq = 70,
				.tk = 100,
				.k_pos = 33 },
		{ .batch = 1,
				.heads = 1,
				.kv_heads = 1,
				.dim = 8,
				.tq = 10,
				.tk = 10,
				.k_pos = 33,
				.add = 1 },
	};
	static const uint32_t longest[] = { 0, 2, 9, 60, 1000 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t i = 0; i < T_LEN(cases); i++)
		for (size_t k = 0; k < T_LEN(longest); k++)
			attn_check(ops, &cases[i], longest[k]);
}

/* Sizes of models: each width that the GPU has a kernel for, and a row before and after its tiles. */
static void attn_tiles(void **state)
{
	static const struct {
		size_t heads, kv_heads, dim, tq, tk, q_pos;
		int add;
	} cases[] = {
		{ 4, 1, 128, 192, 192, 0, 1 }, /* grouped; a tile and a half */
		{ 1, 1, 128, 63, 63, 0, 0 },
		{ 2, 1, 128, 129, 129, 0, 0 },
		{ 2, 1, 128, 70, 200, 130, 0 }, /* queries after a cache */
		{ 4, 2, 128, 1, 300, 299, 0 },
		{ 1, 1, 32, 257, 257, 0, 0 },
		{ 2, 1, 64, 160, 160, 0, 0 },
		{ 2, 1, 88, 100, 100, 0, 0 }, /* filled up to 96 */
		{ 2, 1, 96, 130, 130, 0, 1 },
		{ 2, 1, 256, 66, 66, 0, 0 },
	};
	static const uint32_t longest[] = { 0, 90 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t i = 0; i < T_LEN(cases) * T_LEN(longest); i++) {
		size_t c = i / T_LEN(longest);
		const struct lk_attn at = { .batch = 1,
			.heads = cases[c].heads,
			.kv_heads = cases[c].kv_heads,
			.dim = cases[c].dim,
			.tq = cases[c].tq,
			.tk = cases[c].tk,
			.q_pos = cases[c].q_pos,
			.add = cases[c].add };

		attn_check(ops, &at, longest[i % T_LEN(longest)]);
	}
}

/* One head of a model, with documents that begin anywhere. */
static void attn_head(void **state)
{
	/* Tiles of the same kinds where everything is several times as slow. */
	const size_t t = T_ASAN || T_TSAN ? 512 : 4096;
	const struct lk_attn at = {
		.batch = 1, .heads = 1, .kv_heads = 1, .dim = 128, .tq = t, .tk = t
	};
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	attn_check(ops, &at, 500);
}

/* Decoding row by row against a cache has the bits of the whole, with documents too. */
static void attn_decode(void **state)
{
	const struct lk_attn at = {
		.batch = 1, .heads = 4, .kv_heads = 2, .dim = 20, .tq = 150, .tk = 150
	};
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (uint32_t longest = 0; longest < 200; longest += 90) {
		struct attn_data x, y;
		lk_real *all, *one;

		attn_make(ops, &x, &at, longest);
		all = t_alloc(x.no + x.nl, sizeof(*all));
		t_run(ops, attn_forward, &x, all, (x.no + x.nl) * sizeof(*all));
		one = t_alloc(x.no + x.nl, sizeof(*one));
		for (size_t i = 0; i < at.tq; i += 13) {
			y = x;
			y.at.tq = 1;
			y.at.tk = i + 1;
			y.at.q_pos = i;
			y.pos = x.pos + i;
			y.q = x.q + i * 80;
			y.nq = y.no = 80;
			y.nl = 4;
			y.at.q_seq = y.at.o_seq = 80;
			t_run(ops, attn_forward, &y, one, 84 * sizeof(*one));
			assert_memory_equal(one, all + i * 80, 80 * sizeof(*one));
			for (size_t h = 0; h < 4; h++)
				assert_true(one[80 + h] == all[x.no + h * at.tq + i]);
		}
		free(all);
		free(one);
		attn_free(&x);
	}
}

static void attn_merge_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct attn_data *x = arg;
	struct lk_attn a = x->at, b = x->at;
	size_t cut = 40;
	lk_act *q = t_act(t, x->q, x->nq), *k = t_act(t, x->k, x->nk), *v = t_act(t, x->v, x->nk);
	lk_act *o = t_act(t, NULL, x->no), *o2 = t_act(t, NULL, x->no);
	lk_real *lse = t_dev(t, NULL, x->nl * sizeof(*lse));
	lk_real *lse2 = t_dev(t, NULL, x->nl * sizeof(*lse));

	a.tk = cut;
	b.tk = x->at.tk - cut;
	b.k_pos = cut;
	t_ok(t, t_ops(t)->attention(t_queue(t), &a, o, lse, q, k, v));
	t_ok(t,
			t_ops(t)->attention(t_queue(t), &b, o2, lse2, q,
					t_act_at(t_ops(t), k, cut * a.k_ld),
					t_act_at(t_ops(t), v, cut * a.k_ld)));
	t_ok(t, t_ops(t)->attn_merge(t_queue(t), &x->at, o, lse, o2, lse2));
	t_get(t, t_get_act(t, out, o, x->no), lse, x->nl * sizeof(*lse));
}

static void attn_merge(void **state)
{
	static const size_t dims[] = { 8, 100, 128 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t i = 0; i < T_LEN(dims); i++) {
		const struct lk_attn at = {
			.batch = 2, .heads = 2, .kv_heads = 1, .dim = dims[i], .tq = 100, .tk = 100
		};
		struct attn_data x;
		lk_real *whole, *parts;
		double *want;

		attn_make(ops, &x, &at, 0);
		whole = t_alloc(x.no + x.nl, sizeof(*whole));
		parts = t_alloc(x.no + x.nl, sizeof(*parts));
		t_run(ops, attn_forward, &x, whole, (x.no + x.nl) * sizeof(*whole));
		t_run(ops, attn_merge_run, &x, parts, (x.no + x.nl) * sizeof(*parts));
		want = t_widen(whole, x.no + x.nl);
		/* Both parts are rounded, their combination, and the whole. */
		t_near("merge", parts, want, x.no + x.nl,
				T_EPS * 40 + (t_is_bf16(ops) ? 3 * T_BF16 : 0));
		free(whole), free(parts), free(want);
		attn_free(&x);
	}
}

static void attn_refuses(void **state)
{
	const struct lk_ops *ops;
	struct lk_attn good = { .batch = 1, .heads = 4, .kv_heads = 2, .dim = 4, .tq = 1, .tk = 1 };

	(void)state;
	T_EACH(ops)
	for (int i = 0; i < 4; i++) {
		struct lk_attn a = good;
		lk_real x[16] = { 0 }, o[16], l[4];
		struct lk_queue *q;
		struct lk_err err;

		a.kv_heads = i == 0 ? 3 : 2;
		a.dim = i == 1 ? LK_ATTN_MAX_DIM + 1 : 4;
		a.q_ld = i == 2 ? 15 : 0;
		a.k_ld = i == 3 ? 7 : 0;
		assert_int_equal(ops->open(&q, 0, &err), 0);
		assert_int_equal(ops->attention(q, &a, o, l, x, x, x), -1);
		assert_true(strlen(ops->message(q)) > 10);
		ops->close(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attn_shapes),
		cmocka_unit_test(attn_tiles),
		cmocka_unit_test(attn_head),
		cmocka_unit_test(attn_decode),
		cmocka_unit_test(attn_merge),
		cmocka_unit_test(attn_refuses),
	};

	return cmocka_run_group_tests_name("kernels/attention", tests, NULL, NULL);
}
