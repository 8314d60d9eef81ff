/* base/text_table.h, and base/buf.h's lu_buf_masked(). */
#include "tests/unit/unit.h"

#include <math.h>

#include "libcommon/base/text_table.h"

static const char *const heads[] = { "language", "tokens", "loss", "name" };

static void add_row(struct lu_table *t, const char *lang, uint64_t tokens, double loss,
		const char *name)
{
	lu_table_cstr(t, lang);
	lu_table_u64(t, tokens);
	lu_table_fixed(t, loss, 2, "%");
	lu_table_cstr(t, name);
}

static void test_table(void **state)
{
	struct lu_table t = { .head = heads, .columns = 4, .left = 1, .last_left = true };
	struct lu_buf out = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	add_row(&t, "fr", 12345678, 1.005, "a");
	add_row(&t, "a\nb\x7f", 0, (double)NAN, "é\t");
	add_row(&t, "und", 1, (double)INFINITY, "");
	assert_int_equal(lu_table_put(&t, &out, &err), 0);
	assert_string_equal(out.p,
			"language    tokens   loss  name\n"
			"fr        12345678  1.00%  a\n"
			"a?b?             0      -  é?\n"
			"und              1      -  \n");
	/* Later rows have no heads, and keep the widths. */
	lu_buf_clear(&out);
	add_row(&t, "de", 2, -1e300, "b");
	add_row(&t, "longer than", 3, 0, "c");
	lu_table_release(&t);
	add_row(&t, "de", 2, 0.5, "b");
	assert_int_equal(lu_table_put(&t, &out, &err), 0);
	assert_string_equal(out.p, "language  tokens   loss  name\nde             2  0.50%  b\n");
	lu_buf_clear(&out);
	add_row(&t, "d", 1234567, 0.25, "c");
	assert_int_equal(lu_table_put(&t, &out, &err), 0);
	assert_string_equal(out.p, "d         1234567  0.25%  c\n");
	lu_table_release(&t);
	lu_buf_release(&out);
}

/* Characters, not bytes, are aligned. */
static void test_widths(void **state)
{
	struct lu_table t = { .head = heads, .columns = 2, .left = 1 };
	struct lu_buf out = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	lu_table_cstr(&t, "日本語のことば です");
	lu_table_u64(&t, UINT64_MAX);
	lu_table_str(&t, (struct lu_str){ NULL, 0 });
	lu_table_u64(&t, 1);
	assert_int_equal(lu_table_put(&t, &out, &err), 0);
	assert_string_equal(out.p,
			"language                  tokens\n"
			"日本語のことば です  18446744073709551615\n"
			"                               1\n");
	lu_table_release(&t);
	lu_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_widths),
	};

	return cmocka_run_group_tests_name("text_table", tests, NULL, NULL);
}
