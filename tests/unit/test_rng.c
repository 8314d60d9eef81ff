/* base/rng.h and fnv.h: published vectors, and the statistics of what is derived. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/rng.h"

/* Test vectors of the authors (draft-eastlake-fnv). */
static void test_fnv(void **state)
{
	uint64_t h = lu_fnv1a(LU_FNV_BASIS, "foo", 3);

	(void)state;
	assert_true(lu_fnv1a(LU_FNV_BASIS, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(lu_fnv1a(LU_FNV_BASIS, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(lu_fnv1a(h, "bar", 3) == UINT64_C(0x85944171f73967e8));
}

static void test_philox_vectors(void **state)
{
	/* The known answers published with the paper: philox4x32, 10 rounds. */
	static const struct {
		uint64_t seed, n, stream;
		uint32_t out[4];
	} t[] = {
		{ 0, 0, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX,
				{ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ UINT64_C(0x299f31d0a4093822), UINT64_C(0x85a308d3243f6a88),
				UINT64_C(0x0370734413198a2e),
				{ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		uint32_t out[4];

		lu_rand_block(t[i].seed, t[i].stream, t[i].n, out);
		assert_memory_equal(out, t[i].out, sizeof(out));
	}
}

/* The streams of a name are part of every file that depends on a seed. */
static void test_streams(void **state)
{
	(void)state;
	assert_true(lu_rand_stream("init", 0) == UINT64_C(0xd2afc57ab57213));
	assert_true(lu_rand_stream("init", 1) == UINT64_C(0x4c98bcc3ca386f));
	assert_true(lu_rand_stream("data", 0) == UINT64_C(0x5b556730a34a05));
}

static void test_permutation(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 15, 16, 17, 255, 1000, 4097, 65536 };

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		uint64_t n = sizes[k], fixed = 0;
		bool *seen = calloc(n, sizeof(*seen));

		assert_non_null(seen);
		for (uint64_t i = 0; i < n; i++) {
			uint64_t to = lu_rand_permute(7, k, i, n);

			assert_true(to < n);
			assert_false(seen[to]);
			seen[to] = true;
			fixed += to == i;
		}
		/* A random permutation has one fixed point on average, whatever its size. */
		assert_true(n < 10 || fixed < 10);
		free(seen);
	}
	for (uint64_t i = UINT64_MAX - 1000; i < UINT64_MAX; i++)
		assert_true(lu_rand_permute(1, 2, i, UINT64_MAX) < UINT64_MAX);
}

static void test_uniform_and_normal(void **state)
{
	const uint64_t n = 100000;
	double sum = 0, sum2 = 0, normal = 0, normal2 = 0;
	uint64_t bucket[10] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		double v = lu_rand_double(3, 9, i), g[2];

		assert_true(v >= 0 && v < 1);
		sum += v;
		sum2 += v * v;
		bucket[lu_rand_below(5, 1, i, 10)]++;
		lu_rand_normal2(4, 2, i, g);
		normal += g[0] + g[1];
		normal2 += g[0] * g[0] + g[1] * g[1];
		assert_true(lu_rand_below(5, 1, i, 1) == 0);
	}
	/* Five standard errors. */
	assert_true(fabs(sum / (double)n - 0.5) < 5 * 0.2887 / sqrt((double)n));
	assert_true(fabs(sum2 / (double)n - 1.0 / 3) < 5 * 0.2981 / sqrt((double)n));
	assert_true(fabs(normal / (2.0 * (double)n)) < 5 / sqrt(2.0 * (double)n));
	assert_true(fabs(normal2 / (2.0 * (double)n) - 1) < 5 * 1.4142 / sqrt(2.0 * (double)n));
	for (int b = 0; b < 10; b++)
		assert_true(fabs((double)bucket[b] - (double)n / 10) < 5 * sqrt((double)n * 0.09));
	assert_true(lu_rand_u64(1, 2, 0) != lu_rand_u64(1, 2, 1));
}

/* Many at a time are those one by one. */
static void test_permute_run(void **state)
{
	static const uint64_t count[] = { 1, 2, 3, 4, 5, 16, 17, 100, 1025, 9000000,
		UINT64_C(1) << 40, UINT64_MAX };
	uint64_t out[21];

	(void)state;
	for (size_t c = 0; c < sizeof(count) / sizeof(count[0]); c++) {
		for (uint64_t k = 0; k < 40; k++) {
			uint64_t first = k < 20 ? k : count[c] - (k - 20), n = k % 21;

			if (first > count[c])
				continue;
			if (n > count[c] - first)
				n = count[c] - first;
			out[n < 20 ? n : 20] = 77;
			lu_rand_permute_run(5, 6, first, (size_t)n, count[c], out);
			for (uint64_t i = 0; i < n; i++) {
				assert_int_equal(
						out[i], lu_rand_permute(5, 6, first + i, count[c]));
				assert_int_equal(lu_rand_unpermute(5, 6, out[i], count[c]),
						first + i);
			}
			if (n < 20)
				assert_int_equal(out[n], 77);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fnv),
		cmocka_unit_test(test_philox_vectors),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_permutation),
		cmocka_unit_test(test_uniform_and_normal),
		cmocka_unit_test(test_permute_run),
	};

	return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
