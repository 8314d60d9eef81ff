/* MD5: the test suite of RFC 1321, and pieces of any size. */
#include "tests/unit/unit.h"

#include "libcommon/hash/md5.h"

static void md5(const char *p, size_t n, size_t piece, char text[33])
{
	struct lu_md5 h;

	lu_md5_init(&h);
	for (size_t at = 0; at < n; at += piece)
		lu_md5_add(&h, p + at, n - at < piece ? n - at : piece);
	lu_md5_end(&h, text);
}

static void test_suite(void **state)
{
	static const char digits[] =
			"12345678901234567890123456789012345678901234567890123456789012"
			"345678901234567890";
	static const struct {
		const char *text, *md5;
	} row[] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
		{ digits, "57edf4a22be3c955ac49da2e2107b67a" },
	};
	char text[33];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		md5(row[i].text, strlen(row[i].text), 1000, text);
		assert_string_equal(text, row[i].md5);
	}
}

/* Lengths around the ends of blocks, where the padding takes one block more. */
static void test_pieces(void **state)
{
	char data[200], whole[33], text[33];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		md5(data, n, sizeof(data), whole);
		for (size_t piece = 1; piece < 130; piece += 9) {
			md5(data, n, piece, text);
			assert_string_equal(text, whole);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suite),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
