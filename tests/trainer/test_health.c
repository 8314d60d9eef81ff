/* run/health.h: the probe at the start, and which rank is slow. */
#include "tests/unit/unit.h"

#include <stdint.h>
#include <stdio.h>

#include "libcommon/sys/progress.h"
#include "trainer/run/health.h"

/* --- the probe ------------------------------------------------------------------------------ */

static struct lk_ops broken;
static size_t spoil; /* element of the product that comes out wrong */

static int spoiled_gemm(struct lk_queue *q, const struct lk_gemm *g, void *D, const void *A,
		const void *B, const void *C)
{
	if (lk_cpu_ops(LK_REAL)->gemm(q, g, D, A, B, C) < 0)
		return -1;
	((lk_real *)D)[spoil] += 1;
	return 0;
}

static void *no_memory(struct lk_queue *q, size_t bytes)
{
	return bytes < 1 << 24 ? lk_cpu_ops(LK_REAL)->alloc(q, bytes) : NULL;
}

static void test_probe(void **state)
{
	struct lt_health h = { 0 };
	struct lu_err err;
	double start = lu_clock();

	(void)state;
	assert_int_equal(lt_health_probe(lk_cpu_ops(LK_REAL), 0, &h, &err), 0);
	/* Any machine that can run this test, and none there is. */
	assert_true(h.gflops > 0.001 && h.gflops < 1e6);
	assert_true(h.gbytes > 0.001 && h.gbytes < 1e6);
	assert_true(lu_clock() > start);
}

static void test_faulty(void **state)
{
	struct lt_health h;
	struct lu_err err;

	(void)state;
	broken = *lk_cpu_ops(LK_REAL);
	broken.gemm = spoiled_gemm;
	for (spoil = 0; spoil < 512 * 512; spoil += 512 * 73 + 11) {
		char row[40];

		assert_int_equal(lt_health_probe(&broken, 0, &h, &err), -1);
		snprintf(row, sizeof(row), "wrong: row %zu adds up", spoil / 512);
		assert_non_null(strstr(err.msg, row));
	}
	broken = *lk_cpu_ops(LK_REAL);
	broken.alloc = no_memory;
	assert_int_equal(lt_health_probe(&broken, 0, &h, &err), -1);
}

/* --- the slowest ---------------------------------------------------------------------------- */

static void test_slowest(void **state)
{
	static const struct {
		double seconds[5];
		size_t n, rank;
		double median;
		bool slow;
	} cases[] = {
		{ { 1 }, 1, 0, 1, false },
		{ { 1, 1.19 }, 2, 1, 1, false },
		{ { 1.21, 1 }, 2, 0, 1, true },
		{ { 1, 1, 1.3, 1 }, 4, 2, 1, true },
		{ { 1, 2, 3, 4 }, 4, 3, 2, true },
		{ { 5, 4, 3, 2, 1 }, 5, 0, 3, true },
		{ { 3, 3, 3, 3, 3.5 }, 5, 4, 3, false },
		{ { 2, 2, 1, 1 }, 4, 0, 1, true },
		/* Most are slow: then that is the pace. */
		{ { 2, 2, 2, 1 }, 4, 0, 2, false },
		/* Two did nothing. */
		{ { 0, 1, -1, 1.5, 1 }, 5, 3, 1, true },
		{ { 0, 0 }, 2, 0, 0, false },
	};
	struct lt_slow slow;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(lt_health_slowest(cases[i].seconds, cases[i].n, &slow),
				cases[i].slow);
		assert_int_equal(slow.rank, cases[i].rank);
		assert_true(slow.median == cases[i].median);
	}
	assert_false(lt_health_slowest(NULL, 0, &slow));
}

static void test_text(void **state)
{
	const struct lt_slow slow = { .rank = 5, .seconds = 2.61, .median = 1.99 };
	char text[160];

	(void)state;
	assert_string_equal(lt_slow_text(&slow, "n3", text, sizeof(text)),
			"rank 5 on n3 takes 31 % longer than the median of the ranks: 2.61 s, not "
			"1.99 s");
	assert_int_equal(strlen(lt_slow_text(&slow, "n3", text, 10)), 9);
}

/* Add n steps of four ranks at one second each, but `rank` at `seconds`; how many times one is named. */
static size_t add(struct lt_pace *p, size_t n, size_t rank, double seconds, struct lt_slow *slow)
{
	size_t named = 0;

	for (size_t i = 0; i < n; i++) {
		double s[4] = { 1, 1, 1, 1 };

		s[rank] = seconds;
		named += lt_pace_add(p, s, slow);
	}
	return named;
}

static void test_pace(void **state)
{
	struct lt_slow slow;
	struct lu_err err;
	struct lt_pace p;

	(void)state;
	assert_int_equal(lt_pace_init(&p, 4, &err), 0);
	/* Not before the window is full, once, and again after it has recovered. */
	assert_int_equal(add(&p, LT_PACE_STEPS - 1, 2, 1.5, &slow), 0);
	assert_int_equal(add(&p, 1, 2, 1.5, &slow), 1);
	assert_int_equal(slow.rank, 2);
	assert_true(slow.seconds == 1.5 && slow.median == 1);
	assert_int_equal(add(&p, 100, 2, 1.5, &slow), 0);
	assert_int_equal(add(&p, LT_PACE_STEPS, 2, 1, &slow), 0);
	assert_int_equal(add(&p, LT_PACE_STEPS, 2, 1.5, &slow), 1);
	/* Another one is slower still. */
	assert_int_equal(add(&p, LT_PACE_STEPS, 0, 1.6, &slow), 1);
	assert_int_equal(slow.rank, 0);
	lt_pace_release(&p);

	/* A hiccup of every second step but one is none. */
	assert_int_equal(lt_pace_init(&p, 4, &err), 0);
	add(&p, LT_PACE_STEPS, 1, 1, &slow);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(add(&p, 1, 1, i % 20 < 9 ? 9 : 1, &slow), 0);
	lt_pace_release(&p);
	lt_pace_release(&p);
	assert_int_equal(lt_pace_init(&p, SIZE_MAX / 2, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_faulty),
		cmocka_unit_test(test_slowest),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
