/* run/stop.h: when a run should stop by its time limit or by the end of its job. */
#include "tests/unit/unit.h"

#include "trainer/run/stop.h"

/* lt_stop_seconds() at the time 1000; -1: refused. */
static double seconds(const char *limit, const char *margin, const char *job_end)
{
	struct lu_err err;
	double s;

	return lt_stop_seconds(limit, margin, job_end, 1000, &s, &err) < 0 ? -1 : s;
}

static void test_limit(void **state)
{
	(void)state;
	assert_true(seconds(NULL, NULL, NULL) == 0);
	assert_true(seconds("20h", NULL, NULL) == 72000);
	assert_true(seconds("0", NULL, NULL) == 0);
	/* Given, it counts and not the job. */
	assert_true(seconds("20h", NULL, "1100") == 72000);
	assert_true(seconds("0", NULL, "1100") == 0);
	assert_true(seconds("never", NULL, NULL) == -1);
}

static void test_end_of_job(void **state)
{
	(void)state;
	/* A tenth is kept, up to ten minutes. */
	assert_true(seconds(NULL, NULL, "1100") == 90);
	assert_true(seconds(NULL, NULL, "4000") == 2700);
	assert_true(seconds(NULL, NULL, "7000") == 5400);
	assert_true(seconds(NULL, NULL, "73000") == 71400);
	assert_true(seconds(NULL, "30m", "73000") == 70200);
	assert_true(seconds(NULL, "0", "73000") == 72000);
	/* Over, or not known. */
	assert_true(seconds(NULL, NULL, "1000") == 0);
	assert_true(seconds(NULL, NULL, "7") == 0);
	assert_true(seconds(NULL, NULL, "") == 0);
	assert_true(seconds(NULL, "30m", "7") == 0);
	assert_true(seconds(NULL, "30m", NULL) == 0);
	/* Nothing is left, or it is no time. */
	assert_true(seconds(NULL, "30m", "2800") == -1);
	assert_true(seconds(NULL, "x", "2800") == -1);
	assert_true(seconds(NULL, NULL, "tomorrow") == -1);
}

static void test_clock(void **state)
{
	(void)state;
	assert_false(lt_stop_asked());
	lt_stop_install(true);
	lt_stop_limit(3600);
	assert_false(lt_stop_asked());
	lt_stop_limit(0);
	assert_false(lt_stop_asked());
	lt_stop_limit(1e-9);
	assert_true(lt_stop_asked());
	/* Once asked, always asked. */
	lt_stop_limit(0);
	assert_true(lt_stop_asked());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_end_of_job),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
