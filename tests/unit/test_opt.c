/* sys/opt.h and std.h: what option rows store, refuse and print. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "libcommon/sys/opt.h"
#include "libcommon/sys/tool.h"

enum colour { RED = 5, GREEN = -1, BLUE = 70000 };

static const struct lu_enum colours[] = {
	{ "red", RED },
	{ "green", GREEN },
	{ "blue", BLUE },
	LU_ENUM_END,
};

struct config {
	bool flag;
	int count, number;
	const char *text;
	uint64_t whole, size;
	double real;
	struct lu_list list;
	enum colour colour;
	bool whole_given, colour_given;
};

static const struct lu_opt rows[] = {
	LU_OPT_FLAG('f', "flag", struct config, flag, "a flag"),
	LU_OPT_COUNT('c', "count", struct config, count, "a count"),
	LU_OPT_INT('n', "number", struct config, number, "N", -3, 1024, "a number"),
	LU_OPT_STR(0, "text", struct config, text, "TEXT", "a text"),
	LU_OPT_U64_GIVEN(0, "whole", struct config, whole, whole_given, "N", "a whole number"),
	LU_OPT_SIZE(0, "size", struct config, size, "SIZE", "a size"),
	LU_OPT_DOUBLE(0, "real", struct config, real, "X", 0, 1, "a share"),
	LU_OPT_ENUM_GIVEN(0, "colour", struct config, colour, colour_given, colours, "a colour"),
	LU_OPT_LIST(0, "list", struct config, list, "ITEM", "items"),
	LU_OPT_END,
};

static const struct lu_opt *row(const char *name)
{
	const struct lu_opt *o = rows;

	while (strcmp(o->name, name) != 0)
		o++;
	return o;
}

static void good(struct config *c, const char *name, const char *value, const char *printed)
{
	struct lu_err err = { 0 };
	struct lu_buf b = { 0 };

	if (lu_opt_store(row(name), c, value, &err) < 0)
		fail_msg("%s", err.msg);
	lu_opt_format(row(name), c, &b);
	lu_buf_puts(&b, "");
	assert_string_equal(b.p, printed);
	lu_buf_release(&b);
}

static void bad(struct config *c, const char *name, const char *value)
{
	struct config before = *c;
	struct lu_err err = { 0 };

	assert_int_equal(lu_opt_store(row(name), c, value, &err), -1);
	assert_non_null(strstr(err.msg, value));
	assert_int_equal(before.number, c->number);
	assert_int_equal(before.colour, c->colour);
	assert_int_equal(before.whole_given, c->whole_given);
	assert_int_equal(before.colour_given, c->colour_given);
	assert_true(before.real == c->real);
}

static void test_values(void **state)
{
	struct config c = { 0 };

	(void)state;
	good(&c, "flag", NULL, "yes");
	good(&c, "flag", "no", "no");
	good(&c, "flag", "true", "yes");
	good(&c, "flag", "off", "no");
	good(&c, "flag", "1", "yes");
	good(&c, "count", NULL, "1");
	good(&c, "count", NULL, "2");
	good(&c, "number", "-3", "-3");
	good(&c, "number", "1024", "1024");
	good(&c, "text", "", "");
	good(&c, "text", "any thing", "any thing");
	assert_false(c.whole_given);
	good(&c, "whole", "18446744073709551615", "18446744073709551615");
	assert_true(c.whole_given);
	good(&c, "size", "2K", "2048");
	good(&c, "real", "0.1", "0.1");
	good(&c, "real", "1", "1");
	good(&c, "colour", "green", "green");
	assert_true(c.colour == GREEN && c.colour_given);
	good(&c, "colour", "blue", "blue");
	assert_true(c.colour == BLUE);
	good(&c, "list", "a", "a");
	good(&c, "list", "b", "a b");
	lu_list_release(&c.list);
	assert_int_equal(c.list.n, 0);
}

static void test_refused(void **state)
{
	struct config c = { .number = 5, .real = 0.5 };

	(void)state;
	bad(&c, "flag", "maybe");
	bad(&c, "number", "-4");
	bad(&c, "number", "1025");
	bad(&c, "number", "4294967297");
	bad(&c, "number", "");
	bad(&c, "whole", "-1");
	bad(&c, "size", "1X");
	bad(&c, "real", "1.0001");
	bad(&c, "real", "nan");
	bad(&c, "colour", "re");
	bad(&c, "colour", "redd");
	bad(&c, "colour", "red|green");
	bad(&c, "colour", "");
}

static void test_enums(void **state)
{
	struct lu_err err = { 0 };
	struct lu_buf b = { 0 };
	struct config c = { 0 };

	(void)state;
	assert_ptr_equal(lu_enum_find(colours, LU_STR("blue")), &colours[2]);
	assert_null(lu_enum_find(colours, LU_STR("")));
	assert_string_equal(lu_enum_name(colours, GREEN), "green");
	assert_null(lu_enum_name(colours, 0));
	assert_int_equal(lu_opt_store(row("colour"), &c, "pink", &err), -1);
	assert_string_equal(err.msg, "'pink' is not one of red|green|blue");

	/* A value without a name prints as nothing. */
	lu_opt_format(row("colour"), &c, &b);
	assert_int_equal(b.n, 0);
	lu_opt_arg(row("colour"), &b);
	lu_opt_arg(row("flag"), &b);
	lu_opt_arg(row("number"), &b);
	assert_string_equal(b.p, "red|green|blueN");
	lu_buf_release(&b);
}

static size_t shared_rows(unsigned std)
{
	size_t n = 0;

	while (lu_std_opt(std, n))
		n++;
	return n;
}

static void test_shared_rows(void **state)
{
	(void)state;
	/* -q and -v belong to every program. */
	assert_int_equal(shared_rows(0), 2);
	assert_string_equal(lu_std_opt(0, 0)->name, "quiet");
	assert_string_equal(lu_std_opt(0, 1)->name, "verbose");
	assert_int_equal(shared_rows(LU_STD_RECORDS), 6);
	assert_string_equal(lu_std_opt(LU_STD_RECORDS, 1)->name, "max-bad");
	/* -o comes with any of four groups. */
	assert_string_equal(lu_std_opt(LU_STD_PREFIX, 0)->arg, "PREFIX");
	assert_int_equal(shared_rows(LU_STD_DIR), 3);
	assert_int_equal(shared_rows(LU_STD_RUN | LU_STD_MEMORY), 4);
	/* A group without a row would turn nothing on. */
	for (unsigned bit = LU_STD_OUTPUT; bit <= LU_STD_RUN; bit <<= 1)
		assert_true(shared_rows(bit) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_enums),
		cmocka_unit_test(test_shared_rows),
	};

	return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
