/* io/lines.h against a plain split of the whole text. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/io/lines.h"

/* Describe everything in one text: slab boundaries, lines, their numbers, which are too long. */
static int describe(
		char **files, size_t n, uint64_t max_line, struct lu_buf *out, struct lu_err *err)
{
	struct lu_slab slab = { 0 };
	struct lu_lines l;
	struct lu_str line;
	int rc = lu_lines_open(&l, files, n, max_line, err);

	lu_buf_clear(out);
	if (rc < 0)
		return -1;
	while ((rc = lu_lines_read(&l, &slab, err)) > 0) {
		lu_buf_printf(out, "slab %s %" PRIu64 "\n", slab.file, slab.first_line);
		while (lu_slab_next(&slab, &line)) {
			lu_buf_printf(out, "%" PRIu64 "%s[", slab.line,
					slab.too_long ? " too long" : "");
			lu_buf_u64(out, slab.length);
			lu_buf_puts(out, "] ");
			lu_buf_str(out, line);
			lu_buf_putc(out, '\n');
			if (!slab.too_long)
				assert_int_equal(slab.length, line.n);
		}
	}
	lu_lines_close(&l);
	lu_buf_release(&slab.bytes);
	return rc;
}

static void expect(const char *text, uint64_t max_line, const char *expected)
{
	char name[] = "in", *files[] = { name };
	struct lu_buf got = { 0 };
	struct lu_err err = { 0 };

	put_text("in", text);
	if (describe(files, 1, max_line, &got, &err) < 0)
		fail_msg("%s", err.msg);
	lu_buf_puts(&got, "");
	assert_string_equal(got.p, expected);
	lu_buf_release(&got);
}

static void test_small(void **state)
{
	(void)state;
	expect("", 99, "");
	expect("\n", 99, "slab in 1\n1[0] \n");
	expect("a", 99, "slab in 1\n1[1] a\n");
	expect("a\n\nb", 99, "slab in 1\n1[1] a\n2[0] \n3[1] b\n");
	expect("a\r\nb\r\n", 99, "slab in 1\n1[2] a\r\n2[2] b\r\n");
	expect("\xEF\xBB\xBF{}\n\xEF\xBB\xBF{}\n", 99, "slab in 1\n1[2] {}\n2[5] \xEF\xBB\xBF{}\n");
	expect("\xEF\xBB\xBF", 99, "");
	expect("\xEF\xBB", 99, "slab in 1\n1[2] \xEF\xBB\n");
}

static void test_max_line(void **state)
{
	(void)state;
	expect("abc\nabcd\nab", 3, "slab in 1\n1[3] abc\n2 too long[4] \n3[2] ab\n");
	expect("abcd", 3, "slab in 1\n1 too long[4] \n");
	expect("abcd\n", 3, "slab in 1\n1 too long[4] \n");
}

static void test_files(void **state)
{
	char a[] = "a", b[] = "b", empty[] = "empty", missing[] = "missing", again[] = "./a";
	char *files[] = { a, empty, b }, *bad[] = { a, missing }, *twice[] = { a, b, again };
	struct lu_buf got = { 0 };
	struct lu_err err;

	(void)state;
	put_text("a",
			"\xEF\xBB\xBF"
			"1\n2");
	put_text("b", "3\n");
	put_text("empty", "");
	assert_int_equal(describe(files, 3, 99, &got, &err), 0);
	assert_string_equal(got.p, "slab a 1\n1[1] 1\n2[1] 2\nslab b 1\n1[1] 3\n");
	/* Fail at once, not when its turn comes. */
	assert_int_equal(describe(bad, 2, 99, &got, &err), -1);
	assert_string_equal(err.msg, "missing: No such file or directory");
	assert_int_equal(got.n, 0);
	assert_int_equal(describe(twice, 3, 99, &got, &err), -1);
	assert_string_equal(err.msg, "./a: given twice, it is the same file as a");
	lu_buf_release(&got);
}

