/* Batch ramp and learning rate: published numbers of the Lucie-7B run, and boundary cases. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/run/schedule.h"

#define LUCIE_SAMPLES 762144586

static struct lt_schedule lucie(void)
{
	struct lt_schedule s = { .batch = 1024,
		.samples = LUCIE_SAMPLES,
		.decay = LT_COSINE,
		.lr = 3e-4,
		.lr_min = 3e-5,
		.warmup = 2000000 };
	struct lu_err err;

	ok(lt_schedule_ramp(&s, "256 64 10000000", 64, &err), &err);
	return s;
}

static void test_ramp_counts(void **state)
{
	/* Steps and tokens as published; a sample is 4096 tokens. */
	static const uint64_t golden[][2] = { { 5000, 5700059136 }, { 10000, 13884194816 },
		{ 15000, 26008354816 }, { 20000, 43747901440 }, { 22818, 55567450112 },
		{ 753851, 3121742086144 } };
	struct lt_schedule s = lucie();
	uint64_t consumed = 0, steps = 0, batch;
	size_t next = 0;

	(void)state;
	while ((batch = lt_schedule_batch(&s, consumed)) > 0) {
		consumed += batch;
		steps++;
		if (next < 6 && steps == golden[next][0]) {
			assert_int_equal(consumed * 4096, golden[next][1]);
			assert_int_equal(lt_schedule_samples(&s, steps), consumed);
			assert_int_equal(lt_schedule_left(&s, consumed), 753851 - steps);
			next++;
		}
	}
	assert_int_equal(next, 6);
	assert_int_equal(steps, 753851);
	assert_int_equal(lt_schedule_steps(&s), steps);
	assert_int_equal(consumed, 762144064);
}

static void near(double got, double want)
{
	if (fabs(got - want) > 5e-5 * fabs(want))
		fail_msg("%.10g, not %.10g", got, want);
}

static void test_lucie_rates(void **state)
{
	struct lt_schedule s = lucie(),
			   linear = {
				   .batch = 128, .samples = 156250, .decay = LT_LINEAR, .lr = 3e-5
			   };
	/* Steps, tokens and learning rates from the run's logs, whose rates are fp32. All of them
	 * are compared in test_schedule_logs.c. */
	static const struct {
		uint64_t step, tokens;
		float lr;
	} golden[] = { { 1865, 1955594240, 7.16159993e-5F }, { 3790, 4114087936, 1.50662396e-4F },
		{ 7402, 9252634624, 2.99999927e-4F }, { 11655, 17390895104, 2.99994193e-4F },
		{ 96400, 364192727040, 2.91383738e-4F }, { 375882, 1536425197568, 1.68887461e-4F },
		{ 656975, 2715414691840, 4.11880937e-5F },
		{ 753851, 3121742086144, 2.99999992e-5F } };

	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		uint64_t samples = lt_schedule_samples(&s, golden[i].step);
		float got = (float)lt_schedule_lr(&s, samples);

		assert_int_equal(samples * 4096, golden[i].tokens);
		assert_memory_equal(&got, &golden[i].lr, sizeof(got));
	}
	near(lt_schedule_lr(&linear, 25 * 128), 2.93856e-5);
	near(lt_schedule_lr(&linear, 1220 * 128), 1.728e-8);
	assert_int_equal(lt_schedule_steps(&linear), 1220);
}

static void test_shapes(void **state)
{
	struct lt_schedule s = { .batch = 10,
		.samples = 1000,
		.decay = LT_WSD,
		.lr = 1,
		.lr_min = 0.1,
		.warmup = 100,
		.cooldown = 200 };

	(void)state;
	near(lt_schedule_lr(&s, 50), 0.5);
	near(lt_schedule_lr(&s, 100), 1);
	near(lt_schedule_lr(&s, 800), 1);
	near(lt_schedule_lr(&s, 900), 0.55);
	near(lt_schedule_lr(&s, 1000), 0.1);
	s.decay_type = LT_DECAY_SQRT;
	near(lt_schedule_lr(&s, 800), 1);
	near(lt_schedule_lr(&s, 850), 0.55);
	near(lt_schedule_lr(&s, 928), 0.1 + 0.9 * 0.2);
	near(lt_schedule_lr(&s, 1000), 0.1);
	s.decay_type = LT_DECAY_COSINE;
	near(lt_schedule_lr(&s, 900), 0.55);
	near(lt_schedule_lr(&s, 1000), 0.1);
	s.decay = LT_CONSTANT;
	near(lt_schedule_lr(&s, 1000), 1);
	s.decay = LT_COSINE;
	near(lt_schedule_lr(&s, 550), 0.55);
	near(lt_schedule_lr(&s, 1000), 0.1);
	s.decay = LT_LINEAR;
	near(lt_schedule_lr(&s, 550), 0.55);
	s.warmup = 0;
	near(lt_schedule_lr(&s, 0), 1);
}

