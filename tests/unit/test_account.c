/* The account of a run: counts, the limit of bad records, the reject file, what a failure leaves. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "libcommon/par/account.h"
#include "libcommon/sys/progress.h"

static const struct lu_opt no_opts[] = { LU_OPT_END };
static const struct lu_tool tool = { "lucie-test", "tests", "[FILE...]", no_opts, 0, 0 };

struct given {
	struct lu_std std;
	struct lu_args args;
	struct lu_account account;
	struct lu_err err;
};

static char in[] = "in", name[] = "lucie-test";
static char *argv[] = { name, in }, *file[] = { in };

static struct given given(void)
{
	struct given g = { .std = LU_STD_DEFAULTS };

	g.args = (struct lu_args){ .tool = &tool,
		.argc = 2,
		.argv = argv,
		.file = file,
		.files = 1,
		.start_wall = lu_clock() };
	g.std.output = "out";
	g.std.threads = 1;
	return g;
}

static int open_account(struct given *g, bool silent)
{
	return lu_account_open(&g->account, &g->std, &g->args, silent, &g->err);
}

static void test_counts(void **state)
{
	(void)state;
	for (int silent = 0; silent < 2; silent++) {
		struct given g = given();
		struct lu_stats *stats = &g.account.stats;

		assert_int_equal(open_account(&g, silent), 0);
		stats->in.docs = 4;
		assert_int_equal(lu_account_write(&g.account, LU_STR("a\nb\n"), 2, &g.err), 0);
		assert_int_equal(lu_account_write(&g.account, LU_STR("c\n"), 1, &g.err), 0);
		assert_int_equal(lu_account_drop(&g.account,
						 &(struct lu_reject){ "in", 4, "short", LU_STR("1"),
								 LU_STR("{}") },
						 &g.err),
				0);
		assert_int_equal(stats->out.docs, 3);
		assert_int_equal(stats->out.bytes, 6);
		assert_int_equal(lu_stats_dropped(stats), 1);
		assert_int_equal(access("out", F_OK), -1);
		assert_int_equal(lu_account_commit(&g.account, &g.err), 0);
		if (silent)
			assert_int_equal(access("out", F_OK), -1);
		else
			assert_file("out", "a\nb\nc\n");
		lu_account_close(&g.account);
		unlink("out");
	}
}

/* The number of bad records that a run survives. */
static uint64_t survives(struct given *g, const char *message)
{
	uint64_t n = 0;

	assert_int_equal(open_account(g, false), 0);
	while (n < 5 && lu_account_bad(&g->account, "in:7: not JSON", &g->err) == 0)
		n++;
	if (n < 5)
		assert_string_equal(g->err.msg, message);
	lu_account_close(&g->account);
	return n;
}

static void test_limit(void **state)
{
	struct given g = given();

	(void)state;
	assert_int_equal(survives(&g, "in:7: not JSON"), 0);
	g.std.max_bad_given = true;
	assert_int_equal(survives(&g, "in:7: not JSON"), 0);
	g.std.max_bad = 2;
	assert_int_equal(survives(&g, "in:7: not JSON (beyond --max-bad 2)"), 2);
	/* --rejects lifts the limit, unless one was given. */
	g.std.rejects = "rejects";
	assert_int_equal(survives(&g, "in:7: not JSON (beyond --max-bad 2)"), 2);
	g.std.max_bad_given = false;
	assert_int_equal(survives(&g, ""), 5);
}

static void test_rejects(void **state)
{
	static const struct lu_reject reject[] = {
		{ "in", 1, "not JSON", { "null", 4 }, { "no\r", 3 } },
		{ "a\"b", 2, "short", { "{\"n\":1}", 7 }, { "{\"text\":\"\"}\r\r", 13 } },
	};
	struct given g = given();

	(void)state;
	g.std.rejects = "rejects";
	assert_int_equal(open_account(&g, false), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(lu_account_drop(&g.account, &reject[i], &g.err), 0);
	assert_int_equal(lu_account_commit(&g.account, &g.err), 0);
	lu_account_close(&g.account);
	assert_file("rejects",
			"{\"file\":\"in\",\"line\":1,\"reason\":\"not "
			"JSON\",\"value\":null,\"raw_base64\":\"bm8N\"}\n"
			"{\"file\":\"a\\\"b\",\"line\":2,\"reason\":\"short\",\"value\":{\"n\":1},"
			"\"record\":{\"text\":\"\"}}\n");
}

static void test_refusals(void **state)
{
	struct given g = given();

	(void)state;
	put_text("in", "x");
	g.std.rejects = "in";
	assert_int_equal(open_account(&g, true), -1);
	assert_string_equal(g.err.msg, "in: input file is output file");
	lu_account_close(&g.account);
	g.std.rejects = "-";
	g.std.output = NULL;
	assert_int_equal(open_account(&g, false), -1);
	assert_string_equal(
			g.err.msg, "--rejects: standard output carries the documents, name a file");
	lu_account_close(&g.account);
	/* Without documents standard output is free. */
	assert_int_equal(open_account(&g, true), 0);
	lu_account_close(&g.account);
}

/* A run that fails leaves neither file, nor an accounting line. */
static void test_failure(void **state)
{
	struct given g = given();

	(void)state;
	g.std.rejects = "rejects";
	g.std.stats = "stats";
	assert_int_equal(open_account(&g, false), 0);
	assert_int_equal(lu_account_write(&g.account, LU_STR("a\n"), 1, &g.err), 0);
	lu_account_close(&g.account);
	assert_int_equal(access("out", F_OK), -1);
	assert_int_equal(access("rejects", F_OK), -1);
	assert_int_equal(access("stats", F_OK), -1);
}

static int each(void **state)
{
	(void)state;
	unlink("out");
	unlink("rejects");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_counts, each),
		cmocka_unit_test_setup(test_limit, each),
		cmocka_unit_test_setup(test_rejects, each),
		cmocka_unit_test_setup(test_refusals, each),
		cmocka_unit_test_setup(test_failure, each),
	};

	return cmocka_run_group_tests_name("account", tests, scratch_make, scratch_remove);
}
