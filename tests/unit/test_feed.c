/* Feeds that stop before compressed members with a mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "libcommon/io/feed.h"

static char path[] = "/tmp/test_feed-XXXXXX";

/* Append a gzip member. */
static void put(const char *text, size_t n)
{
	gzFile f = gzopen(path, "ab");

	assert_non_null(f);
	assert_int_equal(gzwrite(f, text, (unsigned)n), (int)n);
	assert_int_equal(gzclose(f), Z_OK);
}

static bool begins_record(const char *p, size_t n)
{
	return n >= 3 && memcmp(p, "REC", 3) == 0;
}

static struct lu_feed *begin(void)
{
	struct lu_err err;
	struct lu_feed *f;

	assert_int_equal(lu_feed_open(&f, path, &err), 0);
	return f;
}

static void expect(struct lu_feed *f, size_t n, const char *want)
{
	struct lu_err err;
	char got[64];

	assert_int_equal(lu_feed_read(f, got, n, &err), (int)strlen(want));
	assert_memory_equal(got, want, strlen(want));
}

/* Members of any size, empty ones too, are one stream until a mark is set. */
static void without_mark(void **state)
{
	struct lu_err err;
	struct lu_feed *f;
	struct lu_str head;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	put("ab", 2);
	put("", 0);
	put("REC cd", 6);
	f = begin();
	assert_int_equal(lu_feed_peek(f, 9, &head, &err), 0);
	assert_int_equal(head.n, 8);
	expect(f, 4, "abRE");
	expect(f, 60, "C cd");
	lu_feed_close(f);
}

static void stops(void **state)
{
	struct lu_buf taken = { 0 };
	struct lu_err err;
	struct lu_feed *f;
	struct lu_str line;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	put("REC one\n", 8);
	put("goes on", 7); /* a member without the mark is no stop */
	put("", 0);
	put("REC two REC\n", 12);
	put("REC 3", 5);
	f = begin();
	expect(f, 2, "RE");
	lu_feed_stop_at(f, begins_record);
	expect(f, 60, "C one\ngoes on");
	assert_true(lu_feed_stopped(f));
	expect(f, 60, "");
	assert_int_equal(lu_feed_line(f, &line, &err), 0);
	lu_feed_resume(f);
	assert_false(lu_feed_stopped(f));
	assert_int_equal(lu_feed_line(f, &line, &err), 1);
	assert_int_equal(line.n, 12);
	assert_true(lu_feed_stopped(f) || lu_feed_line(f, &line, &err) == 0);
	assert_true(lu_feed_stopped(f));
	/* What was taken back comes again, and then the stop. */
	lu_buf_puts(&taken, "REC two REC\n");
	assert_int_equal(lu_feed_take_back(f, &taken, 9, &err), 0);
	assert_string_equal(taken.p, "REC two R");
	lu_buf_release(&taken);
	assert_false(lu_feed_stopped(f));
	expect(f, 60, "EC\n");
	lu_feed_resume(f);
	expect(f, 60, "REC 3");
	assert_false(lu_feed_stopped(f));
	expect(f, 60, "");
	assert_int_equal(f->marks, 2);
	assert_int_equal(f->given, 32);
	lu_feed_close(f);
}

/* A stop that a peek has passed before the mark was set. */
static void peeked(void **state)
{
	struct lu_err err;
	struct lu_feed *f;
	struct lu_str head;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	put("REC one", 7);
	put("REC two", 7);
	f = begin();
	assert_int_equal(lu_feed_peek(f, 512, &head, &err), 0);
	assert_int_equal(head.n, 14);
	lu_feed_stop_at(f, begins_record);
	expect(f, 60, "REC one");
	assert_true(lu_feed_stopped(f));
	lu_feed_resume(f);
	expect(f, 60, "REC two");
	lu_feed_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_mark),
		cmocka_unit_test(stops),
		cmocka_unit_test(peeked),
	};
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
