/* The manifest of a shard: it reads back as it was written, and wrong members are named. */
#include "tests/unit/make_shard.h"

#include <errno.h>
#include <stdlib.h>

static void test_round_trip(void **state)
{
	struct lu_manifest m = { 0 };
	struct lu_buf again = { 0 };
	struct lu_err err = { 0 };
	char *text;
	size_t n;

	(void)state;
	make_shard("trip", shard_format(70000, 20), 41);
	text = get_file("trip.json", &n);
	ok(lu_manifest_read(&m, "trip.json", &err), &err);
	assert_int_equal(m.documents, 41);
	assert_int_equal(m.langs, 2);
	assert_int_equal(m.licenses, 3);
	assert_int_equal(m.files, 3 * m.parts);
	assert_null(lu_manifest_file(&m, ".bin"));
	assert_non_null(lu_manifest_file(&m, "-00001.idx"));
	lu_manifest_write(&m, &again);
	assert_true(lu_buf_ok(&again));
	assert_memory_equal(text, again.p, again.n);
	/* Only its own hash follows. */
	assert_int_equal(n - again.n, strlen(LU_MANIFEST_SELF) + 32 + strlen("\"}\n"));
	assert_int_equal(strncmp(text + again.n, LU_MANIFEST_SELF, strlen(LU_MANIFEST_SELF)), 0);
	lu_manifest_release(&m);
	lu_buf_release(&again);
	free(text);
}

static void test_wrong_members(void **state)
{
	static const struct {
		const char *from, *to, *words;
	} edit[] = {
		{ "\"lucie_shard\":1", "\"lucie_shard\":4", "version 4 is not supported" },
		{ "\"lucie_shard\":1", "\"lucie_shard\":2", "\"joined\" is missing or wrong" },
		{ "\"lucie_shard\":1", "\"lucie_shard\":3", "\"kind\" is missing or wrong" },
		{ "\"lucie_shard\":1", "\"lucie_shard\":3,\"kind\":\"chat\"",
				"\"files\" is missing or wrong" },
		{ "\"uint16\"", "\"uint8\"", "\"type\" is missing or wrong" },
		{ "\"vocab\":100", "\"vocab\":-1", "\"vocab\" is missing or wrong" },
		{ "\"eos\":null", "\"eos\":4294967296", "\"eos\" is missing or wrong" },
		{ "\"tokenizer\":null", "\"tokenizer\":\"0\"", "\"tokenizer\" is missing" },
		{ "\"langs\":[", "\"langs\":[1,", "\"langs\" is missing or wrong" },
		{ "\"licenses\"", "\"licences\"", "\"licenses\" is missing or wrong" },
		{ "\"options\":{}", "\"options\":[]", "\"options\" is missing or wrong" },
		{ "\"parts\":0", "\"parts\":2", "\"files\" is missing or wrong" },
		{ "\".idx\"", "\".bin\"", "\"files\" is missing or wrong" },
		{ "\"xxh3_128\":\"", "\"xxh3_128\":\"x", "\"files\" is missing or wrong" },
		{ "{", "", "wrong.json: " },
	};
	struct lu_manifest m;
	struct lu_buf edited = { 0 };
	char *text;
	size_t n;

	(void)state;
	make_shard("good", shard_format(100, 0), 9);
	text = get_file("good.json", &n);
	for (size_t i = 0; i < sizeof(edit) / sizeof(edit[0]); i++) {
		struct lu_err err = { 0 };
		const char *at = strstr(text, edit[i].from);

		if (!at)
			fail_msg("the manifest has no %s", edit[i].from);
		lu_buf_clear(&edited);
		lu_buf_append(&edited, text, (size_t)(at - text));
		lu_buf_puts(&edited, edit[i].to);
		lu_buf_puts(&edited, at + strlen(edit[i].from));
		put_file("wrong.json", edited.p, edited.n);
		assert_int_equal(lu_manifest_read(&m, "wrong.json", &err), -1);
		if (!strstr(err.msg, edit[i].words))
			fail_msg("expected '%s', got: %s", edit[i].words, err.msg);
		assert_int_equal(err.errnum, 0);
	}
	lu_buf_release(&edited);
	free(text);
}

static void test_missing_file(void **state)
{
	struct lu_manifest m;
	struct lu_err err = { 0 };
	char hash[33];

	(void)state;
	assert_int_equal(lu_manifest_read(&m, "none.json", &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(lu_manifest_hash("none", hash, &err), -1);
	assert_non_null(strstr(err.msg, "none.json: "));
}

/* Groups of parts that do not add up. */
static void test_joined(void **state)
{
	static const char *const wrong[] = { "[1,0,2]", "[1,1]", "[1,1,1,1]", "[4]", "[]", "[-3]",
		"[3.0]", "[18446744073709551615,4]", "null" };
	struct lu_shard_format f = shard_format(100, 0);
	struct lu_shard_writer *w;
	struct lu_manifest m;
	struct lu_buf edited = { 0 };
	struct lu_err err = { 0 };
	char *text, *at;
	size_t n;

	(void)state;
	f.joined = true;
	ok(lu_shard_writer_open(&w, "joined", &f, &err), &err);
	for (uint64_t i = 0; i < 3; i++) {
		if (i)
			ok(lu_shard_writer_next(w, &err), &err);
		add_document(w, i, 100, &err);
		assert_int_equal(lu_shard_writer_since(w), 1);
	}
	ok(lu_shard_writer_settle(w, &err), &err);
	ok(lu_shard_writer_commit(w, &err), &err);
	lu_shard_writer_free(w);
	ok(lu_manifest_read(&m, "joined.json", &err), &err);
	assert_int_equal(m.joins, 3);
	assert_int_equal(m.parts, 3);
	lu_manifest_release(&m);
	text = get_file("joined.json", &n);
	at = strstr(text, "[1,1,1]");
	assert_non_null(at);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		lu_buf_clear(&edited);
		lu_buf_append(&edited, text, (size_t)(at - text));
		lu_buf_puts(&edited, wrong[i]);
		lu_buf_puts(&edited, at + strlen("[1,1,1]"));
		put_file("wrong.json", edited.p, edited.n);
		if (lu_manifest_read(&m, "wrong.json", &err) == 0)
			fail_msg("%s was read", wrong[i]);
		assert_string_equal(err.msg, "wrong.json: \"joined\" is missing or wrong");
	}
	lu_buf_release(&edited);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_wrong_members),
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
