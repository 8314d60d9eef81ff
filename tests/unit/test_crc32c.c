/* hash/crc32c.h: the examples of RFC 3720, appendix B.4. */
#include "tests/unit/unit.h"

#include "libcommon/hash/crc32c.h"

static void test_examples(void **state)
{
	unsigned char b[32];

	(void)state;
	assert_int_equal(lu_crc32c("", 0), 0);
	assert_int_equal(lu_crc32c("123456789", 9), 0xe3069283);
	memset(b, 0, sizeof(b));
	assert_int_equal(lu_crc32c(b, sizeof(b)), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(lu_crc32c(b, sizeof(b)), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		b[i] = (unsigned char)i;
	assert_int_equal(lu_crc32c(b, sizeof(b)), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		b[i] = (unsigned char)(31 - i);
	assert_int_equal(lu_crc32c(b, sizeof(b)), 0x113fdb5c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
