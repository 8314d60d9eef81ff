/*
 * libcommon/parquet: what is written comes back, and files of other writers, damaged anywhere, give
 * rows, counted damage or a sentence. tests/interop/parquet_random.py compares values with pyarrow's.
 */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/entries/parquet_reader.h"
#include "libcommon/io/json.h"
#include "libcommon/parquet/parquet_footer.h"
#include "libcommon/parquet/parquet_writer.h"
#include "libcommon/parquet/thrift.h"

struct taken {
	struct lu_buf lines;
	uint64_t rows, left_out, bad;
};

static int take(void *ctx, const struct lu_entry *e, struct lu_err *err)
{
	struct taken *t = ctx;

	if (e->drop && !e->bad) {
		t->left_out++;
		return 0;
	}
	t->rows++;
	t->bad += e->bad;
	lu_buf_str(&t->lines, e->bad ? LU_STR("bad") : e->bytes);
	lu_buf_putc(&t->lines, '\n');
	return lu_buf_check(&t->lines, err);
}

/* Read bytes as Parquet, from memory. 0, or -1 with the error. */
static int read_bytes(struct lu_str bytes, const struct lu_entries_options *o, struct taken *t,
		struct lu_err *err)
{
	struct lu_buf block = { 0 };
	struct lu_feed *feed;
	void *state = NULL;
	int rc;

	*t = (struct taken){ 0 };
	assert_int_equal(lu_feed_open_str(&feed, "x", &bytes, err), 0);
	rc = lu_parquet.open(&state, feed, NULL, ".", o, err);
	while (rc >= 0 && (rc = lu_parquet.block(state, &block, err)) > 0) {
		if (lu_parquet.convert(o, lu_buf_slice(&block), take, t, err) < 0)
			rc = -1;
	}
	lu_parquet.close(state);
	lu_feed_close(feed);
	lu_buf_release(&block);
	return rc;
}

static const struct lu_entries_options options = { .limit = 1 << 20 };

static void write_file(const char *name, int level, const struct lu_buf *lines, size_t piece)
{
	struct lu_pq_writer *w;
	struct lu_err err = { 0 };
	struct lu_out *out;

	assert_int_equal(lu_out_open(&out, name, "none", 1, &err), 0);
	assert_int_equal(lu_pq_writer_open(&w, out, name, level, &err), 0);
	for (size_t at = 0; at < lines->n; at += piece) {
		size_t n = lines->n - at < piece ? lines->n - at : piece;

		if (lu_pq_writer_lines(w, (struct lu_str){ lines->p + at, n }, &err) < 0)
			fail_msg("%s", err.msg);
	}
	if (lu_pq_writer_finish(w, &err) < 0)
		fail_msg("%s", err.msg);
	lu_pq_writer_free(w);
	assert_int_equal(lu_out_commit(out, &err), 0);
}

/* Records of every spelling that is kept, with members in any order, many pages and a full dictionary. */
static void make_records(struct lu_buf *b)
{
	static const char *const first[] = { "{}", "{\"text\":null}", "{\"text\":\"\",\"id\":7}",
		"{\"id\":\"a\",\"x\":1,\"y\":[1, 2],\"text\":\"B\",\"lang_score\":0.990,\"z\":{}}",
		"{\"license\":[\"MIT\"],\"text\":\"\\u0001\\\"\\\\\\n\",\"\":0,\"a,b=*\":1}",
		"{\"text\": \"a\", \"id\": 1.50, \"lang_score\": 1.0, \"other\": \"x\"}",
		"{\"text\": \"\\u00e9\\ud83d\\ude00\", \"\\u00fc\": \"\\u00e9\"}",
		"{\"text\":\"\xC3\xA9\",\"url\":{\"a\":null},\"lang_score\":\"high\"}" };
	uint64_t r = 1;

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		lu_buf_printf(b, "%s\n", first[i]);
	for (int i = 0; i < 30000; i++) {
		lu_buf_printf(b, "{\"id\":\"%d\",\"source\":\"s%d\",", i, i / 1000);
		/* The dictionary of categories is full at some point. */
		lu_buf_printf(b, "\"category\":\"%" PRIx64 "-%0*d\",", unit_random(&r), i % 90, 0);
		lu_buf_printf(b,
				i % 3 ? "\"text\":\"%0*d\"}\n"
				      : "\"lang\":\"fr\",\"text\":\"%0*d\"}\n",
				(int)(unit_random(&r) % 200) + 1, i);
	}
}

