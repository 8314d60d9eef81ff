/* base/map.h: the index agrees with a linear search, however bad the hash. */
#include "libcommon/base/map.h"

#include "libcommon/base/vec.h"
#include "tests/unit/unit.h"

struct keys LU_VEC(uint64_t);

/* Number of low bits of the key that are its hash. Few bits make long probe sequences. */
static unsigned hash_bits;

static uint64_t hash_of(uint64_t key)
{
	return key & ((UINT64_C(1) << hash_bits) - 1);
}

static uint64_t key_hash(const void *items, uint32_t i)
{
	return hash_of(((const uint64_t *)items)[i]);
}

static bool key_is(const void *items, uint32_t i, const void *key)
{
	return ((const uint64_t *)items)[i] == *(const uint64_t *)key;
}

static void add_absent(struct lu_map *m, struct keys *keys, uint64_t key)
{
	assert_true(lu_map_reserve(m, keys->p, key_hash));
	assert_true(lu_vec_push(keys, key));
	assert_int_equal(lu_map_add(m, hash_of(key)), keys->n - 1);
}

static void lookup_agrees_with_the_array(void **state)
{
	(void)state;
	for (hash_bits = 0; hash_bits < 33; hash_bits += 4) {
		struct lu_map m = { 0 };
		struct keys keys = { 0 };
		uint64_t absent = 1;

		assert_int_equal(lu_map_find(&m, 0, NULL, key_is, &absent), LU_MAP_NONE);
		for (uint64_t i = 0; i < 700; i++)
			add_absent(&m, &keys, i * i * 2);
		for (uint32_t i = 0; i < keys.n; i++)
			assert_int_equal(lu_map_find(&m, hash_of(keys.p[i]), keys.p, key_is,
							 &keys.p[i]),
					i);
		/* Odd keys were never added. */
		for (; absent < 2000; absent += 2)
			assert_int_equal(lu_map_find(&m, hash_of(absent), keys.p, key_is, &absent),
					LU_MAP_NONE);
		lu_map_release(&m);
		lu_vec_release(&keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookup_agrees_with_the_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
