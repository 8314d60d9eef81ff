/*
 * The model: gradients compared with central differences, equal bits in all modes. In the
 * double-precision build (make DOUBLE=1) the gradients agree to 1e-7 or better; in fp32 the
 * comparison is coarse. test_model_parts.c cuts it into chunks.
 */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "libcommon/base/rng.h"
#include "trainer/model/batch_check.h"
#include "trainer/model/decoding.h"

static const bool in_double = sizeof(lk_real) == sizeof(double);

static double scored(const struct tiny *t)
{
	double n = 0;

	for (size_t i = 0; i < TINY_ROWS; i++)
		n += (double)t->weight[i];
	return n;
}

static struct lt_model *open_model(struct tiny *t, enum lt_model_mode mode)
{
	struct lt_model_plan plan = tiny_plan(mode);
	struct lt_model *m;
	struct lu_err err;

	ok(lt_model_open(&m, t->w, &plan, &err), &err);
	return m;
}

/* Mean loss by the forward pass. */
static double loss_of(struct tiny *t, struct lt_model *m, const struct lt_batch *b)
{
	lk_real log_p[TINY_ROWS];
	struct lu_err err;
	double sum = 0;

	ok(lt_weights_refresh(t->w, &err), &err);
	ok(lt_model_score(m, b, TINY_BATCH, log_p, &err), &err);
	for (size_t i = 0; i < TINY_ROWS; i++)
		sum -= (double)t->weight[i] * (double)log_p[i];
	return sum / scored(t);
}

/* The gradient of the sum of the losses, all of it. */
static void gradient(struct tiny *t, struct lt_model *m, const struct lt_batch *b, lk_real *out)
{
	struct lt_pass pass = { .first = true, .sums = t->loss, .stride = 1 };
	struct lu_err err;

	ok(lt_model_forward(m, 0, 0, b, &err), &err);
	ok(lt_model_backward(m, 0, 0, b, lt_model_gradient(m, 0), &pass, &err), &err);
	tiny_read(t, t->w->grad, out, t->w->table.total);
}

/* The mean loss if element `at` of the parameters is changed by `by`. */
static double loss_at(
		struct tiny *t, struct lt_model *m, const struct lt_batch *b, size_t at, double by)
{
	lk_real was, now;
	struct lu_err err;
	double loss;

	ok(lt_weights_get(t->w, LT_VECTOR_P, at, 1, &was, &err), &err);
	now = was + (lk_real)by;
	ok(lt_weights_put(t->w, LT_VECTOR_P, at, 1, &now, &err), &err);
	loss = loss_of(t, m, b);
	ok(lt_weights_put(t->w, LT_VECTOR_P, at, 1, &was, &err), &err);
	return loss;
}

