/* The limit of a step's norm: the median of the window, which moves. */
#include "tests/trainer/tiny.h"

#include "trainer/run/spike.h"

static void test_window(void **state)
{
	struct lt_spike s = { 0 };

	(void)state;
	for (int i = 1; i < LT_SPIKE_LEAST; i++) {
		lt_spike_add(&s, i);
		assert_true(lt_spike_limit(&s, 2) == 0);
	}
	lt_spike_add(&s, LT_SPIKE_LEAST);
	/* 1 .. 32: between 16 and 17. */
	assert_true(lt_spike_limit(&s, 2) == LT_SPIKE_LEAST + 1);
	assert_true(lt_spike_limit(&s, 0) == 0);
	lt_spike_add(&s, 1e9);
	assert_true(lt_spike_limit(&s, 1) == LT_SPIKE_LEAST / 2 + 1);
	/* What is older than the window does not count, and the order does not matter. */
	for (int i = 0; i < LT_SPIKE_WINDOW; i++)
		lt_spike_add(&s, i % 2 ? 7 : 3);
	assert_int_equal(s.n, LT_SPIKE_WINDOW);
	assert_true(lt_spike_limit(&s, 1) == 5);
	lt_spike_add(&s, 7);
	assert_true(lt_spike_limit(&s, 1) == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_window) };

	return cmocka_run_group_tests_name("trainer/spike", tests, NULL, NULL);
}
