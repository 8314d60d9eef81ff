/* base/vec.h and search.h: growing arrays, and binary search in them. */
#include "libcommon/base/vec.h"

#include "libcommon/base/search.h"
#include "tests/unit/unit.h"

struct keys LU_VEC(uint64_t);

static void grows_by_half(void **state)
{
	struct keys keys = { 0 };
	size_t moves = 0;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		size_t cap = keys.cap;

		assert_true(lu_vec_push(&keys, i));
		moves += keys.cap != cap;
	}
	assert_true(moves < 30);
	for (uint64_t i = 0; i < keys.n; i++)
		assert_int_equal(keys.p[i], i);
	/* A size that does not fit in memory, or in size_t, leaves the array unchanged. */
	assert_false(lu_vec_reserve(&keys, SIZE_MAX / 4));
	assert_false(lu_vec_reserve(&keys, SIZE_MAX - 5));
	assert_int_equal(keys.n, 100000);
	assert_int_equal(keys.p[99999], 99999);
	lu_vec_release(&keys);
	assert_null(keys.p);
}

/* Copy of one capacity, as the header shows: each array grows. */
static void parallel_arrays_grow(void **state)
{
	struct {
		char *letter;
		uint64_t *key;
		size_t n, cap;
	} t = { 0 };

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		size_t cap_letter = t.cap, cap_key = t.cap;

		assert_true(lu_vec_grow(&t.letter, &cap_letter, t.n, 1, sizeof(*t.letter)));
		assert_true(lu_vec_grow(&t.key, &cap_key, t.n, 1, sizeof(*t.key)));
		t.cap = cap_letter < cap_key ? cap_letter : cap_key;
		t.letter[t.n] = (char)i;
		t.key[t.n++] = i;
	}
	for (size_t i = 0; i < t.n; i++)
		assert_true(t.letter[i] == (char)i && t.key[i] == i);
	free(t.letter);
	free(t.key);
}

/* Against a linear search, with empty ranges (equal starts) among them. */
static void range_of_a_position(void **state)
{
	struct part {
		uint32_t id;
		uint64_t first;
	} part[] = { { 0, 0 }, { 1, 3 }, { 2, 3 }, { 3, 3 }, { 4, 10 }, { 5, 11 } };

	(void)state;
	for (size_t n = 1; n <= sizeof(part) / sizeof(*part); n++) {
		for (uint64_t x = 0; x < 14; x++) {
			size_t last = 0;

			while (last + 1 < n && part[last + 1].first <= x)
				last++;
			assert_int_equal(
					lu_search_range(&part[0].first, n, sizeof(*part), x), last);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_by_half),
		cmocka_unit_test(parallel_arrays_grow),
		cmocka_unit_test(range_of_a_position),
	};

	return cmocka_run_group_tests_name("vec", tests, NULL, NULL);
}
