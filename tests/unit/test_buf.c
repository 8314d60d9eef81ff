/* base/buf.h, arena.h and base64.h: slices and memory. */
#include "tests/unit/unit.h"

#include "libcommon/base/arena.h"
#include "libcommon/base/base64.h"
#include "libcommon/base/buf.h"

static void test_buf(void **state)
{
	struct lu_buf b = { 0 };
	char long_text[300];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	lu_buf_puts(&b, "");
	assert_string_equal(b.p, "");
	lu_buf_printf(&b, "%s|%d", long_text, 42);
	assert_int_equal(b.n, 302);
	assert_string_equal(b.p + 299, "|42");
	lu_buf_clear(&b);
	lu_buf_u64(&b, 0);
	lu_buf_u64(&b, UINT64_MAX);
	lu_buf_putc(&b, '\0');
	assert_int_equal(b.n, 22);
	assert_string_equal(b.p, "018446744073709551615");
	/* A failed allocation is sticky, also through clear. */
	assert_false(lu_buf_reserve(&b, SIZE_MAX - 5));
	lu_buf_puts(&b, "more");
	assert_int_equal(b.n, 22);
	assert_false(lu_buf_ok(&b));
	lu_buf_clear(&b);
	assert_false(lu_buf_ok(&b));
	lu_buf_release(&b);
	assert_true(lu_buf_ok(&b));
}

static void test_str_order(void **state)
{
	(void)state;
	assert_true(lu_str_cmp(LU_STR("a"), LU_STR("b")) < 0);
	assert_true(lu_str_cmp(LU_STR("a"), LU_STR("ab")) < 0);
	assert_true(lu_str_cmp(LU_STR("\x7f"), LU_STR("\x80")) < 0);
	assert_int_equal(lu_str_cmp(LU_STR("a\0b"), LU_STR("a\0b")), 0);
	assert_false(lu_str_eq(LU_STR("a\0b"), LU_STR("a\0c")));
	assert_true(lu_str_eq((struct lu_str){ NULL, 0 }, LU_STR("")));
}

static void test_find(void **state)
{
	static const char text[] = "abcabdab";
	const char *end = text + sizeof(text) - 1;

	(void)state;
	assert_ptr_equal(lu_str_find(text, end, LU_STR("abd")), text + 3);
	assert_ptr_equal(lu_str_find(text, end, LU_STR("a")), text);
	assert_ptr_equal(lu_str_find(text + 1, end, LU_STR("ab")), text + 3);
	assert_ptr_equal(lu_str_find(text, end, LU_STR("abcabdab")), text);
	/* The needle must end before `end`. */
	assert_null(lu_str_find(text, end - 2, LU_STR("dab")));
	assert_null(lu_str_find(text, end, LU_STR("abcabdabc")));
	assert_null(lu_str_find(text, text, LU_STR("a")));
}

static void test_only(void **state)
{
	(void)state;
	assert_true(lu_str_only(LU_STR(" \t "), " \t"));
	assert_true(lu_str_only(LU_STR(""), " \t"));
	assert_false(lu_str_only(LU_STR(" x"), " \t"));
	/* NUL is in no set. */
	assert_false(lu_str_only(LU_STR(" \0"), " \t"));
}

static void test_replace(void **state)
{
	static const struct {
		const char *text, *needle, *by, *result;
	} t[] = { { "a.b.c", ".", "::", "a::b::c" }, { "aaaa", "aa", "b", "bb" },
		{ "aaa", "aa", "", "a" }, { "abc", "x", "y", "abc" }, { "", "x", "y", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct lu_buf b = { 0 };

		lu_buf_puts(&b, ">");
		lu_buf_replace(&b, lu_str_of(t[i].text), lu_str_of(t[i].needle),
				lu_str_of(t[i].by));
		assert_string_equal(b.p + 1, t[i].result);
		lu_buf_release(&b);
	}
}

static void test_arena(void **state)
{
	struct lu_arena a = { 0 };
	char *p[100];
	void *first;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 100; i++) {
			size_t n = i * i * 37;

			p[i] = lu_arena_alloc(&a, n);
			assert_non_null(p[i]);
			assert_int_equal((uintptr_t)p[i] % 16, 0);
			memset(p[i], (int)i, n);
		}
		for (size_t i = 0; i < 100; i++) {
			for (size_t k = 0; k < i * i * 37; k++)
				assert_int_equal(p[i][k], (char)i);
		}
		if (round == 0)
			first = p[1];
		else
			assert_ptr_equal(first, p[1]);
		lu_arena_reset(&a);
	}
	assert_null(lu_arena_alloc(&a, SIZE_MAX - 3));
	assert_string_equal(lu_arena_str(&a, LU_STR("abc")).p, "abc");
	lu_arena_release(&a);
}

static void test_base64(void **state)
{
	/* RFC 4648, section 10. */
	static const char *const t[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" }, { "\xFF\xFE\xFD", "//79" } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct lu_buf b = { 0 };

		lu_buf_puts(&b, "");
		lu_base64(&b, lu_str_of(t[i][0]));
		assert_string_equal(b.p, t[i][1]);
		lu_buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_str_order),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_only),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
