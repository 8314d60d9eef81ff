#include "tests/kernels/lk_test.h"

static void test_memory(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_queue *q;
		struct lk_err err;
		unsigned char *a, *b, h[100];

		assert_int_equal(ops->open(&q, 0, &err), 0);
		a = ops->alloc(q, 100);
		b = ops->alloc(q, 100);
		assert_true(a && b && (uintptr_t)a % 64 == 0);
		for (size_t i = 0; i < 100; i++)
			h[i] = (unsigned char)i;
		assert_int_equal(ops->copy(q, a, h, 100, LK_H2D), 0);
		assert_int_equal(ops->copy(q, b, a, 100, LK_D2D), 0);
		assert_int_equal(ops->zero(q, b + 10, 80), 0);
		assert_int_equal(ops->copy(q, h, b, 100, LK_D2H), 0);
		assert_int_equal(ops->sync(q), 0);
		for (size_t i = 0; i < 100; i++)
			assert_int_equal(h[i], i < 10 || i >= 90 ? i : 0);
		ops->free(q, a);
		ops->free(q, b);
		ops->free(q, NULL);
		a = ops->alloc(q, 0);
		assert_non_null(a);
		ops->free(q, a);
		assert_null(ops->alloc(q, SIZE_MAX / 2));
		assert_true(strlen(ops->message(q)) > 10);
		ops->close(q);
		ops->close(NULL);
	}
}

/* The best table is one of those that can be named. */
static void test_choice(void **state)
{
	const struct lk_ops *ops = lk_cpu_ops(), *last = NULL;

	(void)state;
	for (size_t i = 0; t_table(i); i++)
		last = t_table(i);
	assert_ptr_equal(ops, last);
	assert_null(lk_cpu_ops_isa("none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_choice),
	};

	return cmocka_run_group_tests_name("kernels/device", tests, NULL, NULL);
}
