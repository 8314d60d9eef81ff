/* io/spool.h: pieces of sizes around the window, read forwards, backwards and at random. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "libcommon/io/spool.h"

static void test_spool(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, LU_SPOOL_WINDOW - 101, 1, LU_SPOOL_WINDOW,
		LU_SPOOL_WINDOW + 1, 7, 0, 3 * LU_SPOOL_WINDOW, 5 };
	enum { PIECES = sizeof(sizes) / sizeof(sizes[0]) };
	struct lu_spool s = LU_SPOOL_NONE;
	uint64_t at[PIECES], seed = 1;
	char *bytes = malloc(3 * LU_SPOOL_WINDOW);
	struct lu_str got;
	struct lu_err err;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(lu_spool_open(&s, ".", &err), 0);
	for (size_t i = 0; i < PIECES; i++) {
		memset(bytes, (int)i + 1, sizes[i]);
		at[i] = lu_spool_size(&s);
		assert_int_equal(lu_spool_add(&s, bytes, sizes[i], &err), 0);
	}
	assert_int_equal(lu_spool_rewind(&s, &err), 0);
	for (size_t round = 0; round < 200; round++) {
		size_t i = round % PIECES;

		if (round / PIECES % 3 == 1)
			i = PIECES - 1 - i;
		else if (round / PIECES % 3 == 2)
			i = unit_random(&seed) % PIECES;
		assert_int_equal(lu_spool_get(&s, at[i], sizes[i], &got, &err), 0);
		assert_int_equal(got.n, sizes[i]);
		memset(bytes, (int)i + 1, sizes[i]);
		assert_memory_equal(got.p, bytes, sizes[i]);
	}
	lu_spool_close(&s);
	free(bytes);
}

static void test_no_folder(void **state)
{
	struct lu_spool s = LU_SPOOL_NONE;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_spool_open(&s, "no/such", &err), -1);
	assert_non_null(strstr(err.msg, "no/such"));
	lu_spool_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spool),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
