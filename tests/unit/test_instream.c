/*
 * io/instream.h: what the libraries' encoders wrote comes back, and damage of any kind is an error.
 */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zdict.h>
#include <zstd.h>

#include "libcommon/io/instream.h"

static const char text[] = "{\"text\":\"Le matin, la lumi\xC3\xA8re entre dans l'atelier.\"}\n"
			   "{\"text\":\"Le soir, elle s'en va, et l'atelier est vide.\"}\n";
#define TEXT_SIZE (sizeof(text) - 1)

/* Bytes by which each format is recognised. */
static const size_t magic[UNIT_CODINGS] = { 2, 4, 6, 10, 4 };

/* Read the whole file in pieces of `piece` bytes. */
static int read_all(const char *name, size_t piece, struct lu_buf *out, struct lu_err *err)
{
	struct lu_in *in;
	ssize_t n;

	lu_buf_clear(out);
	if (lu_in_open(&in, name, err) < 0)
		return -1;
	do {
		assert_true(lu_buf_reserve(out, piece));
		n = lu_in_read(in, out->p + out->n, piece, err);
		if (n > 0)
			out->n += (size_t)n;
	} while (n == (ssize_t)piece);
	/* Reading on at the end gives the end again. */
	if (n >= 0) {
		char more;

		assert_int_equal(lu_in_read(in, &more, 1, err), 0);
		assert_string_equal(lu_in_name(in), name);
		assert_true(lu_in_size(in) == 0 || lu_in_consumed(in) == lu_in_size(in));
	}
	lu_in_close(in);
	return n < 0 ? -1 : 0;
}

