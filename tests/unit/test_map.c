/* base/map.h: the index agrees with a linear search, whatever the hashes. */
#include "libcommon/base/map.h"

#include "libcommon/base/vec.h"
#include "tests/unit/unit.h"

struct keys LU_VEC(uint64_t);

/* Set by a test: how many low bits of the key are its hash. Few bits make long runs of slots. */
static unsigned hash_bits;

static uint64_t hash_of(uint64_t key)
{
	return key & ((UINT64_C(1) << hash_bits) - 1);
}

static uint64_t key_hash(const void *items, uint32_t i)
{
	return hash_of(((const uint64_t *)items)[i]);
}

static bool key_same(const void *items, uint32_t i, const void *key)
{
	return ((const uint64_t *)items)[i] == *(const uint64_t *)key;
}

static void add_absent(struct lu_map *m, struct keys *keys, uint64_t key)
{
	assert_true(lu_map_reserve(m, keys->p, key_hash));
	assert_true(lu_vec_push(keys, key));
	assert_int_equal(lu_map_add(m, hash_of(key)), keys->n - 1);
}

static void finds_what_was_added(void **state)
{
	(void)state;
	for (hash_bits = 0; hash_bits < 33; hash_bits += 4) {
		struct lu_map m = { 0 };
		struct keys keys = { 0 };
		uint64_t absent = 1;

		assert_int_equal(lu_map_find(&m, 0, NULL, key_same, &absent), LU_MAP_NONE);
		for (uint64_t i = 0; i < 700; i++)
			add_absent(&m, &keys, i * i * 2);
		for (uint32_t i = 0; i < keys.n; i++)
			assert_int_equal(lu_map_find(&m, hash_of(keys.p[i]), keys.p, key_same,
							 &keys.p[i]),
					i);
		/* Odd keys were never added. */
		for (; absent < 2000; absent += 2)
			assert_int_equal(
					lu_map_find(&m, hash_of(absent), keys.p, key_same, &absent),
					LU_MAP_NONE);
		lu_map_clear(&m);
		assert_int_equal(lu_map_find(&m, hash_of(keys.p[0]), keys.p, key_same, &keys.p[0]),
				LU_MAP_NONE);
		keys.n = 0;
		add_absent(&m, &keys, 9);
		lu_map_release(&m);
		lu_vec_release(&keys);
	}
}

static void vectors_grow_by_half(void **state)
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
	/* A size that does not fit in memory, or in size_t, leaves the array as it was. */
	assert_false(lu_vec_reserve(&keys, SIZE_MAX / 4));
	assert_false(lu_vec_reserve(&keys, SIZE_MAX - 5));
	assert_int_equal(keys.n, 100000);
	assert_int_equal(keys.p[99999], 99999);
	lu_vec_release(&keys);
	assert_null(keys.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(vectors_grow_by_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
