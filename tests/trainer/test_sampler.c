#include "tests/trainer/tiny.h"

#include <math.h>

#include "libcommon/base/rng.h"
#include "trainer/model/sampler.h"

enum { VOCAB = 5, LARGE = 3000 };

/* Probabilities 0.4, 0.1, 0.2, 0.2, 0.1 at temperature 1. */
static const double probability[VOCAB] = { 0.4, 0.1, 0.2, 0.2, 0.1 };
static lk_real logits[VOCAB];

static struct lt_sampler *open_sampler(void)
{
	struct lt_sampler *s;
	struct lu_err err;

	for (size_t i = 0; i < VOCAB; i++)
		logits[i] = (lk_real)log(probability[i]);
	ok(lt_sampler_new(&s, VOCAB, &err), &err);
	return s;
}

static uint32_t sample(struct lt_sampler *s, double temperature, double top_p, double u)
{
	const struct lt_sampling how = { .temperature = temperature, .top_p = top_p };

	return lt_sample(s, logits, &how, u);
}

static void test_greedy(void **state)
{
	const lk_real equal[VOCAB] = { 1, 2, 3, 3, 3 };
	struct lt_sampler *s = open_sampler();

	(void)state;
	assert_int_equal(sample(s, 0, 1, 0.99), 0);
	assert_int_equal(lt_sample(s, equal, &LT_GREEDY, 0.99), 2);
	lt_sampler_free(s);
}

/* Tokens are drawn in descending probability, equal ones by id. */
static void test_distribution(void **state)
{
	static const struct {
		double u;
		uint32_t want;
	} cases[] = { { 0, 0 }, { 0.39, 0 }, { 0.41, 2 }, { 0.59, 2 }, { 0.61, 3 }, { 0.81, 1 },
		{ 0.91, 4 }, { 0.999999, 4 } };
	struct lt_sampler *s = open_sampler();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(sample(s, 1, 1, cases[i].u), cases[i].want);
	/* Half the temperature squares the probabilities: 0.16 of 0.26 for token 0. */
	assert_int_equal(sample(s, 0.5, 1, 0.61), 0);
	assert_int_equal(sample(s, 0.5, 1, 0.62), 2);
	lt_sampler_free(s);
}

/* The smallest set that reaches top_p, renormalised: 0.4 and 0.2 for 0.5; the best one for 0. */
static void test_top_p(void **state)
{
	struct lt_sampler *s = open_sampler();

	(void)state;
	assert_int_equal(sample(s, 1, 0.5, 0.66), 0);
	assert_int_equal(sample(s, 1, 0.5, 0.67), 2);
	assert_int_equal(sample(s, 1, 0.5, 0.999999), 2);
	assert_int_equal(sample(s, 1, 0, 0.999999), 0);
	lt_sampler_free(s);
}

static void test_top_k(void **state)
{
	struct lt_sampling how = { .temperature = 1, .top_p = 1, .top_k = 2 };
	struct lt_sampler *s = open_sampler();

	(void)state;
	/* 0.4 and 0.2 of 0.6. */
	assert_int_equal(lt_sample(s, logits, &how, 0.66), 0);
	assert_int_equal(lt_sample(s, logits, &how, 0.67), 2);
	/* top-p is of what top-k left: 0.4 is 0.67 of it. */
	how.top_p = 0.66;
	assert_int_equal(lt_sample(s, logits, &how, 0.999999), 0);
	lt_sampler_free(s);
}

static void test_min_p(void **state)
{
	struct lt_sampling how = { .temperature = 1, .top_p = 1, .min_p = 0.49 };
	struct lt_sampler *s = open_sampler();

	(void)state;
	/* Those of at least 0.196: 0.4, 0.2, 0.2. */
	assert_int_equal(lt_sample(s, logits, &how, 0.49), 0);
	assert_int_equal(lt_sample(s, logits, &how, 0.74), 2);
	assert_int_equal(lt_sample(s, logits, &how, 0.999999), 3);
	how.min_p = 1;
	assert_int_equal(lt_sample(s, logits, &how, 0.999999), 0);
	lt_sampler_free(s);
}

