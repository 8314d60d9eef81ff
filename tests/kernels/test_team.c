/*
 * lk_cpu_team(): an operation waits for no thread that has not begun a part of it. The other thread
 * of the team is kept away as another program would keep it from its processor.
 */
#include "tests/kernels/lk_test.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct team {
	atomic_bool away, done;
	int seen; /* threads of the team */
	float sum[3];
};

static int with_thread_away(void *ctx)
{
	const struct lk_ops *ops = lk_cpu_ops(LK_REAL);
	struct team *t = ctx;
	struct lk_queue *q;
	struct lk_err err;
	enum { N = 1 << 20 };
	lk_real *x, *y;

	t->seen = omp_get_num_threads();
	/* Taken by the other thread, since this one waits for it to begin. */
#pragma omp task firstprivate(t)
	{
		atomic_store(&t->away, true);
		while (!atomic_load(&t->done))
			sched_yield();
	}
	while (!atomic_load(&t->away))
		sched_yield();
	assert_int_equal(ops->open(&q, 0, &err), 0);
	x = ops->alloc(q, N * sizeof(*x));
	y = ops->alloc(q, N * sizeof(*y));
	assert_non_null(x);
	assert_non_null(y);
	for (size_t i = 0; i < N; i++)
		x[i] = y[i] = 1;
	assert_int_equal(ops->accumulate(q, y, x, N), 0);
	for (int i = 0; i < 3; i++)
		t->sum[i] = (float)y[(size_t)i * (N / 2 - 1)];
	ops->free(q, x);
	ops->free(q, y);
	ops->close(q);
	atomic_store(&t->done, true);
#pragma omp taskwait
	return 7;
}

static void test_absent_thread(void **state)
{
	struct team t = { .seen = 0 };

	(void)state;
	assert_int_equal(lk_cpu_team(2, with_thread_away, &t), 7);
	assert_int_equal(t.seen, 2);
	for (int i = 0; i < 3; i++)
		assert_true(t.sum[i] == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_absent_thread) };

	return cmocka_run_group_tests_name("team", tests, NULL, NULL);
}
