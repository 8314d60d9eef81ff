#ifndef LUCIE_GPU_CMOCKA_H
#define LUCIE_GPU_CMOCKA_H
/*
 * What tests/kernels uses of cmocka, for bare machines, which do not have it: BARE=1 finds this file
 * as <cmocka.h>. A failed assertion ends its test; the results are TAP.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*test)(void **state);
};

/* Shared by all files of a program. */
__attribute__((weak)) jmp_buf bare_failed;

#define cmocka_unit_test(f)           \
	{                             \
		.name = #f, .test = f \
	}
#define cmocka_run_group_tests_name(group, tests, setup, teardown) \
	bare_run(tests, sizeof(tests) / sizeof((tests)[0]))
#define fail_msg(...)                                    \
	do {                                             \
		printf("# %s:%d: ", __FILE__, __LINE__); \
		printf(__VA_ARGS__);                     \
		printf("\n");                            \
		longjmp(bare_failed, 1);                 \
	} while (0)
#define assert_true(c)                      \
	do {                                \
		if (!(c))                   \
			fail_msg("%s", #c); \
	} while (0)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_null(p) assert_true((p) == NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b) assert_true((unsigned long long)(a) == (unsigned long long)(b))
#define assert_memory_equal(a, b, n) assert_true(memcmp((a), (b), (n)) == 0)

static inline int bare_run(const struct CMUnitTest *tests, size_t n)
{
	volatile int failed = 0;

	printf("1..%zu\n", n);
	for (volatile size_t i = 0; i < n; i++) {
		void *state = NULL;

		if (setjmp(bare_failed) == 0) {
			tests[i].test(&state);
			printf("ok %zu - %s\n", i + 1, tests[i].name);
		} else {
			printf("not ok %zu - %s\n", i + 1, tests[i].name);
			failed++;
		}
		(void)fflush(stdout);
	}
	return failed;
}

#endif
