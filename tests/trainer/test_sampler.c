#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/model/sampler.h"

enum { VOCAB = 5 };

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

static void test_greedy(void **state)
{
	const lk_real equal[VOCAB] = { 1, 2, 3, 3, 3 };
	struct lt_sampler *s = open_sampler();

	(void)state;
	assert_int_equal(lt_sample(s, logits, 0, 1, 0.99), 0);
	assert_int_equal(lt_sample(s, equal, 0, 1, 0.99), 2);
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
		assert_int_equal(lt_sample(s, logits, 1, 1, cases[i].u), cases[i].want);
	/* Half the temperature squares the probabilities: 0.16 of 0.26 for token 0. */
	assert_int_equal(lt_sample(s, logits, 0.5, 1, 0.61), 0);
	assert_int_equal(lt_sample(s, logits, 0.5, 1, 0.62), 2);
	lt_sampler_free(s);
}

/* The smallest set that reaches top_p, renormalised: 0.4 and 0.2 for 0.5; the best one for 0. */
static void test_top_p(void **state)
{
	struct lt_sampler *s = open_sampler();

	(void)state;
	assert_int_equal(lt_sample(s, logits, 1, 0.5, 0.66), 0);
	assert_int_equal(lt_sample(s, logits, 1, 0.5, 0.67), 2);
	assert_int_equal(lt_sample(s, logits, 1, 0.5, 0.999999), 2);
	assert_int_equal(lt_sample(s, logits, 1, 0, 0.999999), 0);
	lt_sampler_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greedy),
		cmocka_unit_test(test_distribution),
		cmocka_unit_test(test_top_p),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
