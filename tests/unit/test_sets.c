/* Shards written together: each set its own shard, all of them or none. */
#include "tests/unit/make_shard.h"

#include <unistd.h>

#include "libcommon/shard/sets.h"

static void put_options(void *ctx, const char *suffix, struct lu_buf *out)
{
	(void)ctx;
	lu_buf_printf(out, "{\"set\":\"%s\"}", suffix);
}

static void open_sets(struct lu_shard_sets *s, const char *prefix)
{
	static const char *const name[] = { "", "a", "b", "a", "" };
	struct lu_shard_format f = shard_format(100, 0);
	struct lu_err err = { 0 };

	ok(lu_shard_sets_open(s, prefix, &f, put_options, NULL, &err), &err);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		struct lu_shard_writer *w = lu_shard_sets_get(s, lu_str_of(name[i]), &err);

		if (!w)
			fail_msg("%s", err.msg);
		add_document(w, i, 100, &err);
	}
	assert_int_equal(s->set.n, 3);
}

static void check_set(const char *prefix, uint64_t documents, const char *options)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };

	ok(lu_shard_open(&s, prefix, &err), &err);
	assert_int_equal(lu_shard_documents(s), documents);
	assert_true(lu_str_is(lu_shard_manifest(s)->options, options));
	lu_shard_close(s);
}

static void test_commit(void **state)
{
	struct lu_shard_sets s;
	struct lu_err err = { 0 };

	(void)state;
	open_sets(&s, "all");
	ok(lu_shard_sets_settle(&s, &err), &err);
	assert_int_equal(access("all-a.json", F_OK), -1);
	ok(lu_shard_sets_commit(&s, &err), &err);
	lu_shard_sets_close(&s);
	check_set("all", 2, "{\"set\":\"\"}");
	check_set("all-a", 2, "{\"set\":\"-a\"}");
	check_set("all-b", 1, "{\"set\":\"-b\"}");
}

static void test_close(void **state)
{
	static const char *const name[] = { "none.json", "none.bin", "none-a.bin" };
	struct lu_shard_sets s, empty = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	open_sets(&s, "none");
	ok(lu_shard_sets_settle(&s, &err), &err);
	lu_shard_sets_close(&s);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		assert_int_equal(access(name[i], F_OK), -1);
	assert_int_equal(unfinished_in("."), 0);
	lu_shard_sets_close(&empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