static void test_penalty(void **state)
{
	const uint32_t ids[] = { 0, 2, 0, 0 };
	lk_real row[VOCAB] = { 3, -1, -2, 0.5, 1 };
	struct lt_sampler *s = open_sampler();

	(void)state;
	for (int again = 0; again < 2; again++) {
		lt_penalise(s, row, ids, 4, 2);
		assert_true((double)row[0] == (again ? 0.75 : 1.5) && row[2] == (again ? -8 : -4));
		assert_true(row[1] == -1 && row[4] == 1);
	}
	lt_sampler_free(s);
}

static void test_log_softmax(void **state)
{
	(void)state;
	lt_sampler_free(open_sampler());
	for (uint32_t i = 0; i < VOCAB; i++)
		assert_true(fabs(lt_log_softmax(logits, VOCAB, i) - log(probability[i])) < 1e-6);
}

/* --- a plain definition: sort everything ------------------------------------------------------- */

struct plain {
	double p;
	uint32_t id;
};

static int descending(const void *a, const void *b)
{
	const struct plain *x = a, *y = b;

	if (x->p != y->p)
		return x->p > y->p ? -1 : 1;
	return x->id < y->id ? -1 : 1;
}

static uint32_t plain_sample(const lk_real *row, const struct lt_sampling *how, double u)
{
	static struct plain c[LARGE];
	double max = -INFINITY, sum = 0, kept = 0, run = 0;
	size_t n = how->top_k ? how->top_k : LARGE, keep = 0;

	for (size_t i = 0; i < LARGE; i++)
		max = fmax(max, (double)row[i]);
	for (uint32_t i = 0; i < LARGE; i++)
		c[i] = (struct plain){ exp(((double)row[i] - max) / how->temperature), i };
	qsort(c, LARGE, sizeof(c[0]), descending);
	for (size_t i = 0; i < n; i++)
		sum += c[i].p;
	while (keep < n && c[keep].p > 0 &&
			(keep == 0 || (kept < how->top_p * sum && c[keep].p >= how->min_p)))
		kept += c[keep++].p;
	for (size_t i = 0; i < keep; i++) {
		run += c[i].p;
		if (u * kept < run)
			return c[i].id;
	}
	return c[keep - 1].id;
}

static void test_large(void **state)
{
	static const struct lt_sampling ways[] = { { .temperature = 1, .top_p = 1 },
		{ .temperature = 1, .top_p = 0.9 }, { .temperature = 0.3, .top_p = 1, .top_k = 40 },
		{ .temperature = 2, .top_p = 0.5, .top_k = 700, .min_p = 0.01 },
		{ .temperature = 1, .top_p = 1, .min_p = 0.05 } };
	static lk_real row[LARGE];
	struct lt_sampler *s;
	struct lu_err err;

	(void)state;
	ok(lt_sampler_new(&s, LARGE, &err), &err);
	for (uint64_t n = 0; n < 60; n++) {
		for (size_t i = 0; i < LARGE; i++) {
			double z[2];

			lu_rand_normal2(n, 0, i, z);
			/* Some are equal, some ruled out. */
			row[i] = z[1] > 2 ? LT_RULED_OUT
					  : (lk_real)(floor(z[0] * 50) / 50 * (double)(n % 7));
		}
		for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
			double u = lu_rand_double(n, 1, w);

			assert_int_equal(lt_sample(s, row, &ways[w], u),
					plain_sample(row, &ways[w], u));
		}
	}
	lt_sampler_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greedy),
		cmocka_unit_test(test_distribution),
		cmocka_unit_test(test_top_p),
		cmocka_unit_test(test_top_k),
		cmocka_unit_test(test_min_p),
		cmocka_unit_test(test_penalty),
		cmocka_unit_test(test_log_softmax),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
