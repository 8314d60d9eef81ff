/* The shard writer: what is written reads back, and its bytes do not change between versions. */
#include "tests/unit/make_shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/io/instream.h"

/* A range of any length from any offset reads the same as token by token. */
static void check_ranges(const struct lu_shard *s)
{
	uint64_t tokens = lu_shard_tokens(s);
	uint32_t *one = malloc((tokens + 1) * sizeof(*one)), *many = malloc(tokens * sizeof(*many));

	assert_non_null(one);
	assert_non_null(many);
	for (uint64_t i = 0; i < tokens; i++)
		read_tokens(s, i, 1, &one[i]);
	for (uint64_t from = 0; from <= tokens; from++) {
		for (uint64_t n = 0; n <= tokens - from; n++) {
			read_tokens(s, from, n, many);
			assert_memory_equal(many, one + from, n * sizeof(*many));
		}
	}
	free(one);
	free(many);
}

static void test_round_trip(void **state)
{
	static const struct {
		uint64_t vocab, max_tokens, documents, parts;
		unsigned width;
	} kind[] = {
		{ 100, 0, 41, 1, 2 },
		{ 65499, 0, 41, 1, 2 },
		{ 65500, 0, 41, 1, 4 },
		{ 70000, 0, 41, 1, 4 },
		{ 100, 20, 41, 7, 2 },
		/* A limit below the size of most documents: one part each. */
		{ 70000, 1, 41, 41, 4 },
		{ 100, 1000, 41, 1, 2 },
	};
	struct lu_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		struct lu_shard *s;

		make_shard("trip", shard_format(kind[i].vocab, kind[i].max_tokens),
				kind[i].documents);
		ok(lu_shard_open(&s, "trip", &err), &err);
		assert_int_equal(lu_shard_width(s), kind[i].width);
		assert_int_equal(lu_shard_parts(s), kind[i].parts);
		assert_int_equal(lu_shard_part_document(s, lu_shard_parts(s)),
				lu_shard_documents(s));
		assert_non_null(lu_shard_manifest(s));
		check_shard(s, kind[i].documents, kind[i].vocab);
		check_ranges(s);
		lu_shard_close(s);
	}
	/* Only the files of the last shard are left: it removed the parts of those before. */
	assert_int_equal(access("trip-00000.bin", F_OK), 0);
	assert_int_equal(access("trip-00001.bin", F_OK), -1);
	assert_int_equal(access("trip-00001.docs.jsonl.zst", F_OK), -1);
	assert_int_equal(access("trip.bin", F_OK), -1);
}

static void test_nothing(void **state)
{
	struct lu_shard *s;
	struct lu_err err = { 0 };

	(void)state;
	make_shard("nothing", shard_format(100, 0), 0);
	ok(lu_shard_open(&s, "nothing", &err), &err);
	assert_int_equal(lu_shard_tokens(s), 0);
	assert_int_equal(lu_shard_documents(s), 0);
	read_tokens(s, 0, 0, NULL);
	lu_shard_close(s);
	/* Only a document without tokens. */
	make_shard("nothing", shard_format(100, 0), 1);
	ok(lu_shard_open(&s, "nothing", &err), &err);
	assert_int_equal(lu_shard_tokens(s), 0);
	assert_int_equal(lu_shard_documents(s), 1);
	lu_shard_close(s);
}

/* The longest document has 2^31 - 1 tokens; one more is an error, not an overflow. */
static void test_too_long(void **state)
{
	struct lu_shard_format f = shard_format(100, 0);
	struct lu_shard_writer *w;
	struct lu_ledger_doc d = { .tokens = (uint64_t)INT32_MAX + 1,
		.id = LU_STR("1"),
		.source = LU_STR("null"),
		.license = LU_STR("null"),
		.lang = LU_STR("null") };
	struct lu_err err = { 0 };

	(void)state;
	ok(lu_shard_writer_open(&w, "long", &f, &err), &err);
	assert_int_equal(lu_shard_writer_add(w, &d, NULL, &err), -1);
	assert_non_null(strstr(err.msg, "2147483648 tokens"));
	lu_shard_writer_free(w);
	assert_int_equal(access("long.bin", F_OK), -1);
	assert_int_equal(unfinished_in("."), 0);
}

static void test_not_committed(void **state)
{
	struct lu_shard_format f = shard_format(100, 5);
	struct lu_shard_writer *w, *second;
	struct lu_shard *s;
	struct lu_err err = { 0 };

	(void)state;
	make_shard("old", shard_format(100, 0), 9);
	ok(lu_shard_writer_open(&w, "old", &f, &err), &err);
	assert_int_equal(lu_shard_writer_open(&second, "old", &f, &err), -1);
	assert_non_null(strstr(err.msg, "old.json: two outputs have this name"));
	for (uint64_t i = 0; i < 20; i++)
		add_document(w, i, 100, &err);
	ok(lu_shard_writer_settle(w, &err), &err);
	lu_shard_writer_free(w);
	ok(lu_shard_open(&s, "old", &err), &err);
	assert_int_equal(lu_shard_documents(s), 9);
	lu_shard_close(s);
	assert_int_equal(access("old-00000.bin", F_OK), -1);
	assert_int_equal(unfinished_in("."), 0);
}

static char *golden_path(const char *suffix)
{
	const char *src = getenv("LUCIE_SRC");
	char *path;

	assert_true(asprintf(&path, "%s/tests/data/shard-1%s", src ? src : ".", suffix) > 0);
	return path;
}

static void same_bytes(const char *suffix)
{
	char *path = golden_path(suffix), *name, *want, *got;
	size_t n, m;

	assert_true(asprintf(&name, "gold%s", suffix) > 0);
	want = get_file(path, &n);
	got = get_file(name, &m);
	assert_int_equal(m, n);
	assert_memory_equal(got, want, n);
	free(path);
	free(name);
	free(want);
	free(got);
}

/* Compressed bytes depend on the version of zstd, so the text is compared. */
static void same_text(const char *suffix)
{
	char *path = golden_path(suffix), *name, a[4096], b[4096];
	struct lu_in *in;
	struct lu_err err = { 0 };
	ssize_t n, m;

	assert_true(asprintf(&name, "gold%s", suffix) > 0);
	ok(lu_in_open(&in, path, &err), &err);
	n = lu_in_read(in, a, sizeof(a), &err);
	lu_in_close(in);
	ok(lu_in_open(&in, name, &err), &err);
	m = lu_in_read(in, b, sizeof(b), &err);
	lu_in_close(in);
	assert_in_range(n, 100, sizeof(a) - 1);
	assert_int_equal(m, n);
	assert_memory_equal(a, b, (size_t)n);
	free(path);
	free(name);
}

/* tests/data/shard-1.*: nine documents in two parts, read and written again. */
static void test_golden(void **state)
{
	struct lu_shard_format f = shard_format(70000, 20);
	char *prefix;
	struct lu_shard *s;
	struct lu_buf faults = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	prefix = golden_path("");
	ok(lu_shard_open(&s, prefix, &err), &err);
	check_shard(s, 9, 70000);
	assert_int_equal(lu_shard_parts(s), 2);
	lu_shard_close(s);
	assert_int_equal(verify_shard(prefix, &faults), 0);
	make_shard("gold", f, 9);
	same_bytes("-00000.bin");
	same_bytes("-00000.idx");
	same_bytes("-00001.bin");
	same_bytes("-00001.idx");
	same_text("-00000.docs.jsonl.zst");
	same_text("-00001.docs.jsonl.zst");
	lu_buf_release(&faults);
	free(prefix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_not_committed),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