/* Lines of all lengths around the size of a slab, with random letters. */
static void make_large(struct lu_buf *b)
{
	static const size_t sizes[] = { 0, 1, 100, LU_SLAB / 2, LU_SLAB - 2, LU_SLAB - 1, LU_SLAB,
		LU_SLAB + 1, 5, 2 * LU_SLAB, 3 * LU_SLAB - 1, 7, 3 * LU_SLAB + 1, 0 };
	uint64_t r = 1;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t from = b->n;

		lu_buf_reserve(b, sizes[i] + 1);
		while (b->n - from < sizes[i])
			lu_buf_putc(b, (char)('a' + unit_random(&r) % 26));
		lu_buf_putc(b, '\n');
	}
	for (int i = 0; i < 100000; i++)
		lu_buf_printf(b, "%d %" PRIx64 "\n", i, unit_random(&r));
	lu_buf_puts(b, "no newline");
}

/* Every line is delivered once, complete and with its number. */
static void test_slab_boundaries(void **state)
{
	char name[] = "in", *files[] = { name };
	struct lu_slab slab = { 0 };
	struct lu_buf all = { 0 };
	struct lu_lines l;
	struct lu_err err;
	struct lu_str line;
	uint64_t number = 0;
	const char *at;
	int rc;

	(void)state;
	make_large(&all);
	put_file("in", all.p, all.n);
	at = all.p;
	assert_int_equal(lu_lines_open(&l, files, 1, UINT64_MAX, &err), 0);
	while ((rc = lu_lines_read(&l, &slab, &err)) > 0) {
		size_t longest = 0;

		assert_int_equal(slab.first_line, number + 1);
		while (lu_slab_next(&slab, &line)) {
			const char *nl = memchr(at, '\n', (size_t)(all.p + all.n - at));
			size_t n = nl ? (size_t)(nl - at) : (size_t)(all.p + all.n - at);

			assert_int_equal(slab.line, ++number);
			assert_int_equal(line.n, n);
			assert_memory_equal(line.p, at, n);
			at += n + (nl != NULL);
			longest = n > longest ? n : longest;
		}
		assert_true(slab.bytes.n <= longest + LU_SLAB + 1);
	}
	assert_int_equal(rc, 0);
	assert_ptr_equal(at, all.p + all.n);
	assert_int_equal(lu_lines_consumed(&l), all.n);
	lu_lines_close(&l);
	lu_buf_release(&slab.bytes);
	lu_buf_release(&all);
}

struct feed {
	int fd;
	const struct lu_buf *bytes;
};

static void *feed(void *arg)
{
	struct feed *f = arg;
	uint64_t r = 9;

	for (size_t i = 0; i < f->bytes->n;) {
		size_t n = 1 + unit_random(&r) % 30000;

		n = n > f->bytes->n - i ? f->bytes->n - i : n;
		if (write(f->fd, f->bytes->p + i, n) != (ssize_t)n)
			break;
		i += n;
	}
	close(f->fd);
	return NULL;
}

/* Slab boundaries depend on the bytes alone, not on compression or on the reads from a pipe; with
 * and without lines that are too long. */
