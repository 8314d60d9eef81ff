/* io/text_field.h: the member of records that holds their text. */
#include "tests/unit/unit.h"

#include "libcommon/io/text_field.h"

/* Fail unless the text of these records is in `field`. */
static void expect(const char *records, const char *field)
{
	char path[] = "in";
	struct lu_buf out = { 0 };
	struct lu_err err;

	put_text("in", records);
	assert_int_equal(lu_text_field(path, &out, &err), 0);
	assert_string_equal(out.p, field);
	lu_buf_release(&out);
}

static void expect_error(const char *records, const char *sentence)
{
	char path[] = "in";
	struct lu_buf out = { 0 };
	struct lu_err err;

	put_text("in", records);
	assert_int_equal(lu_text_field(path, &out, &err), -1);
	assert_string_equal(err.msg, sentence);
	lu_buf_release(&out);
}

static void test_longest(void **state)
{
	(void)state;
	expect("{\"id\":\"0123456789\",\"content\":\"a longer text\"}\n", "content");
	/* The sum over records counts, not the first. */
	expect("{\"title\":\"a long title\",\"body\":\"b\"}\n"
	       "{\"title\":\"t\",\"body\":\"a text that is longer\"}\n",
			"body");
	expect("{\"text\":\"t\",\"html\":\"<p>a longer one</p>\"}\n", "text");
	/* Not a string. */
	expect("{\"text\":[\"a\"],\"story\":\"once\"}\n", "story");
}

static void test_nested(void **state)
{
	(void)state;
	expect("{\"id\":1,\"data\":{\"raw\":{\"body\":\"once upon\"}},\"url\":\"u\"}\n",
			"data.raw.body");
	/* Below the third object nothing is looked at. */
	expect("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":\"once upon a time\"}}}},\"x\":\"y\"}\n", "x");
}

static void test_lines(void **state)
{
	struct lu_buf many = { 0 };

	(void)state;
	expect("\nno record\n{\"content\":\"c\"}\n", "content");
	/* What comes after the first hundred records is not looked at. */
	for (int i = 0; i < LU_TEXT_FIELD_RECORDS; i++)
		lu_buf_puts(&many, "{\"content\":\"some text\"}\n");
	lu_buf_puts(&many, "{\"body\":\"");
	for (int i = 0; i < 1000; i++)
		lu_buf_puts(&many, "some text");
	lu_buf_puts(&many, "\"}\n");
	expect(many.p, "content");
	lu_buf_release(&many);
}

static void test_errors(void **state)
{
	char missing[] = "missing";
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	expect_error("", "in: no record of JSON Lines");
	expect_error("[1]\n", "in: no record of JSON Lines");
	expect_error("{\"id\":1}\n", "in: no member of the records is a string");
	assert_int_equal(lu_text_field(missing, &out, &err), -1);
	assert_string_equal(err.msg, "missing: No such file or directory");
	lu_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_errors),
	};
	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
