/* io/outstream.h: output reads back, and its bytes do not depend on threads or write sizes. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "libcommon/base/num.h"
#include "libcommon/io/instream.h"
#include "libcommon/io/outstream.h"

static struct lu_buf data; /* a few megabytes that compress by about half */

static int make(void **state)
{
	uint64_t r = 1;

	for (int i = 0; i < 400000; i++)
		lu_buf_printf(&data, "%" PRIx64 " words ", unit_random(&r) >> 40);
	return lu_buf_ok(&data) ? scratch_make(state) : -1;
}

static int unmake(void **state)
{
	lu_buf_release(&data);
	return scratch_remove(state);
}

/* Write the data in pieces of varying size. */
static void write_as(const char *name, const char *how, int threads, size_t piece)
{
	struct lu_err err = { 0 };
	struct lu_out *out;

	if (lu_out_open(&out, name, how, threads, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t at = 0, i = 0; at < data.n; i++) {
		size_t n = piece + i % 7;

		n = n > data.n - at ? data.n - at : n;
		if (lu_out_write(out, data.p + at, n, &err) < 0)
			fail_msg("%s", err.msg);
		at += n;
	}
	if (lu_out_commit(out, &err) < 0)
		fail_msg("%s", err.msg);
}

static void expect_data(const char *name)
{
	struct lu_buf got = { 0 };
	struct lu_err err;
	struct lu_in *in;

	assert_int_equal(lu_in_open(&in, name, &err), 0);
	assert_true(lu_buf_reserve(&got, data.n + 1));
	assert_int_equal(lu_in_read(in, got.p, data.n + 1, &err), data.n);
	assert_memory_equal(got.p, data.p, data.n);
	lu_in_close(in);
	lu_buf_release(&got);
}

static void test_same_bytes(void **state)
{
	static const char *const how[] = { "none", "zstd", "zstd:1", "zstd:1:frames=64K",
		"zstd:frames", "gz:1", "xz:0" };

	(void)state;
	for (size_t i = 0; i < sizeof(how) / sizeof(*how); i++) {
		write_as("first", how[i], 1, 1 << 20);
		expect_data("first");
		write_as("other", how[i], 5, 97);
		assert_same_files("first", "other");
		/* Only zstd has threads. */
		if (how[i][0] != 'z')
			continue;
		write_as("other", how[i], 2, 1 << 20);
		assert_same_files("first", "other");
		/* Pieces around the size from which writes are not collected. */
		write_as("other", how[i], 3, 60000);
		assert_same_files("first", "other");
		write_as("other", how[i], 3, 65536);
		assert_same_files("first", "other");
	}
}

static void magic_is(const char *name, const char *magic, size_t n)
{
	size_t size;
	char *p = get_file(name, &size);

	assert_true(size >= n);
	assert_memory_equal(p, magic, n);
	free(p);
}

static void test_by_name(void **state)
{
	(void)state;
	write_as("x.jsonl.zst", NULL, 1, 4096);
	magic_is("x.jsonl.zst", "\x28\xB5\x2F\xFD", 4);
	/* The checksum flag of the frame header (RFC 8878, 3.1.1.1.1). */
	{
		size_t n;
		char *p = get_file("x.jsonl.zst", &n);

		assert_true(p[4] & 4);
		free(p);
	}
	write_as("x.gz", NULL, 1, 4096);
	/* No name and no time (RFC 1952, 2.3). */
	magic_is("x.gz", "\x1F\x8B\x08\0\0\0\0\0", 8);
	data.n /= 8;
	write_as("x.xz", NULL, 1, 1 << 20);
	magic_is("x.xz",
			"\xFD"
			"7zXZ",
			6);
	write_as("x.zst.txt", NULL, 1, 4096);
	magic_is("x.zst.txt", data.p, 100);
	write_as("x.zst", "none", 1, 4096);
	magic_is("x.zst", data.p, 100);
	expect_data("x.xz");
}

static void test_nothing_written(void **state)
{
	static const char *const name[] = { "e", "e.zst", "e.gz", "e.xz" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct lu_err err;
		struct lu_out *out;
		struct lu_in *in;
		char c;

		assert_int_equal(lu_out_open(&out, name[i], NULL, 2, &err), 0);
		assert_int_equal(lu_out_commit(out, &err), 0);
		assert_int_equal(lu_in_open(&in, name[i], &err), 0);
		assert_int_equal(lu_in_read(in, &c, 1, &err), 0);
		lu_in_close(in);
	}
}

static void test_wrong_compression(void **state)
{
	static const char *const bad[] = { "lz4", "", "zstd:", "zstd:0", "zstd:23", "gz:x", "gz:10",
		"zstd:1:2", "xz:-1", "none:1", "zstd:frames=1K", "gz:frames", "zstd:frames=2G" };
	struct lu_err err;
	struct lu_out *out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(lu_out_open(&out, "w", bad[i], 1, &err), -1);
		assert_non_null(strstr(err.msg, "compression"));
		assert_int_equal(access("w", F_OK), -1);
		assert_int_equal(unfinished_in("."), 0);
	}
}

/* Frames end with the first line end behind their size, and the table tells their sizes: each is
 * decompressed by itself. */
