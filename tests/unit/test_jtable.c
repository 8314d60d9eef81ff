/* Tables from JSON: where the rows are, and what their cells hold. */
#include "tests/unit/unit.h"

#include "libcommon/report/jtable.h"

/* The table as text: columns, those of numbers marked '#', then rows; cells end with '|'. */
static void print(const struct lu_jtable *t, struct lu_buf *b)
{
	for (size_t k = 0; k < t->columns; k++) {
		lu_buf_str(b, t->column[k]);
		lu_buf_puts(b, t->number[k] ? "#|" : "|");
	}
	for (size_t i = 0; i < t->row.n; i++) {
		lu_buf_putc(b, '\n');
		for (size_t k = 0; k < t->columns; k++) {
			lu_buf_str(b, t->row.p[i].cell[k]);
			lu_buf_putc(b, '|');
		}
	}
	assert_true(lu_buf_ok(b));
}

static void test_rows(void **state)
{
	static const struct {
		const char *json, *table;
	} t[] = {
		/* JSON Lines, an array, one object. */
		{ "{\"a\":1}\n\n{\"a\":2}\n", "a#|\n1|\n2|" },
		{ "[{\"a\":1},{\"a\":2}]", "a#|\n1|\n2|" },
		{ "{\"a\":1,\"b\":\"x\"}", "a#|b|\n1|x|" },
		{ "[]", "" },
		/* The first member that is an array or object of objects. */
		{ "{\"n\":9,\"l\":[1],\"rows\":[{\"a\":1}],\"more\":[{\"a\":2}]}", "a#|\n1|" },
		{ "{\"lang\":{\"fr\":{\"n\":1},\"en\":{\"n\":2}},\"all\":{\"n\":3},\"x\":4}",
				"lang|n#|\nfr|1|\nen|2|\nall|3|" },
		/* Columns in order of first appearance; nested values are ignored. */
		{ "[{\"a\":1,\"s\":[2]},{\"b\":true,\"a\":1.50},{\"o\":{}}]",
				"a#|b|\n1||\n1.50|true|\n||" },
		/* Strings are decoded; null and missing cells are empty and leave numbers alone. */
		{ "[{\"a\":\"\\u00e9\\n\"},{\"b\":null},{\"b\":2}]",
				"a|b#|\n\xC3\xA9\n||\n||\n|2|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct lu_jtable table = { 0 };
		struct lu_buf b = { 0 };
		struct lu_err err = { 0 };

		put_text("t.json", t[i].json);
		if (lu_jtable_read(&table, "t.json", &err) < 0)
			fail_msg("%s", err.msg);
		print(&table, &b);
		assert_string_equal(b.n ? b.p : "", t[i].table);
		lu_jtable_release(&table);
		lu_buf_release(&b);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *json, *words;
	} t[] = {
		{ "1", "t.json: not a table" },
		{ "\"a\"", "t.json: not a table" },
		{ "[1]", "t.json: not a JSON object" },
		{ "{\"a\":1}\n{\"a\":\n", "t.json: line 2: JSON ends too early" },
		{ "{\"a\":1}\n2\n", "t.json: line 2: not a JSON object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct lu_jtable table = { 0 };
		struct lu_err err = { 0 };

		put_text("t.json", t[i].json);
		assert_int_equal(lu_jtable_read(&table, "t.json", &err), -1);
		if (strncmp(err.msg, t[i].words, strlen(t[i].words)) != 0)
			fail_msg("expected '%s', got: %s", t[i].words, err.msg);
		lu_jtable_release(&table);
	}
}

static void test_columns(void **state)
{
	struct lu_jtable t = { 0 };
	struct lu_buf b = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	lu_buf_putc(&b, '{');
	for (int i = 0; i < LU_JTABLE_COLUMNS; i++)
		lu_buf_printf(&b, "%s\"c%d\":%d", i ? "," : "", i, i);
	lu_buf_puts(&b, "}\n");
	put_file("t.json", b.p, b.n);
	assert_int_equal(lu_jtable_read(&t, "t.json", &err), 0);
	assert_int_equal(t.columns, LU_JTABLE_COLUMNS);
	lu_jtable_release(&t);
	lu_buf_puts(&b, "{\"one more\":1}\n");
	put_file("t.json", b.p, b.n);
	assert_int_equal(lu_jtable_read(&t, "t.json", &err), -1);
	assert_string_equal(err.msg, "t.json: line 2: more than 32 columns");
	lu_jtable_release(&t);
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
