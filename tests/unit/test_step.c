/* The data of a training step, from the files of tests/data/run. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "libcommon/order/step.h"

static char *run_folder(void)
{
	const char *src = getenv("LUCIE_SRC");
	char *path;

	assert_true(asprintf(&path, "%s/tests/data/run", src ? src : ".") > 0);
	return path;
}

static void test_phases(void **state)
{
	char *run = run_folder();
	struct lu_step s;
	struct lu_err err = { 0 };

	(void)state;
	assert_int_equal(lu_step_read(&s, run, "100", &err), 0);
	assert_int_equal(s.first, 792);
	assert_int_equal(s.samples, 8);
	assert_string_equal(s.train, "shards/fr shards/en");
	assert_int_equal(s.rows.context, 2048);
	assert_int_equal(s.rows.seed, 8);
	assert_true(s.rows.shuffle);
	lu_step_release(&s);
	/* The settings of its own phase override. */
	assert_int_equal(lu_step_read(&s, run, "300", &err), 0);
	assert_int_equal(s.first, 144);
	assert_int_equal(s.samples, 16);
	assert_string_equal(s.train, "mix.plan");
	assert_int_equal(s.rows.context, 4096);
	assert_int_equal(s.rows.seed, 7);
	assert_false(s.rows.shuffle);
	lu_step_release(&s);
	free(run);
}

/* A resumed run repeats steps: the last line of a step counts. */
static void test_repeated(void **state)
{
	char *run = run_folder();
	struct lu_step s;
	struct lu_err err = { 0 };

	(void)state;
	assert_int_equal(lu_step_read(&s, run, "200", &err), 0);
	assert_int_equal(s.first, 1616);
	assert_int_equal(s.samples, 16);
	lu_step_release(&s);
	free(run);
}

/* Unknown steps, a batch larger than the samples so far, half a line. */
static void test_no_such_step(void **state)
{
	static const char *const number[] = { "", "1", "0200", "400", "500", "x" };
	char *run = run_folder();
	struct lu_step s;

	(void)state;
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		struct lu_err err = { 0 };
		char words[32];

		snprintf(words, sizeof(words), "metrics.jsonl: no step %s", number[i]);
		assert_int_equal(lu_step_read(&s, run, number[i], &err), -1);
		assert_non_null(strstr(err.msg, words));
		assert_null(s.train);
	}
	free(run);
}

static void test_incomplete_run(void **state)
{
	struct lu_step s;
	struct lu_err err = { 0 };

	(void)state;
	assert_int_equal(lu_step_read(&s, "r", "1", &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(mkdir("r", 0777), 0);
	put_text("r/metrics.jsonl", "{\"step\":1,\"phase\":\"\",\"samples\":8,\"batch\":8}\n");
	assert_int_equal(lu_step_read(&s, "r", "1", &err), -1);
	assert_non_null(strstr(err.msg, "r/config.ini: "));
	put_text("r/config.ini", "[data]\ntrain = x\n");
	assert_int_equal(lu_step_read(&s, "r", "1", &err), -1);
	assert_string_equal(err.msg, "r/config.ini: no data.train or train.context");
	put_text("r/config.ini", "[data]\ntrain = x\n[train]\ncontext = many\n");
	assert_int_equal(lu_step_read(&s, "r", "1", &err), -1);
	assert_non_null(strstr(err.msg, "many"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_no_such_step),
		cmocka_unit_test(test_incomplete_run),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
