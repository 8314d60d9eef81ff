/*
 * The model: gradients compared with central differences, equal bits in all modes. In the
 * double-precision build (make DOUBLE=1) the gradients agree to 1e-7 or better; in fp32 the
 * comparison is coarse.
 */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "libcommon/base/rng.h"

static const bool in_double = sizeof(lk_real) == sizeof(double);

static uint64_t scored(const struct tiny *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < TINY_ROWS; i++)
		n += t->labels[i] >= 0;
	return n;
}

/* Mean loss by the forward pass. */
static double loss_of(struct tiny *t, struct lt_model *m)
{
	lk_real losses[TINY_ROWS];
	struct lu_err err;
	double sum = 0;

	ok(lt_weights_refresh(t->w, &err), &err);
	ok(lt_model_losses(m, t->ids, t->labels, TINY_BATCH, losses, &err), &err);
	for (size_t i = 0; i < TINY_ROWS; i++)
		sum += (double)losses[i];
	return sum / (double)scored(t);
}

static void gradient(struct tiny *t, struct lt_model *m, lk_real *out)
{
	struct lt_hyper h = { 0.9, 0.95, 1e-8, 0, 0 };
	struct lu_err err;

	ok(lt_optimizer_begin(t->w, &h, 0, 1, scored(t), &err), &err);
	ok(lt_model_train(m, t->ids, t->labels, 0, t->loss, &err), &err);
	t->ops->copy(t->q, out, t->w->grad, t->w->table.total * sizeof(*out), LK_D2H);
	assert_int_equal(t->ops->sync(t->q), 0);
}

static void check_gradient(bool tied, bool recompute)
{
	double step = in_double ? 1e-5 : 3e-3, worst = 0;
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;
	lk_real *g;

	tiny_open(&t, 1, tied);
	g = malloc(t.w->table.total * sizeof(*g));
	assert_non_null(g);
	ok(lt_model_open(&m, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_TRAIN, recompute, &err), &err);
	gradient(&t, m, g);
	for (size_t i = 0; i < t.w->table.n; i++) {
		const struct lt_param *p = &t.w->table.param[i];

		/* Some elements of each tensor, including the last. */
		for (size_t k = 0; k < 6; k++) {
			size_t e = k ? (size_t)lu_rand_below(3, i, k, p->count) : p->count - 1;
			lk_real was, now;
			double up, down, want, got = (double)g[p->offset + e], off;

			ok(lt_weights_get(t.w, LT_VECTOR_P, p->offset + e, 1, &was, &err), &err);
			now = was + (lk_real)step;
			ok(lt_weights_put(t.w, LT_VECTOR_P, p->offset + e, 1, &now, &err), &err);
			up = loss_of(&t, m);
			now = was - (lk_real)step;
			ok(lt_weights_put(t.w, LT_VECTOR_P, p->offset + e, 1, &now, &err), &err);
			down = loss_of(&t, m);
			ok(lt_weights_put(t.w, LT_VECTOR_P, p->offset + e, 1, &was, &err), &err);
			want = (up - down) / (2 * step);
			off = fabs(got - want) / (fabs(want) + 0.01);
			worst = off > worst ? off : worst;
			if (off > (in_double ? 1e-7 : 0.05))
				fail_msg("%s[%zu]: gradient %.10g, differences %.10g", p->name, e,
						got, want);
		}
	}
	print_message("# worst relative difference %.2g\n", worst);
	free(g);
	lt_model_close(m);
	tiny_close(&t);
}

static void test_gradient(void **state)
{
	(void)state;
	check_gradient(false, false);
}

static void test_gradient_tied(void **state)
{
	(void)state;
	check_gradient(true, false);
}

struct bits {
	bool recompute;
	lk_real *out; /* malloc'd */
	size_t bytes;
};

static int compute_bits(void *ctx)
{
	struct bits *b = ctx;
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	tiny_open(&t, 1, false);
	b->bytes = t.w->table.total * sizeof(lk_real);
	ok(lt_model_open(&m, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_TRAIN, b->recompute, &err),
			&err);
	b->out = malloc(b->bytes);
	assert_non_null(b->out);
	gradient(&t, m, b->out);
	lt_model_close(m);
	tiny_close(&t);
	return 0;
}

/* Recomputation and the number of threads do not change the bits. */
static void test_same_bits(void **state)
{
	static const int threads[] = { 2, 1, 3, 2 };
	struct bits want = { .recompute = false };

	(void)state;
	compute_bits(&want); /* outside of a team */
	for (size_t i = 0; i < 4; i++) {
		struct bits got = { .recompute = i == 3 };

		lk_cpu_team(threads[i], compute_bits, &got);
		assert_memory_equal(got.out, want.out, want.bytes);
		free(got.out);
	}
	free(want.out);
}

