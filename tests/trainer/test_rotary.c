/* Frequencies of rotary positions against those of transformers, which make_rotary_golden.py has written
 * to tests/data/rotary.tsv, in fp32. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/model/rotary.h"

static enum lt_rope_scaling type_of(const char *name)
{
	for (int t = LT_ROPE_NONE; t <= LT_ROPE_LLAMA3; t++) {
		if (strcmp(lt_rope_name((enum lt_rope_scaling)t), name) == 0)
			return (enum lt_rope_scaling)t;
	}
	fail_msg("no type '%s'", name);
	return LT_ROPE_NONE;
}

static void test_golden(void **state)
{
	FILE *f = fopen("tests/data/rotary.tsv", "r");
	struct lt_shape s = { 0 };
	double got[64], want, worst = 0;
	size_t cases = 0;
	char name[16];

	(void)state;
	assert_non_null(f);
	while (fscanf(f, "%15s %zu %lf %lf %lf %lf %zu", name, &s.dim, &s.rope_theta,
			       &s.rope_factor, &s.rope_low, &s.rope_high, &s.rope_original) == 7) {
		s.rope_scaling = type_of(name);
		assert_true(s.dim / 2 <= sizeof(got) / sizeof(got[0]));
		lt_rope_frequencies(&s, got);
		for (size_t i = 0; i < s.dim / 2; i++) {
			assert_int_equal(fscanf(f, "%lf", &want), 1);
			worst = fmax(worst, fabs(got[i] - want) / want);
		}
		cases++;
	}
	fclose(f);
	assert_int_equal(cases, 6);
	/* fp32 of a power that is fp32 itself. */
	if (worst > 1e-6)
		fail_msg("frequencies differ by up to %g", worst);
}

/* The rules at their borders, in whole numbers. */
static void test_rules(void **state)
{
	struct lt_shape shape = {
		.dim = 8, .rope_theta = 100, .rope_scaling = LT_ROPE_LINEAR, .rope_factor = 4
	};
	double scaled[4], plain[4];

	(void)state;
	lt_rope_frequencies(&shape, scaled);
	shape.rope_scaling = LT_ROPE_NONE;
	lt_rope_frequencies(&shape, plain);
	for (size_t i = 0; i < 4; i++)
		assert_true(scaled[i] == plain[i] / 4);
	/* The longest wavelength, 100^(3/4) * 2 pi = 199, is past 100 / low, the shortest within. */
	shape.rope_scaling = LT_ROPE_LLAMA3;
	shape.rope_low = 1;
	shape.rope_high = 4;
	shape.rope_original = 100;
	lt_rope_frequencies(&shape, scaled);
	assert_true(scaled[0] == plain[0] && scaled[3] == plain[3] / 4);
	assert_true(scaled[2] < plain[2] && scaled[2] > plain[2] / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden),
		cmocka_unit_test(test_rules) };

	return cmocka_run_group_tests_name("trainer/rotary", tests, NULL, NULL);
}
