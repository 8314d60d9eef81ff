#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/cuda/reserve.h"

enum { UNITS = 500, PARTS = 200 };

/* Parts do not overlap, and when all are given back there is one hole again. */
static void test_parts(void **state)
{
	struct lk_reserve a;
	uint64_t at[PARTS], z = 1;
	unsigned char owner[UNITS] = { 0 };
	size_t size[PARTS] = { 0 };

	(void)state;
	assert_int_equal(lk_reserve_init(&a, UNITS * LK_RESERVE_ALIGN + 100), 0);
	for (size_t step = 0; step < 20000; step++) {
		size_t i = (z >> 33) % PARTS, units = 1 + (z >> 45) % 9;

		z = z * 6364136223846793005u + 1442695040888963407u;
		for (size_t u = 0; size[i] != 0 && u < size[i]; u++)
			assert_int_equal(owner[at[i] / LK_RESERVE_ALIGN + u], i + 1);
		if (size[i] != 0) {
			for (size_t u = 0; u < size[i]; u++)
				owner[at[i] / LK_RESERVE_ALIGN + u] = 0;
			size[i] = 0;
			assert_int_equal(lk_reserve_give(&a, at[i]), 0);
			assert_int_equal(lk_reserve_give(&a, at[i]), -1);
			continue;
		}
		at[i] = lk_reserve_take(&a, units * LK_RESERVE_ALIGN - z % LK_RESERVE_ALIGN);
		if (at[i] == LK_RESERVE_NONE) {
			assert_true(lk_reserve_largest(&a) < units * LK_RESERVE_ALIGN);
			continue;
		}
		size[i] = units;
		for (size_t u = 0; u < units; u++) {
			assert_true(at[i] / LK_RESERVE_ALIGN + u < UNITS);
			assert_int_equal(owner[at[i] / LK_RESERVE_ALIGN + u], 0);
			owner[at[i] / LK_RESERVE_ALIGN + u] = (unsigned char)(i + 1);
		}
	}
	for (size_t i = 0; i < PARTS; i++)
		if (size[i] != 0)
			assert_int_equal(lk_reserve_give(&a, at[i]), 0);
	assert_true(a.n == 1 && a.taken == 0);
	assert_true(lk_reserve_largest(&a) == UNITS * LK_RESERVE_ALIGN);
	lk_reserve_release(&a);
}

static void test_limits(void **state)
{
	struct lk_reserve a;

	(void)state;
	assert_int_equal(lk_reserve_init(&a, 2 * LK_RESERVE_ALIGN), 0);
	assert_true(lk_reserve_take(&a, UINT64_MAX) == LK_RESERVE_NONE);
	assert_true(lk_reserve_take(&a, 2 * LK_RESERVE_ALIGN + 1) == LK_RESERVE_NONE);
	assert_true(lk_reserve_take(&a, 0) == 0);
	assert_true(lk_reserve_take(&a, 1) == LK_RESERVE_ALIGN);
	assert_true(lk_reserve_take(&a, 0) == LK_RESERVE_NONE);
	assert_int_equal(lk_reserve_give(&a, 1), -1);
	assert_int_equal(lk_reserve_give(&a, 0), 0);
	assert_true(lk_reserve_take(&a, LK_RESERVE_ALIGN) == 0);
	lk_reserve_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("kernels/reserve", tests, NULL, NULL);
}
