/* sys/conf.h: settings, and errors with file and line. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "libcommon/sys/conf.h"

/* Record each call as a line "section/name key=value|", or "section/name" for a header. */
static int note(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct lu_buf *b = ctx;

	if (key && strcmp(key, "refuse") == 0)
		return lu_err_set(err, "refused");
	lu_buf_printf(b, "%s/%s", section, name);
	if (key)
		lu_buf_printf(b, " %s=%s|", key, value);
	lu_buf_putc(b, '\n');
	return 0;
}

static int run(const char *text, size_t n, struct lu_buf *b, struct lu_err *err)
{
	struct lu_conf c;
	int rc;

	put_file("c.ini", text, n);
	lu_buf_clear(b);
	lu_buf_puts(b, "");
	if (lu_conf_open(&c, "c.ini", err) < 0)
		return -1;
	rc = lu_conf_each(&c, note, b, err);
	lu_conf_close(&c);
	return rc;
}

static void expect(const char *text, const char *expected)
{
	struct lu_err err = { 0 };
	struct lu_buf b = { 0 };

	if (run(text, strlen(text), &b, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(b.p, expected);
	lu_buf_release(&b);
}

static void refuse(const char *text, size_t n, const char *message)
{
	struct lu_err err = { 0 };
	struct lu_buf b = { 0 };

	assert_int_equal(run(text, n, &b, &err), -1);
	assert_string_equal(err.msg, message);
	lu_buf_release(&b);
}

static void test_settings(void **state)
{
	(void)state;
	expect("", "");
	expect("# c\n\n ; c\n", "");
	expect("a=1", "/ a=1|\n");
	expect("a = 1 = 2 # no comment \r\n[s]\r\nb\t=\tx y\r\n",
			"/ a=1 = 2 # no comment|\ns/\ns/ b=x y|\n");
	expect("[ s  first one ]\nk =\n[t]\n", "s/first one\ns/first one k=|\nt/\n");
	expect("\xEF\xBB\xBF[s]\nk=\xC3\xA9\n", "s/\ns/ k=\xC3\xA9|\n");
}

static void test_errors(void **state)
{
	(void)state;
	refuse("\nwords\n", 7, "c.ini:2: 'words' is neither [section] nor key = value");
	refuse("= 1\n", 4, "c.ini:1: no key before '='");
	refuse("[]\n", 3, "c.ini:1: empty section name");
	refuse("[\n", 2, "c.ini:1: '[' does not end with ']'");
	refuse("[s\n", 3, "c.ini:1: '[s' does not end with ']'");
	refuse("a=1\n\nrefuse=1\n", 14, "c.ini:3: refused");
	refuse("a=\0b\n", 5, "c.ini: not a text file in UTF-8");
	refuse("a=\xFF\n", 4, "c.ini: not a text file in UTF-8");
}

/* The second of two is refused, whatever is between; the same key elsewhere is another one. */
static void test_repeated(void **state)
{
	static const char twice[] = "[s]\na=1\n\n b = 2\na =3\n";
	static const char section[] = "[s]\n[t]\n[ s ]\na=1\n";
	static const char named[] = "[s x]\n[s y]\n[s\tx]\n";

	(void)state;
	refuse(twice, strlen(twice), "c.ini:5: 'a' is set twice in [s], first in line 2");
	refuse("a=1\na=1\n", 8, "c.ini:2: 'a' is set twice, first in line 1");
	refuse(section, strlen(section), "c.ini:3: section [s] appears twice, first in line 1");
	refuse(named, strlen(named), "c.ini:3: section [s x] appears twice, first in line 1");
	expect("a=1\n[s]\na=1\n[s x]\na=1\n[sx]\na=1\n",
			"/ a=1|\ns/\ns/ a=1|\ns/x\ns/x a=1|\nsx/\nsx/ a=1|\n");
}

static void test_missing(void **state)
{
	struct lu_conf c;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_conf_open(&c, "missing", &err), -1);
	assert_string_equal(err.msg, "missing: No such file or directory");
}

struct values {
	int n;
	double lr;
};

static void test_store(void **state)
{
	static const struct lu_opt rows[] = {
		LU_OPT_INT(0, "n", struct values, n, "N", 0, 9, ""),
		LU_OPT_DOUBLE(0, "lr", struct values, lr, "X", 0, 1, ""),
		LU_OPT_END,
	};
	struct values v = { 0 };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_conf_store(rows, &v, "lr", "3e-4", &err), 0);
	assert_true(v.lr == 3e-4);
	assert_int_equal(lu_conf_store(rows, &v, "n", "10", &err), -1);
	assert_string_equal(err.msg, "n: '10' is not between 0 and 9");
	assert_int_equal(lu_conf_store(rows, &v, "l_r", "1", &err), -1);
	assert_string_equal(err.msg, "unknown key 'l_r', did you mean 'lr'");
	assert_int_equal(lu_conf_store(rows, &v, "rate", "1", &err), -1);
	assert_string_equal(err.msg, "unknown key 'rate' (known: n, lr)");
}

static void test_split(void **state)
{
	static const char *const wrong[] = { "", "a", "a.b", "a=1", "a=b.c", "=.=" };
	char good[] = "train.lr = 3e-4 = x";
	char *section, *key, *value;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_conf_split(good, &section, &key, &value, &err), 0);
	assert_string_equal(section, "train");
	assert_string_equal(key, "lr");
	assert_string_equal(value, "3e-4 = x");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char *copy = strdup(wrong[i]);

		assert_int_equal(lu_conf_split(copy, &section, &key, &value, &err), -1);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests_name("conf", tests, scratch_make, scratch_remove);
}