static void test_ends(void **state)
{
	struct lt_schedule s = { .batch = 16, .samples = 100 };

	(void)state;
	/* The rest is less than a step. */
	assert_int_equal(lt_schedule_steps(&s), 6);
	assert_int_equal(lt_schedule_batch(&s, 80), 16);
	assert_int_equal(lt_schedule_batch(&s, 96), 0);
	assert_int_equal(lt_schedule_batch(&s, 100), 0);
	assert_int_equal(lt_schedule_batch(&s, 200), 0);
	s.samples = 8;
	assert_int_equal(lt_schedule_steps(&s), 0);
}

/* Steps until so many samples, against stepping. */
static void test_reach(void **state)
{
	struct lt_schedule s = {
		.batch = 8, .ramp_start = 2, .ramp_step = 3, .ramp_samples = 20, .samples = 1000
	};

	(void)state;
	for (int ramp = 1; ramp >= 0; ramp--) {
		if (!ramp)
			s.ramp_step = 0;
		for (uint64_t want = 0; want < 100; want++) {
			uint64_t consumed = 0, steps = 0, reached;

			for (; consumed < want; steps++)
				consumed += lt_schedule_batch(&s, consumed);
			assert_int_equal(lt_schedule_reach(&s, want, &reached), steps);
			assert_int_equal(reached, consumed);
		}
	}
}

static void test_bad_ramps(void **state)
{
	static const struct {
		const char *text;
		uint64_t batch, unit;
	} bad[] = { { "256 64", 1024, 64 }, { "256 64 10 10", 1024, 64 }, { "256 100 10", 1024, 4 },
		{ "256 64 1000", 1024, 48 }, { "2048 64 1000", 1024, 64 },
		{ "0 64 1000", 1024, 64 }, { "256 0 1000", 1024, 64 }, { "256 64 0", 1024, 64 },
		{ "a b c", 1024, 64 }, { "", 1000, 64 },
		{ "256 64 18446744073709551615", 1024, 64 } };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lt_schedule s = { .batch = bad[i].batch };

		err.msg[0] = '\0';
		assert_int_equal(lt_schedule_ramp(&s, bad[i].text, bad[i].unit, &err), -1);
		assert_true(err.msg[0]);
	}
}

/* What does not fit into the phase is refused, what just fits is not. */
static void test_check(void **state)
{
	static const struct {
		struct lt_schedule s;
		const char *says; /* NULL: accepted */
	} cases[] = {
		{ { .batch = 4, .samples = 4 }, NULL },
		{ { .batch = 4, .samples = 3 }, "3 samples are fewer than one step of 4" },
		{ { .batch = 4, .samples = 40, .warmup = 40 }, NULL },
		{ { .batch = 4, .samples = 40, .warmup = 41 }, "train.warmup = 41" },
		{ { .batch = 4, .samples = 40, .decay = LT_WSD, .warmup = 10, .cooldown = 30 },
				NULL },
		{ { .batch = 4, .samples = 40, .decay = LT_WSD, .warmup = 10, .cooldown = 31 },
				"train.cooldown = 31" },
		{ { .batch = 4, .samples = 40, .decay = LT_WSD, .cooldown = UINT64_MAX },
				"train.cooldown" },
		{ { .batch = 4,
				  .ramp_start = 2,
				  .ramp_step = 2,
				  .ramp_samples = 40,
				  .samples = 40 },
				NULL },
		{ { .batch = 4,
				  .ramp_start = 2,
				  .ramp_step = 2,
				  .ramp_samples = 41,
				  .samples = 40 },
				"train.ramp: 41" },
		{ { .batch = 4, .samples = 4, .decay = LT_COSINE, .lr = 1e-5, .lr_min = 1e-4 },
				"train.lr_min = 0.0001 is more than train.lr = 1e-05" },
		{ { .batch = 4, .samples = 4, .decay = LT_COSINE, .lr = 1e-4, .lr_min = 1e-4 },
				NULL },
		{ { .batch = 4, .samples = 4, .decay = LT_CONSTANT, .lr = 1e-5, .lr_min = 1e-4 },
				NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_err err = { .msg = "accepted" };
		int rc = lt_schedule_check(&cases[i].s, &err);

		assert_int_equal(rc, cases[i].says ? -1 : 0);
		if (rc < 0 && !strstr(err.msg, cases[i].says))
			fail_msg("case %zu: '%s' does not say '%s'", i, err.msg, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ramp_counts),
		cmocka_unit_test(test_lucie_rates),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_bad_ramps),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