static void test_records_come_back(void **state)
{
	static const int level[] = { 3, 0, 1 };
	struct lu_buf lines = { 0 };
	struct lu_err err = { 0 };
	struct taken t;

	(void)state;
	make_records(&lines);
	for (size_t i = 0; i < 3; i++) {
		size_t n;
		char *file;

		write_file("a.parquet", level[i], &lines, SIZE_MAX);
		file = get_file("a.parquet", &n);
		if (read_bytes((struct lu_str){ file, n }, &options, &t, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(t.lines.n, lines.n);
		assert_memory_equal(t.lines.p, lines.p, lines.n);
		lu_buf_release(&t.lines);
		free(file);
	}
	write_file("b.parquet", 1, &lines, 1 << 16 | 3);
	assert_same_files("a.parquet", "b.parquet");
	lu_buf_release(&lines);
	write_file("a.parquet", 3, &lines, 1);
	assert_int_equal(read_bytes(LU_STR(""), &options, &t, &err), -1);
}

static void test_no_records(void **state)
{
	struct lu_pq_writer *w;
	struct lu_err err = { 0 };
	struct lu_out *out;
	int level;

	(void)state;
	assert_int_equal(lu_out_open(&out, "c.parquet", "none", 1, &err), 0);
	assert_int_equal(lu_pq_writer_open(&w, out, "c.parquet", 3, &err), 0);
	assert_int_equal(lu_pq_writer_lines(w, LU_STR("1 2 3\n"), &err), -1);
	assert_non_null(strstr(err.msg, "c.parquet: Parquet holds records"));
	lu_pq_writer_free(w);
	lu_out_abort(out);
	assert_int_equal(lu_pq_level(NULL, &level, &err), 0);
	assert_int_equal(level, 3);
	assert_int_equal(lu_pq_level("zstd:9", &level, &err), 0);
	assert_int_equal(level, 9);
	assert_int_equal(lu_pq_level("none", &level, &err), 0);
	assert_int_equal(level, 0);
	assert_int_equal(lu_pq_level("gz", &level, &err), -1);
	assert_int_equal(lu_pq_level("zstd:23", &level, &err), -1);
	assert_true(lu_pq_is_name("x.Parquet") && !lu_pq_is_name("parquet") &&
			!lu_pq_is_name(NULL));
}

static const char *const files[] = { "types", "encodings", "crossing", "datasets", "duckdb-zstd",
	"duckdb-lz4_raw", "polars-lz4", "polars-snappy", "polars-uncompressed" };
#define FILES (sizeof(files) / sizeof(*files))

static char *sample(size_t i, size_t *n)
{
	char name[64];

	snprintf(name, sizeof(name), "parquet/%s.parquet", files[i]);
	return get_data(name, n);
}

/* Every row of ours is JSON, and damage is either a sentence or a count. */
static void check(struct lu_str bytes)
{
	struct lu_err err = { .msg = "" };
	struct lu_str rest;
	struct taken t;

	if (read_bytes(bytes, &options, &t, &err) < 0)
		assert_true(strncmp(err.msg, "x: ", 3) == 0 && strlen(err.msg) > 8);
	rest = lu_buf_slice(&t.lines);
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct lu_str line = { rest.p, (size_t)(end - rest.p) };
		struct lu_json_fault fault;
		enum lu_json_type type;

		assert_true(lu_str_is(line, "bad") || lu_json_check(line, &type, &fault) == 0);
		rest = (struct lu_str){ end + 1, rest.n - line.n - 1 };
	}
	lu_buf_release(&t.lines);
}

static void test_damage(void **state)
{
	uint64_t r = 7;

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		size_t n;
		char *file = sample(i, &n), *copy = malloc(n);
		struct lu_err err = { 0 };
		struct taken t;

		assert_non_null(copy);
		assert_int_equal(read_bytes((struct lu_str){ file, n }, &options, &t, &err), 0);
		assert_true(t.rows >= 2 && t.bad == 0);
		lu_buf_release(&t.lines);
		for (size_t k = 0; k < n; k += n / 60 + 1)
			check((struct lu_str){ file, k });
		for (int k = 0; k < 300; k++) {
			memcpy(copy, file, n);
			for (uint64_t m = unit_random(&r) % 3 + 1; m; m--)
				copy[unit_random(&r) % n] = (char)unit_random(&r);
			check((struct lu_str){ copy, n });
		}
		free(copy);
		free(file);
	}
}