/* Decoding piece by piece with cached keys and values gives the logits of the whole. */
static void test_decode(void **state)
{
	static lk_real whole[TINY_CONTEXT][TINY_VOCAB], piece[TINY_VOCAB];
	static const size_t cuts[][4] = { { 1, 1, 1, 1 }, { 3, 1, 4, 2 }, { 9, 1, 0, 0 } };
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 0, false);
	ok(lt_model_open(&m, t.w, 1, TINY_CONTEXT, LT_MODEL_DECODE, false, &err), &err);
	ok(lt_model_logits(m, t.ids, 0, TINY_CONTEXT, true, whole[0], &err), &err);
	for (size_t c = 0; c < 3; c++) {
		for (size_t at = 0, k = 0; at < TINY_CONTEXT && k < 4 && cuts[c][k]; k++) {
			ok(lt_model_logits(m, t.ids + at, at, cuts[c][k], false, piece, &err),
					&err);
			at += cuts[c][k];
			for (size_t v = 0; v < TINY_VOCAB; v++)
				assert_true(fabs((double)(piece[v] - whole[at - 1][v])) < 1e-5);
		}
	}
	assert_int_equal(lt_model_logits(m, t.ids, 1, TINY_CONTEXT, false, piece, &err), -1);
	lt_model_close(m);
	tiny_close(&t);
}

/* Scoring computes the losses of training. */
static void test_score(void **state)
{
	lk_real a[TINY_ROWS], b[TINY_ROWS];
	struct lt_model *train, *score;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	ok(lt_model_open(&train, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_TRAIN, false, &err), &err);
	ok(lt_model_open(&score, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_SCORE, false, &err), &err);
	ok(lt_model_losses(train, t.ids, t.labels, TINY_BATCH, a, &err), &err);
	ok(lt_model_losses(score, t.ids, t.labels, TINY_BATCH, b, &err), &err);
	assert_memory_equal(a, b, sizeof(a));
	/* Fewer sequences than the batch. */
	memset(b, 0, sizeof(b));
	ok(lt_model_losses(score, t.ids, t.labels, 1, b, &err), &err);
	for (size_t i = 0; i < TINY_CONTEXT; i++)
		assert_true(fabs((double)(a[i] - b[i])) < 1e-5);
	lt_model_close(train);
	lt_model_close(score);
	tiny_close(&t);
}

static void test_overfit(void **state)
{
	struct lt_hyper h = { 0.9, 0.95, 1e-8, 0, 1 };
	struct lt_update u;
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;
	double first, last;

	(void)state;
	tiny_open(&t, 1, false);
	/* Distinct tokens in each row, so that the model can memorise the batch. */
	for (size_t i = 0; i < TINY_ROWS; i++)
		t.ids[i] = (uint32_t)(i % TINY_VOCAB);
	ok(lt_model_open(&m, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_TRAIN, false, &err), &err);
	first = loss_of(&t, m);
	for (uint64_t step = 1; step <= 150; step++) {
		ok(lt_optimizer_begin(t.w, &h, 0.02, step, scored(&t), &err), &err);
		ok(lt_model_train(m, t.ids, t.labels, 0, t.loss, &err), &err);
		ok(lt_optimizer_update(t.w, t.comm, &h, &u, &err), &err);
		assert_true(u.finite);
	}
	last = loss_of(&t, m);
	print_message("# loss %.3f, after 150 steps on one batch %.4f\n", first, last);
	assert_true(first > 3 && last < 0.02);
	lt_model_close(m);
	tiny_close(&t);
}

static void test_bad_ids(void **state)
{
	lk_real losses[TINY_ROWS];
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	ok(lt_model_open(&m, t.w, TINY_BATCH, TINY_CONTEXT, LT_MODEL_TRAIN, false, &err), &err);
	t.ids[5] = TINY_VOCAB;
	assert_int_equal(lt_model_train(m, t.ids, t.labels, 0, t.loss, &err), -1);
	assert_non_null(strstr(err.msg, "token 37"));
	t.ids[5] = 0;
	t.labels[6] = TINY_VOCAB + 1;
	assert_int_equal(lt_model_losses(m, t.ids, t.labels, TINY_BATCH, losses, &err), -1);
	assert_non_null(strstr(err.msg, "label 38"));
	lt_model_close(m);
	tiny_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gradient),
		cmocka_unit_test(test_gradient_tied),
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_overfit),
		cmocka_unit_test(test_bad_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
