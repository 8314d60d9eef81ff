/* io/sorter.h against qsort(): sizes, keys, bounds of memory and equal keys. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/io/sorter.h"

static size_t compared;

static int by_key(const void *a, const void *b)
{
	int order = memcmp(a, b, compared);

	/* The last 8 bytes number the records in the order of addition. */
	return order ? order : memcmp((const char *)a + compared, (const char *)b + compared, 8);
}

/* n records of `key` bytes from `values` different ones, each followed by its number. */
static unsigned char *make_records(size_t n, size_t key, uint64_t values, uint64_t seed)
{
	size_t size = key + 8;
	unsigned char *p = malloc(n * size + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		uint64_t v = unit_random(&seed) % values;

		for (size_t k = 0; k < key; k++)
			p[i * size + k] = (unsigned char)(unit_random(&v) >> 32);
		lu_store64_be(p + i * size + key, i);
	}
	return p;
}

static void check_sort(size_t n, size_t key, uint64_t values, uint64_t memory, int threads)
{
	struct lu_sorter_options o = {
		.size = key + 8, .key = key, .memory = memory, .tmpdir = ".", .threads = threads
	};
	unsigned char *p = make_records(n, key, values, n + key);
	struct lu_sorter *s;
	const void *record;
	struct lu_err err;

	assert_int_equal(lu_sorter_new(&s, &o, &err), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(lu_sorter_add(s, p + i * o.size, &err), 0);
	assert_int_equal(lu_sorter_count(s), n);
	assert_int_equal(lu_sorter_sort(s, &err), 0);
	compared = key;
	qsort(p, n, o.size, by_key);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(lu_sorter_next(s, &record, &err), 1);
		assert_memory_equal(record, p + i * o.size, o.size);
	}
	assert_int_equal(lu_sorter_next(s, &record, &err), 0);
	assert_int_equal(lu_sorter_next(s, &record, &err), 0);
	if (memory == 0 || n * (o.size + 7) * 2 <= memory)
		assert_int_equal(lu_sorter_spilled(s), 0);
	else if (n * o.size * 2 > memory)
		assert_true(lu_sorter_spilled(s) >= n);
	lu_sorter_free(s);
	free(p);
}

static void test_in_memory(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 23, 24, 25, 26, 255, 1000, 70000 };
	static const size_t keys[] = { 1, 3, 7, 8, 9, 15, 16, 17, 40 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			if (sizes[i] > 1000 && keys[k] != 3 && keys[k] != 16)
				continue;
			check_sort(sizes[i], keys[k], UINT64_MAX, 0, 1);
			check_sort(sizes[i], keys[k], 5, 0, 2);
			check_sort(sizes[i], keys[k], 1, 0, 1);
		}
	}
}

/* A bound of 1 MB takes runs of half of it and merges 8 at once: up to three passes. */
static void test_runs(void **state)
{
	static const size_t sizes[] = { 21845, 21846, 43690, 43691, 100000, 200000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		check_sort(sizes[i], 16, UINT64_MAX, LU_SORTER_LEAST, 1 + (int)(i & 1));
	check_sort(100000, 7, 100, 1, 2);
	check_sort(100000, 4, 3, LU_SORTER_LEAST, 1);
	check_sort(20000, 200, 50, LU_SORTER_LEAST, 1);
	check_sort(100000, 16, UINT64_MAX, LU_SORTER_LEAST * 2, 2);
}

static void test_no_folder(void **state)
{
	struct lu_sorter_options o = {
		.size = 8, .key = 8, .memory = 1, .tmpdir = "no/such", .threads = 1
	};
	struct lu_sorter *s;
	struct lu_err err;
	int rc = 0;

	(void)state;
	assert_int_equal(lu_sorter_new(&s, &o, &err), 0);
	for (uint64_t i = 0; rc == 0 && i < 1000000; i++)
		rc = lu_sorter_add(s, &i, &err);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(err.msg, "no/such"));
	lu_sorter_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_memory),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