/* A flipped bit in the bytes of a page with a checksum is found. */
static void test_checksum(void **state)
{
	size_t n, at;
	char *file = sample(1, &n);
	struct lu_err err = { 0 };
	struct taken t;

	(void)state;
	/* The last page before the footer. */
	at = n - 8 - (size_t)(unsigned char)file[n - 8] - ((size_t)(unsigned char)file[n - 7] << 8);
	file[at - 3] ^= 1;
	if (read_bytes((struct lu_str){ file, n }, &options, &t, &err) == 0)
		assert_true(t.bad > 0 && t.rows == 300);
	else
		assert_non_null(strstr(err.msg, "checksum"));
	lu_buf_release(&t.lines);
	free(file);
}

static void test_sentences(void **state)
{
	struct lu_entries_options o = options;
	static const struct {
		size_t cut; /* bytes off the end */
		const char *tail, *says;
	} t[] = { { 4, "PARE", "encrypted" }, { 1, "", "truncated" },
		{ 8, "\xFF\xFF\xFF\x7FPAR1", "damaged" }, { 8, "\1\0\0\0PAR1", "footer" } };
	struct lu_err err = { 0 };
	struct taken got;
	size_t n;
	char *file = sample(0, &n);

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct lu_buf b = { 0 };

		lu_buf_append(&b, file, n - t[i].cut);
		lu_buf_append(&b, t[i].tail, t[i].cut == 1 ? 0 : t[i].cut);
		assert_int_equal(read_bytes(lu_buf_slice(&b), &options, &got, &err), -1);
		if (!strstr(err.msg, t[i].says))
			fail_msg("%s", err.msg);
		lu_buf_release(&b);
	}
	o.text_field = "nope";
	assert_int_equal(read_bytes((struct lu_str){ file, n }, &o, &got, &err), 0);
	lu_buf_release(&got.lines);
	free(file);
	file = sample(3, &n);
	/* Columns of bytes are said once, and a limit leaves rows out. */
	assert_int_equal(read_bytes((struct lu_str){ file, n }, &options, &got, &err), 0);
	assert_int_equal(got.left_out, 1);
	lu_buf_release(&got.lines);
	o.limit = 20;
	o.text_field = NULL;
	assert_int_equal(read_bytes((struct lu_str){ file, n }, &o, &got, &err), 0);
	assert_int_equal(got.bad, 2);
	lu_buf_release(&got.lines);
	free(file);
}

static void test_thrift(void **state)
{
	struct lu_buf b = { 0 };
	struct lu_thrift_out w = { .b = &b };
	struct lu_thrift_field f = { 0 };
	struct lu_thrift t;
	static const int64_t number[] = { 0, -1, 1, INT64_MIN, INT64_MAX, 300, -300 };

	(void)state;
	for (size_t i = 0; i < 7; i++)
		lu_thrift_put_i64(&w, (int)(i * i * 5) + 1, LU_THRIFT_I64, number[i]);
	lu_thrift_put_str(&w, 1000, LU_STR("text"));
	lu_thrift_end(&w);
	t = lu_thrift_of(lu_buf_slice(&b));
	for (size_t i = 0; i < 7; i++) {
		assert_true(lu_thrift_next(&t, &f));
		assert_int_equal(f.id, i * i * 5 + 1);
		assert_true(lu_thrift_i64(&t, &f) == number[i]);
	}
	assert_true(lu_thrift_next(&t, &f) && lu_str_is(lu_thrift_str(&t, &f), "text"));
	assert_false(lu_thrift_next(&t, &f));
	assert_false(t.failed);
	/* Any cut is a failure that says that bytes are missing. */
	for (size_t n = 0; n < b.n; n++) {
		t = lu_thrift_of((struct lu_str){ b.p, n });
		f = (struct lu_thrift_field){ 0 };
		while (lu_thrift_next(&t, &f))
			lu_thrift_skip(&t, &f);
		assert_true(t.failed && t.ended);
	}
	/* Structures in structures without end. */
	lu_buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		lu_buf_putc(&b, 0x1C);
	t = lu_thrift_of(lu_buf_slice(&b));
	f = (struct lu_thrift_field){ 0 };
	while (lu_thrift_next(&t, &f))
		lu_thrift_skip(&t, &f);
	assert_true(t.failed && !t.ended);
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thrift),
		cmocka_unit_test(test_records_come_back),
		cmocka_unit_test(test_no_records),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_sentences),
	};

	return cmocka_run_group_tests_name("parquet", tests, scratch_make, scratch_remove);
}
