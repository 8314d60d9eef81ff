/* Members of containers that usual programs do not write, made by libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcommon/import/members.h"

static char path[] = "/tmp/test_members-XXXXXX";

static void add(struct archive *a, const char *name, const char *text)
{
	/* The writer converts names through the charset of the locale, as the reader does. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = uselocale(utf8);
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname_utf8(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, (la_int64_t)strlen(text));
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, text, strlen(text)), (int)strlen(text));
	archive_entry_free(e);
	uselocale(before);
	freelocale(utf8);
}

static struct archive *begin(int (*format)(struct archive *), const char *options)
{
	struct archive *a = archive_write_new();

	assert_int_equal(format(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_none(a), ARCHIVE_OK);
	if (options) {
		assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
		assert_int_equal(archive_write_set_passphrase(a, "secret"), ARCHIVE_OK);
	}
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	return a;
}

static void end(struct archive *a)
{
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}

/* All members, in order, as lines "path=text", "path!reason" (dropped) or "path!!reason" (bad). */
static char *read_all(int *rc, struct lu_err *err)
{
	static char *file[] = { path };
	struct lu_members m = { .file = file, .files = 1, .limit = 100, .tmpdir = "/tmp" };
	struct lu_member member = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_buf seen = { 0 };

	while ((*rc = lu_members_next(&m, &member, &arena, err)) > 0) {
		lu_buf_str(&seen, member.path);
		lu_buf_puts(&seen, !member.drop ? "=" : member.bad ? "!!" : "!");
		lu_buf_puts(&seen, member.drop ? member.drop : member.bytes.p);
		lu_buf_putc(&seen, '\n');
		lu_arena_reset(&arena);
	}
	lu_buf_putc(&seen, ' ');
	lu_buf_release(&member.bytes);
	lu_arena_release(&arena);
	lu_members_release(&m);
	assert_true(lu_buf_ok(&seen));
	seen.p[seen.n - 1] = '\0';
	return seen.p;
}

static void expect(const char *want)
{
	struct lu_err err = { 0 };
	int rc;
	char *got = read_all(&rc, &err);

	assert_string_equal(err.msg, "");
	assert_int_equal(rc, 0);
	assert_string_equal(got, want);
	free(got);
}

static void seven_zip(void **state)
{
	struct archive *a = begin(archive_write_set_format_7zip, NULL);

	(void)state;
	add(a, "one.txt", "first");
	add(a, "\xC3\xA9t\xC3\xA9/\xE6\xB5\xB7.txt", "second");
	end(a);
	expect("one.txt=first\n\xC3\xA9t\xC3\xA9/\xE6\xB5\xB7.txt=second\n");
}

static void encrypted(void **state)
{
	struct archive *a = begin(archive_write_set_format_zip, "zip:encryption=traditional");

	(void)state;
	add(a, "one.txt", "first");
	end(a);
	expect("one.txt!!encrypted\n");
}

static void too_large(void **state)
{
	struct archive *a = begin(archive_write_set_format_zip, NULL);
	char text[102];

	(void)state;
	memset(text, 'x', 101);
	text[101] = '\0';
	add(a, "long.txt", text);
	add(a, "short.txt", text + 1);
	end(a);
	expect("long.txt!too large\nshort.txt="
	       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
}

/* With any byte of a zip file changed, there are members, bad members or an error, but never a
 * wrong text. */
static void any_byte_wrong(void **state)
{
	struct archive *a = begin(archive_write_set_format_zip, NULL);
	char bytes[1024];
	size_t n;
	FILE *f;

	(void)state;
	add(a, "one.txt", "the first text");
	add(a, "two.txt", "the second text");
	end(a);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	for (size_t i = 0; i < n; i++) {
		struct lu_err err = { 0 };
		char *got, *text;
		int rc;

		bytes[i] ^= 0x55;
		f = fopen(path, "wb");
		assert_non_null(f);
		assert_int_equal(fwrite(bytes, 1, n, f), n);
		assert_int_equal(fclose(f), 0);
		bytes[i] ^= 0x55;
		got = read_all(&rc, &err);
		assert_true(rc == 0 || err.msg[0]);
		for (text = got; (text = strchr(text, '=')) != NULL; text++)
			assert_true(strncmp(text, "=the first text\n", 16) == 0 ||
					strncmp(text, "=the second text\n", 17) == 0);
		free(got);
	}
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seven_zip),
		cmocka_unit_test(encrypted),
		cmocka_unit_test(too_large),
		cmocka_unit_test(any_byte_wrong),
	};

	return cmocka_run_group_tests_name("members", tests, setup, teardown);
}
