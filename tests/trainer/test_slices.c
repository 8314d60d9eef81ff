/* Slices of buckets: owned once, cut on chunk borders of tensors only, balanced. */
#include "tests/trainer/tiny.h"

#include "libcommon/base/rng.h"
#include "trainer/parallel/slices.h"

#define TENSORS 9
#define SLICES 17

static bool may_cut(const size_t *count, size_t n, size_t chunk, size_t at)
{
	size_t start = 0;

	for (size_t k = 0; k < n; start += count[k++]) {
		if (at >= start && at < start + count[k])
			return (at - start) % chunk == 0;
	}
	return at == start;
}

static void check_cut(const size_t *count, size_t n, size_t chunk, size_t d)
{
	size_t bound[SLICES + 1], total = 0;
	struct lu_err err;

	for (size_t k = 0; k < n; k++)
		total += count[k];
	ok(lt_slices_cut(count, n, chunk, d, bound, &err), &err);
	assert_int_equal(bound[0], 0);
	assert_int_equal(bound[d], total);
	for (size_t i = 0; i < d; i++) {
		double even = (double)total / (double)d, size = (double)(bound[i + 1] - bound[i]);

		assert_true(bound[i] <= bound[i + 1]);
		assert_true(may_cut(count, n, chunk, bound[i]));
		if (size - even > (double)chunk || even - size > (double)chunk)
			fail_msg("slice %zu of %zu has %g elements, an even one %g", i, d, size,
					even);
	}
}

static void test_random(void **state)
{
	static const size_t chunks[] = { 1, 4, 64 };

	(void)state;
	for (uint64_t trial = 0; trial < 3000; trial++) {
		size_t count[TENSORS], n = lu_rand_below(1, trial, 0, TENSORS + 1);

		for (size_t k = 0; k < n; k++) {
			size_t most = lu_rand_below(1, trial, 2 * k + 1, 3) ? 9 : 700;

			count[k] = lu_rand_below(1, trial, 2 * k + 2, most);
		}
		check_cut(count, n, chunks[trial % 3], 1 + trial % SLICES);
	}
}

static void test_values(void **state)
{
	size_t layer[] = { 10, 100, 10, 60 }, one[] = { 40 }, bound[5];
	struct lu_err err;

	(void)state;
	/* Borders of chunks of 16: 0 | 10 26 42 58 74 90 106 | 110 | 120 136 152 168 | 180. */
	ok(lt_slices_cut(layer, 4, 16, 4, bound, &err), &err);
	assert_int_equal(bound[1], 42);	 /* 45 */
	assert_int_equal(bound[2], 90);	 /* 90 */
	assert_int_equal(bound[3], 136); /* 135 */
	ok(lt_slices_cut(one, 1, 16, 4, bound, &err), &err);
	assert_int_equal(bound[1], 16); /* 10 */
	assert_int_equal(bound[2], 16); /* 20 */
	assert_int_equal(bound[3], 32); /* 30 */
	assert_int_equal(bound[4], 40);
	layer[3] = SIZE_MAX;
	assert_int_equal(lt_slices_cut(layer, 4, 16, 4, bound, &err), -1);
}

/* No product of a large bucket and a slice's number overflows. */
static void test_large(void **state)
{
	size_t count[] = { (size_t)1 << 62, (size_t)1 << 62 }, bound[SLICES + 1];
	struct lu_err err;

	(void)state;
	ok(lt_slices_cut(count, 2, 4096, 16, bound, &err), &err);
	for (size_t i = 0; i <= 16; i++)
		assert_int_equal(bound[i], i << 59);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random),
		cmocka_unit_test(test_values), cmocka_unit_test(test_large) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