static void expect(const struct lu_buf *file, const void *p, size_t n)
{
	static const size_t piece[] = { 1, 7, 4096, 1 << 20 };
	struct lu_buf got = { 0 };
	struct lu_err err = { 0 };

	put_file("in", file->p ? file->p : "", file->n);
	for (size_t i = n > 100000 ? 2 : 0; i < sizeof(piece) / sizeof(*piece); i++) {
		if (read_all("in", piece[i], &got, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(got.n, n);
		assert_memory_equal(got.p ? got.p : "", p, n);
	}
	lu_buf_release(&got);
}

/* Reading the bytes fails with a message that names the file. */
static void refuse(const char *bytes, size_t n)
{
	struct lu_buf got = { 0 };
	struct lu_err err = { 0 };

	put_file("in", bytes, n);
	assert_int_equal(read_all("in", 4096, &got, &err), -1);
	assert_true(strncmp(err.msg, "in: ", 4) == 0);
	lu_buf_release(&got);
}

static void test_plain(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	expect(&b, "", 0);
	for (size_t n = 1; n < 9; n++) {
		b.n = 0;
		lu_buf_append(&b, text, n);
		expect(&b, text, n);
	}
	b.n = 0;
	for (int i = 0; i < 20000; i++)
		lu_buf_puts(&b, text);
	expect(&b, b.p, b.n);
	/* First bytes that look like the beginning of a magic number. */
	b.n = 0;
	lu_buf_puts(&b, "\x1F");
	expect(&b, "\x1F", 1);
	b.n = 0;
	lu_buf_puts(&b, "\x28\xB5\x2F");
	expect(&b, "\x28\xB5\x2F", 3);
	lu_buf_release(&b);
}

static void test_members(void **state)
{
	(void)state;
	for (int c = UNIT_GZIP; c < UNIT_CODINGS; c++) {
		struct lu_buf file = { 0 }, all = { 0 };

		encode(&file, c, "", 0);
		expect(&file, "", 0);
		for (int i = 0; i < 5; i++) {
			encode(&file, c, text, TEXT_SIZE);
			lu_buf_append(&all, text, TEXT_SIZE);
			expect(&file, all.p, all.n);
			encode(&file, c, "", 0);
			expect(&file, all.p, all.n);
		}
		lu_buf_release(&file);
		lu_buf_release(&all);
	}
}

static void test_large(void **state)
{
	struct lu_buf plain = { 0 };
	uint64_t r = 5;

	(void)state;
	/* Half of it does not compress: the file is larger than any buffer on the way. */
	for (int i = 0; i < 40000; i++)
		lu_buf_printf(&plain, "%016" PRIx64 "%s", unit_random(&r), "the same words ");
	for (int c = UNIT_GZIP; c < UNIT_CODINGS; c++) {
		struct lu_buf file = { 0 };

		encode(&file, c, plain.p, plain.n);
		expect(&file, plain.p, plain.n);
		lu_buf_release(&file);
	}
	lu_buf_release(&plain);
}

static void test_every_truncation(void **state)
{
	(void)state;
	for (int c = UNIT_GZIP; c < UNIT_CODINGS; c++) {
		struct lu_buf file = { 0 };
		size_t first;

		encode(&file, c, text, TEXT_SIZE);
		first = file.n;
		encode(&file, c, text, TEXT_SIZE);
		for (size_t n = magic[c]; n < file.n; n++) {
			if (n != first)
				refuse(file.p, n);
		}
		lu_buf_release(&file);
	}
}

/* A flipped bit is an error, or it was in a byte that does not matter (time, system and text flag
 * of the gzip header; bits behind the end of a bzip2 stream) and the data are right. */
static void test_every_flipped_byte(void **state)
{
	(void)state;
	for (int c = UNIT_GZIP; c < UNIT_CODINGS; c++) {
		struct lu_buf file = { 0 }, got = { 0 };
		struct lu_err err;

		encode(&file, c, text, TEXT_SIZE);
		for (size_t i = 0; i < file.n; i++) {
			bool header = c == UNIT_GZIP && i >= 3 && i < 10;

			if (i < magic[c])
				continue;
			file.p[i] ^= 0x10;
			put_file("in", file.p, file.n);
			if (read_all("in", 4096, &got, &err) == 0) {
				assert_int_equal(got.n, TEXT_SIZE);
				assert_memory_equal(got.p, text, TEXT_SIZE);
				/* The bytes of the checksum all matter. */
				assert_true(header || i < file.n - 4 ||
						(c == UNIT_BZIP2 && i == file.n - 1));
			}
			file.p[i] ^= 0x10;
		}
		lu_buf_release(&file);
		lu_buf_release(&got);
	}
}

static void test_trailing_data(void **state)
{
	(void)state;
	for (int c = UNIT_GZIP; c < UNIT_CODINGS; c++) {
		struct lu_buf file = { 0 };
		size_t whole;

		encode(&file, c, text, TEXT_SIZE);
		whole = file.n;
		lu_buf_puts(&file, "{\"text\":\"plain after compressed\"}\n");
		refuse(file.p, file.n);
		file.n = whole;
		lu_buf_puts(&file, "\x1F");
		refuse(file.p, file.n);
		file.n = whole;
		encode(&file, (c + 1) % UNIT_CODINGS, text, TEXT_SIZE);
		refuse(file.p, file.n);
		/* Zero bytes are padding for gzip (tapes) and xz, not for the others. */
		file.n = whole;
		lu_buf_append(&file, "\0\0\0\0\0\0\0\0", 8);
		if (c == UNIT_GZIP || c == UNIT_XZ)
			expect(&file, text, TEXT_SIZE);
		else
			refuse(file.p, file.n);
		/* That of xz is a multiple of four. */
		if (c == UNIT_XZ) {
			for (size_t n = 1; n < 8; n++) {
				if (n != 4)
					refuse(file.p, file.n - n);
			}
		}
		if (c == UNIT_GZIP || c == UNIT_XZ) {
			struct lu_buf twice = { 0 };

			encode(&file, c, text, TEXT_SIZE);
			lu_buf_append(&twice, text, TEXT_SIZE);
			lu_buf_append(&twice, text, TEXT_SIZE);
			expect(&file, twice.p, twice.n);
			lu_buf_release(&twice);
		}
		lu_buf_release(&file);
	}
}

static void test_skippable_frames(void **state)
{
	static const char skippable[] = "\x5A\x2A\x4D\x18\x05\x00\x00\x00hello"
					"\x5D\x2A\x4D\x18\x00\x00\x00\x00";
	const enum unit_coding frames[] = { UNIT_ZSTD, UNIT_LZ4 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct lu_buf file = { 0 };

		lu_buf_append(&file, skippable, sizeof(skippable) - 1);
		expect(&file, "", 0);
		encode(&file, frames[i], text, TEXT_SIZE);
		lu_buf_append(&file, skippable, sizeof(skippable) - 1);
		expect(&file, text, TEXT_SIZE);
		for (size_t n = 4; n < sizeof(skippable) - 1; n++) {
			if (n != 13)
				refuse(file.p, n);
		}
		for (size_t n = 1; n < 21; n++) {
			if (n != 8)
				refuse(file.p, file.n - n);
		}
		lu_buf_puts(&file, "text");
		refuse(file.p, file.n);
		lu_buf_release(&file);
	}
}

/* Append a skippable frame. */
static void put_frame(struct lu_buf *file, const char *p, size_t n)
{
	char head[9] = "\x5D\x2A\x4D\x18";

	for (int i = 0; i < 4; i++)
		head[4 + i] = (char)(n >> 8 * i);
	lu_buf_append(file, head, 8);
	lu_buf_append(file, p, n);
}

/* Append a frame that only the dictionary opens. */
static void put_with_dictionary(struct lu_buf *file, const struct lu_buf *dictionary)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t made;

	assert_non_null(c);
	assert_true(lu_buf_reserve(file, 4096));
	made = ZSTD_compress_usingDict(c, file->p + file->n, 4096, text, TEXT_SIZE, dictionary->p,
			dictionary->n, 3);
	assert_false(ZSTD_isError(made));
	file->n += made;
	ZSTD_freeCCtx(c);
}

static void test_dictionary(void **state)
{
	struct lu_buf dictionary = { 0 }, samples = { 0 };
	size_t sizes[200];

	(void)state;
	for (int i = 0; i < 200; i++) {
		size_t from = samples.n;

		lu_buf_printf(&samples,
				"{\"id\":%d,\"text\":\"Le matin %d, la lumi\xC3\xA8re %d\"}", i,
				i * i, 7 * i);
		sizes[i] = samples.n - from;
	}
	assert_true(lu_buf_reserve(&dictionary, 4096));
	dictionary.n = ZDICT_trainFromBuffer(dictionary.p, 4096, samples.p, sizes, 200);
	assert_false(ZDICT_isError(dictionary.n));
	for (int packed = 0; packed < 2; packed++) {
		struct lu_buf file = { 0 }, kept = { 0 }, all = { 0 };
		size_t first, second;

		if (packed)
			encode(&kept, UNIT_ZSTD, dictionary.p, dictionary.n);
		else
			lu_buf_append(&kept, dictionary.p, dictionary.n);
		put_frame(&file, kept.p, kept.n);
		first = file.n;
		put_with_dictionary(&file, &dictionary);
		lu_buf_append(&all, text, TEXT_SIZE);
		expect(&file, all.p, all.n);
		second = file.n;
		put_with_dictionary(&file, &dictionary);
		encode(&file, UNIT_ZSTD, text, TEXT_SIZE);
		lu_buf_append(&all, text, TEXT_SIZE);
		lu_buf_append(&all, text, TEXT_SIZE);
		expect(&file, all.p, all.n);
		for (size_t n = 4; n < second; n += n < 40 || n + 40 > second ? 1 : 97) {
			if (n != first)
				refuse(file.p, n);
		}
		/* Without the dictionary, or with a damaged one. */
		refuse(file.p + first, second - first);
		memset(file.p + 8 + 12, 0xFF, 40);
		refuse(file.p, file.n);
		lu_buf_release(&file);
		lu_buf_release(&kept);
		lu_buf_release(&all);
	}
	lu_buf_release(&dictionary);
	lu_buf_release(&samples);
}

struct dribble {
	int fd;
	const struct lu_buf *bytes;
	size_t step;
};

static void *dribble(void *arg)
{
	struct dribble *d = arg;

	for (size_t i = 0; i < d->bytes->n; i += d->step) {
		size_t n = d->bytes->n - i < d->step ? d->bytes->n - i : d->step;

		if (write(d->fd, d->bytes->p + i, n) != (ssize_t)n)
			break;
	}
	close(d->fd);
	return NULL;
}

/* The same from a pipe that delivers one byte at a time. */
static void test_pipe(void **state)
{
	(void)state;
	for (int c = UNIT_GZIP; c <= UNIT_CODINGS; c++) {
		struct lu_buf file = { 0 }, got = { 0 };
		struct lu_err err;
		struct dribble d;
		pthread_t t;
		char name[32];
		int end[2];

		if (c == UNIT_CODINGS)
			lu_buf_puts(&file, text);
		else
			encode(&file, c, text, TEXT_SIZE);
		assert_int_equal(pipe(end), 0);
		d = (struct dribble){ end[1], &file, 1 };
		assert_int_equal(pthread_create(&t, NULL, dribble, &d), 0);
		snprintf(name, sizeof(name), "/dev/fd/%d", end[0]);
		assert_int_equal(read_all(name, 100, &got, &err), 0);
		pthread_join(t, NULL);
		close(end[0]);
		assert_int_equal(got.n, TEXT_SIZE);
		assert_memory_equal(got.p, text, TEXT_SIZE);
		lu_buf_release(&file);
		lu_buf_release(&got);
	}
}

static void test_no_file(void **state)
{
	struct lu_err err;
	struct lu_in *in;

	(void)state;
	assert_int_equal(lu_in_open(&in, "missing", &err), -1);
	assert_string_equal(err.msg, "missing: No such file or directory");
	assert_int_equal(lu_in_open(&in, ".", &err), -1);
	assert_string_equal(err.msg, ".: Is a directory");
	lu_in_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_flipped_byte),
		cmocka_unit_test(test_trailing_data),
		cmocka_unit_test(test_skippable_frames),
		cmocka_unit_test(test_dictionary),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests_name("instream", tests, scratch_make, scratch_remove);
}