static void test_same_slabs(void **state)
{
	static const uint64_t limits[] = { UINT64_MAX, 1000, LU_SLAB, 2 * LU_SLAB - 1 };
	struct lu_buf all = { 0 }, coded = { 0 }, first = { 0 }, other = { 0 };
	char in[] = "in", zst[] = "zst", fd[32];
	char *plain[] = { in }, *zstd[] = { zst }, *pipes[] = { fd };
	struct lu_err err;

	(void)state;
	make_large(&all);
	put_file("in", all.p, all.n);
	encode(&coded, UNIT_ZSTD, all.p, 100);
	encode(&coded, UNIT_ZSTD, all.p + 100, all.n - 100);
	put_file("zst", coded.p, coded.n);
	for (size_t i = 0; i < 4; i++) {
		struct feed f;
		pthread_t t;
		int end[2];

		assert_int_equal(describe(plain, 1, limits[i], &first, &err), 0);
		assert_int_equal(describe(zstd, 1, limits[i], &other, &err), 0);
		assert_int_equal(pipe(end), 0);
		f = (struct feed){ end[1], &all };
		assert_int_equal(pthread_create(&t, NULL, feed, &f), 0);
		snprintf(fd, sizeof(fd), "/dev/fd/%d", end[0]);
		lu_buf_clear(&coded);
		assert_int_equal(describe(pipes, 1, limits[i], &coded, &err), 0);
		pthread_join(t, NULL);
		close(end[0]);
		/* Only the names in the "slab" lines differ. */
		assert_non_null(strstr(coded.p, "slab "));
		for (char *p = first.p, *q = other.p, *s = coded.p; *p;) {
			char *pe = strchr(p, '\n'), *qe = strchr(q, '\n'), *se = strchr(s, '\n');

			if (strncmp(p, "slab in ", 8) == 0) {
				assert_true(strncmp(q, "slab zst ", 9) == 0);
				assert_true(strncmp(s, "slab /dev/fd/", 13) == 0);
				assert_true(lu_str_eq(
						(struct lu_str){ p + 8, (size_t)(pe - p) - 8 },
						(struct lu_str){ q + 9, (size_t)(qe - q) - 9 }));
			} else {
				assert_int_equal(pe - p, qe - q);
				assert_int_equal(pe - p, se - s);
				assert_memory_equal(p, q, (size_t)(pe - p));
				assert_memory_equal(p, s, (size_t)(pe - p));
			}
			p = pe + 1;
			q = qe + 1;
			s = se + 1;
		}
	}
	lu_buf_release(&all);
	lu_buf_release(&coded);
	lu_buf_release(&first);
	lu_buf_release(&other);
}

/* A line far beyond the limit is skipped in bounded memory. */
static void test_long_line_memory(void **state)
{
	char name[] = "in", *files[] = { name };
	struct lu_slab slab = { 0 };
	struct lu_buf all = { 0 };
	struct lu_lines l;
	struct lu_err err;
	struct lu_str line;

	(void)state;
	assert_true(lu_buf_reserve(&all, 40 * LU_SLAB));
	memset(all.p, 'x', 40 * LU_SLAB);
	all.n = 40 * LU_SLAB;
	lu_buf_puts(&all, "\nnext\n");
	put_file("in", all.p, all.n);
	assert_int_equal(lu_lines_open(&l, files, 1, 1000, &err), 0);
	assert_int_equal(lu_lines_read(&l, &slab, &err), 1);
	assert_true(slab.bytes.cap <= 4 * LU_SLAB);
	assert_true(lu_slab_next(&slab, &line));
	assert_true(slab.too_long);
	assert_int_equal(slab.length, 40 * LU_SLAB);
	assert_int_equal(line.n, 0);
	assert_false(lu_slab_next(&slab, &line));
	assert_int_equal(lu_lines_read(&l, &slab, &err), 1);
	assert_true(lu_slab_next(&slab, &line));
	assert_true(lu_str_is(line, "next"));
	assert_int_equal(slab.line, 2);
	assert_int_equal(lu_lines_read(&l, &slab, &err), 0);
	lu_lines_close(&l);
	lu_buf_release(&slab.bytes);
	lu_buf_release(&all);
}

static void test_damage(void **state)
{
	char name[] = "cut", *files[] = { name };
	struct lu_buf coded = { 0 }, got = { 0 };
	struct lu_err err;

	(void)state;
	encode(&coded, UNIT_ZSTD, "a\nb\n", 4);
	put_file("cut", coded.p, coded.n - 1);
	assert_int_equal(describe(files, 1, 99, &got, &err), -1);
	assert_true(strncmp(err.msg, "cut: ", 5) == 0);
	lu_buf_release(&coded);
	lu_buf_release(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_max_line),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_slab_boundaries),
		cmocka_unit_test(test_same_slabs),
		cmocka_unit_test(test_long_line_memory),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("lines", tests, scratch_make, scratch_remove);
}