static void check_gradient(bool tied, const uint32_t *places)
{
	double step = in_double ? 1e-5 : 3e-3, worst = 0;
	struct lt_batch b;
	struct lt_model *m;
	struct tiny t;
	lk_real *g;

	tiny_open(&t, 1, tied);
	for (size_t i = 0; i < TINY_ROWS; i++)
		t.weight[i] *= (lk_real)(0.25 * (double)(i % 7));
	b = tiny_batch(&t);
	b.places = places;
	g = malloc(t.w->table.total * sizeof(*g));
	assert_non_null(g);
	m = open_model(&t, LT_MODEL_TRAIN);
	gradient(&t, m, &b, g);
	for (size_t i = 0; i < t.w->table.n; i++) {
		const struct lt_param *p = &t.w->table.param[i];

		/* Some elements of each tensor, including the last. */
		for (size_t k = 0; k < 6; k++) {
			size_t e = k ? (size_t)lu_rand_below(3, i, k, p->count) : p->count - 1;
			double up = loss_at(&t, m, &b, p->offset + e, step);
			double down = loss_at(&t, m, &b, p->offset + e, -step);
			double want = (up - down) / (2 * step);
			double got = (double)g[p->offset + e] / scored(&t);
			double off = fabs(got - want) / (fabs(want) + 0.01);

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
	check_gradient(false, NULL);
}

static void test_gradient_tied(void **state)
{
	(void)state;
	check_gradient(true, NULL);
}

/* Three sequences of documents, some of which begin in the middle. */
static const uint32_t places[TINY_ROWS] = { 0, 1, 2, 0, 1, 2, 3, 0, 0, 1, /**/
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, /**/ 0, 0, 1, 2, 3, 4, 5, 6, 7, 0 };

static void test_gradient_documents(void **state)
{
	(void)state;
	check_gradient(false, places);
}

static void expect_near(const lk_real *got, const lk_real *want, size_t n)
{
	double worst = 0;

	for (size_t i = 0; i < n; i++) {
		double off = fabs((double)(got[i] - want[i])) / (fabs((double)want[i]) + 1);

		worst = off > worst ? off : worst;
	}
	print_message("# worst difference %.2g\n", worst);
	if (worst > (tiny_is_bf16() ? 1e-2 : in_double ? 1e-13 : 1e-5))
		fail_msg("they differ by %.3g", worst);
}

/* Documents behind one another in a sample give the values of the documents one by one, each at the
 * start of a sequence. */
static void test_documents(void **state)
{
	lk_real together[TINY_ROWS], alone[TINY_ROWS], *sum, *one, *want;
	struct lt_model *m;
	struct lu_err err;
	struct lt_batch b;
	struct tiny t, u;
	size_t n;

	(void)state;
	tiny_open(&t, 1, false);
	n = t.w->table.total;
	sum = calloc(n, sizeof(*sum));
	one = calloc(n, sizeof(*one));
	want = calloc(n, sizeof(*want));
	assert_true(sum && one && want);
	m = open_model(&t, LT_MODEL_TRAIN);
	b = tiny_batch(&t);
	b.places = places;
	gradient(&t, m, &b, want);
	ok(lt_model_score(m, &b, TINY_BATCH, together, &err), &err);
	for (size_t first = 0, end; first < TINY_ROWS; first = end) {
		lk_real log_p[TINY_ROWS];

		for (end = first + 1; end < TINY_ROWS && places[end] != 0; end++)
			;
		u = t;
		memset(u.weight, 0, sizeof(u.weight));
		for (size_t i = first; i < end; i++) {
			u.ids[i - first] = t.ids[i];
			u.labels[i - first] = t.labels[i];
			u.weight[i - first] = t.weight[i];
		}
		b = tiny_batch(&u);
		gradient(&u, m, &b, one);
		for (size_t i = 0; i < n; i++)
			sum[i] += one[i];
		ok(lt_model_score(m, &b, 1, log_p, &err), &err);
		memcpy(alone + first, log_p, (end - first) * sizeof(*alone));
	}
	expect_near(together, alone, TINY_ROWS);
	expect_near(want, sum, n);
	/* The places matter. */
	b = tiny_batch(&t);
	ok(lt_model_score(m, &b, TINY_BATCH, alone, &err), &err);
	assert_true(fabs((double)(together[TINY_ROWS - 1] - alone[TINY_ROWS - 1])) > 1e-3);
	free(sum);
	free(one);
	free(want);
	lt_model_close(m);
	tiny_close(&t);
}

/* Weights of ones have the bits of none. */
static void test_weights(void **state)
{
	struct lt_model *m;
	struct lt_batch b;
	struct tiny t;
	lk_real *a, *c;
	double with, without;
	size_t n;

	(void)state;
	tiny_open(&t, 1, false);
	n = t.w->table.total;
	a = malloc(n * sizeof(*a));
	c = malloc(n * sizeof(*c));
	assert_true(a && c);
	m = open_model(&t, LT_MODEL_TRAIN);
	for (size_t i = 0; i < TINY_ROWS; i++)
		t.weight[i] = 1;
	b = tiny_batch(&t);
	gradient(&t, m, &b, a);
	tiny_read_loss(&t, 1, &with);
	b.weight = NULL;
	gradient(&t, m, &b, c);
	tiny_read_loss(&t, 1, &without);
	assert_memory_equal(a, c, n * sizeof(*a));
	assert_true(with == without);
	assert_true(fabs(with / TINY_ROWS - loss_of(&t, m, &b)) < 1e-5);
	/* A weight of 2 counts a label twice. */
	for (size_t i = 0; i < TINY_ROWS; i++)
		t.weight[i] = 2;
	b = tiny_batch(&t);
	gradient(&t, m, &b, c);
	tiny_read_loss(&t, 1, &with);
	assert_true(with == 2 * without);
	for (size_t i = 0; i < n; i++)
		a[i] *= 2;
	assert_memory_equal(a, c, n * sizeof(*a));
	free(a);
	free(c);
	lt_model_close(m);
	tiny_close(&t);
}

struct bits {
	lk_real *out; /* malloc'd */
	size_t bytes;
};

static int compute_bits(void *ctx)
{
	struct bits *b = ctx;
	struct lt_batch batch;
	struct lt_model *m;
	struct tiny t;

	tiny_open(&t, 1, false);
	batch = tiny_batch(&t);
	b->bytes = t.w->table.total * sizeof(lk_real);
	m = open_model(&t, LT_MODEL_TRAIN);
	b->out = malloc(b->bytes);
	assert_non_null(b->out);
	gradient(&t, m, &batch, b->out);
	lt_model_close(m);
	tiny_close(&t);
	return 0;
}

/* The number of threads does not change the bits. */
static void test_threads(void **state)
{
	static const int threads[] = { 2, 1, 3 };
	struct bits want = { .out = NULL };

	(void)state;
	compute_bits(&want); /* outside of a team */
	for (size_t i = 0; i < 3; i++) {
		struct bits got = { .out = NULL };

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
	struct lt_model_plan plan = tiny_plan(LT_MODEL_DECODE);
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 0, false);
	plan.batch = 1;
	ok(lt_model_open(&m, t.w, &plan, &err), &err);
	ok(lt_model_logits(m, t.ids, 0, TINY_CONTEXT, true, whole[0], &err), &err);
	for (size_t c = 0; c < 3; c++) {
		for (size_t at = 0, k = 0; at < TINY_CONTEXT && k < 4 && cuts[c][k]; k++) {
			ok(lt_model_logits(m, t.ids + at, at, cuts[c][k], false, piece, &err),
					&err);
			at += cuts[c][k];
			for (size_t v = 0; v < TINY_VOCAB; v++)
				assert_true(fabs((double)(piece[v] - whole[at - 1][v])) <
						(tiny_is_bf16() ? 1e-2 : 1e-5));
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
	struct lt_batch batch;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	batch = tiny_batch(&t);
	train = open_model(&t, LT_MODEL_TRAIN);
	score = open_model(&t, LT_MODEL_SCORE);
	ok(lt_model_score(train, &batch, TINY_BATCH, a, &err), &err);
	ok(lt_model_score(score, &batch, TINY_BATCH, b, &err), &err);
	assert_memory_equal(a, b, sizeof(a));
	/* In the calls of a pipeline. */
	memset(b, 0, sizeof(b));
	ok(lt_model_forward(train, 0, 0, &batch, &err), &err);
	ok(lt_model_log_p(train, 0, 0, &batch, b, &err), &err);
	assert_memory_equal(a, b, sizeof(a));
	/* Fewer sequences than the batch. */
	memset(b, 0, sizeof(b));
	ok(lt_model_score(score, &batch, 1, b, &err), &err);
	for (size_t i = 0; i < TINY_CONTEXT; i++)
		assert_true(fabs((double)(a[i] - b[i])) < 1e-5);
	assert_true(b[TINY_CONTEXT] == 0);
	lt_model_close(train);
	lt_model_close(score);
	tiny_close(&t);
}

static void test_overfit(void **state)
{
	struct lt_hyper h = { 0.9, 0.95, 1e-8, 0, 1, 0 };
	struct lt_pass pass = { .first = true, .last = true };
	struct lt_update u;
	struct lt_model *m;
	struct lt_batch b;
	struct lu_err err;
	struct tiny t;
	double first, last;

	(void)state;
	tiny_open(&t, 1, false);
	pass.sums = t.loss;
	pass.stride = 1;
	/* Distinct tokens in each row, so that the model can memorise the batch. */
	for (size_t i = 0; i < TINY_ROWS; i++)
		t.ids[i] = (uint32_t)(i % TINY_VOCAB);
	b = tiny_batch(&t);
	m = open_model(&t, LT_MODEL_TRAIN);
	first = loss_of(&t, m, &b);
	for (uint64_t step = 1; step <= 150; step++) {
		double mean = loss_of(&t, m, &b);

		ok(lt_optimizer_begin(t.o, &h, 0.02, step, 1, &err), &err);
		ok(lt_model_forward(m, 0, 0, &b, &err), &err);
		ok(lt_model_backward(m, 0, 0, &b, lt_model_gradient(m, 0), &pass, &err), &err);
		ok(lt_optimizer_update(t.o, &h, t.loss, 1, &u, &err), &err);
		assert_true(u.finite);
		assert_true(u.weights == scored(&t));
		assert_true(fabs(u.loss / u.weights - mean) < 1e-4);
	}
	last = loss_of(&t, m, &b);
	print_message("# loss %.3f, after 150 steps on one batch %.4f\n", first, last);
	assert_true(first > 3 && last < 0.02);
	lt_model_close(m);
	tiny_close(&t);
}

static void test_bad_batch(void **state)
{
	uint32_t place[TINY_ROWS] = { 0 };
	struct lt_batch b;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	b = tiny_batch(&t);
	b.places = place;
	place[13] = 3;
	ok(lt_batch_check(&b, TINY_ROWS, TINY_CONTEXT, TINY_VOCAB, &err), &err);
	place[13] = 4;
	assert_int_equal(lt_batch_check(&b, TINY_ROWS, TINY_CONTEXT, TINY_VOCAB, &err), -1);
	assert_non_null(strstr(err.msg, "token 3 of a sample has place 4"));
	place[13] = 3;
	t.ids[5] = TINY_VOCAB;
	assert_int_equal(lt_batch_check(&b, TINY_ROWS, TINY_CONTEXT, TINY_VOCAB, &err), -1);
	assert_non_null(strstr(err.msg, "token 37"));
	t.ids[5] = 0;
	t.labels[6] = TINY_VOCAB + 1;
	assert_int_equal(lt_batch_check(&b, TINY_ROWS, TINY_CONTEXT, TINY_VOCAB, &err), -1);
	assert_non_null(strstr(err.msg, "label 38"));
	tiny_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gradient),
		cmocka_unit_test(test_gradient_tied),
		cmocka_unit_test(test_gradient_documents),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_overfit),
		cmocka_unit_test(test_bad_batch),
		TINY_BF16(test_documents),
		TINY_BF16(test_weights),
		TINY_BF16(test_threads),
		TINY_BF16(test_decode),
		TINY_BF16(test_score),
		TINY_BF16(test_overfit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