static void test_frames(void **state)
{
	static const char line[] = "a line of some text\n";
	struct lu_buf text = { 0 }, got = { 0 };
	struct lu_err err = { 0 };
	struct lu_out *out;
	size_t n, at = 0, frames;
	unsigned char *file;

	(void)state;
	for (int i = 0; i < 20000; i++)
		lu_buf_puts(&text, line);
	assert_int_equal(lu_out_open(&out, "f.zst", "zstd:frames=65536", 2, &err), 0);
	assert_int_equal(lu_out_buf(out, &text, &err), 0);
	assert_int_equal(lu_out_commit(out, &err), 0);
	file = (unsigned char *)get_file("f.zst", &n);
	assert_true(n > 17 && lu_load32(file + n - 4) == 0x8F92EAB1);
	frames = lu_load32(file + n - 9);
	assert_int_equal(frames, (text.n + 65539) / 65540);
	for (size_t i = 0; i < frames; i++) {
		const unsigned char *row = file + n - 9 - 8 * (frames - i);
		size_t packed = lu_load32(row), size = lu_load32(row + 4);

		assert_true(size == 65540 || i + 1 == frames);
		assert_true(lu_buf_reserve(&got, size));
		assert_int_equal(ZSTD_decompress(got.p + got.n, size, file + at, packed), size);
		got.n += size;
		at += packed;
	}
	assert_int_equal(at + 8 + 8 * frames + 9, n);
	assert_int_equal(got.n, text.n);
	assert_memory_equal(got.p, text.p, text.n);
	free(file);
	lu_buf_release(&got);
	lu_buf_release(&text);
}

/* A name must not promise a format that is not written, unless -z says what is meant. */
static void test_wrong_ending(void **state)
{
	static const char *const bad[] = { "w.bz2", "w.LZ4", "w.jsonl.zstd", "w.tar", "w.parquet",
		"w.Z", "/dev/shm/none/w.br" };
	struct lu_err err;
	struct lu_out *out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(lu_out_open(&out, bad[i], NULL, 1, &err), -1);
		assert_non_null(strstr(
				err.msg, "is not written; end the name in .zst, .gz or .xz"));
		assert_int_equal(access(bad[i], F_OK), -1);
	}
	assert_int_equal(lu_out_open(&out, "w.bz2", "none", 1, &err), 0);
	assert_int_equal(lu_out_commit(out, &err), 0);
	assert_file("w.bz2", "");
	assert_int_equal(lu_out_open(&out, "bz2", NULL, 1, &err), 0);
	lu_out_abort(out);
}

static void test_full_disk(void **state)
{
	static const char *const how[] = { "none", "zstd", "gz", "xz:0" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct lu_err err = { 0 };
		struct lu_out *out;
		int rc;

		assert_int_equal(lu_out_open(&out, "/dev/full", how[i], 2, &err), 0);
		rc = lu_out_write(out, data.p, 1000, &err);
		if (rc == 0)
			rc = lu_out_commit(out, &err);
		else
			lu_out_abort(out);
		assert_int_equal(rc, -1);
		assert_string_equal(err.msg, "/dev/full: No space left on device");
	}
}

static void test_sticky_buffer(void **state)
{
	struct lu_buf b = { 0 };
	struct lu_err err;
	struct lu_out *out;

	(void)state;
	assert_false(lu_buf_reserve(&b, SIZE_MAX));
	assert_int_equal(lu_out_open(&out, "s", NULL, 1, &err), 0);
	assert_int_equal(lu_out_buf(out, &b, &err), -1);
	assert_string_equal(err.msg, "out of memory");
	lu_out_abort(out);
	lu_buf_release(&b);
	assert_int_equal(access("s", F_OK), -1);
}

static void test_refuse(void **state)
{
	char a[] = "a", b[] = "b", dot[] = "./link";
	char *files[] = { b, a }, *other[] = { b }, *through[] = { dot };
	struct lu_err err;
	struct lu_out *out;

	(void)state;
	put_text("a", "kept\n");
	put_text("b", "kept\n");
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(lu_out_open(&out, "a", NULL, 1, &err), 0);
	assert_int_equal(lu_out_refuse_inputs(out, other, 1, &err), 0);
	assert_int_equal(lu_out_refuse_inputs(out, files, 2, &err), -1);
	assert_string_equal(err.msg, "a: input file is output file");
	assert_int_equal(lu_out_refuse_inputs(out, through, 1, &err), -1);
	lu_out_abort(out);
	assert_file("a", "kept\n");
	assert_int_equal(lu_out_open(&out, "link", NULL, 1, &err), 0);
	assert_int_equal(lu_out_refuse_inputs(out, files, 2, &err), -1);
	lu_out_abort(out);
	assert_int_equal(lu_out_open(&out, "/dev/null", NULL, 1, &err), 0);
	assert_int_equal(lu_out_refuse_inputs(out, files, 2, &err), 0);
	assert_int_equal(lu_out_commit(out, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_nothing_written),
		cmocka_unit_test(test_wrong_compression),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_wrong_ending),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_sticky_buffer),
		cmocka_unit_test(test_refuse),
	};

	return cmocka_run_group_tests_name("outstream", tests, make, unmake);
}
