#include "libcommon/import/container.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/utf8.h"
#include "libcommon/sys/file.h"
#include "libcommon/text/mojibake_pages.h"

#define BLOCK ((size_t)64 << 10)

struct lu_container {
	enum lu_container_kind kind;
	struct archive *a;
	struct lu_feed *feed;
	int fd; /* zip and 7z */
	char *block;
	struct lu_err feed_err; /* the feed's failure, reported in place of libarchive's */
	struct lu_buf name;	/* of the entry, where it had to be converted */
	bool failed;
	uint64_t zeros; /* length of the run of zero bytes up to the read position */
	/* libarchive converts names through the charset of the locale, and ours is "C". */
	locale_t utf8;
};

/* Verifies the header's checksum, at offset 148: the sum of all bytes, with its own as blanks. */
static bool is_tar(const unsigned char *p)
{
	unsigned long sum = 0, want = 0;
	int i = 148;

	while (i < 156 && p[i] == ' ')
		i++;
	if (p[0] == 0 || p[i] < '0' || p[i] > '7')
		return false;
	for (; i < 156 && p[i] >= '0' && p[i] <= '7'; i++)
		want = want * 8 + (unsigned long)(p[i] - '0');
	for (i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	return sum == want;
}

enum lu_container_kind lu_container_of(struct lu_str head)
{
	const char *p = head.p;

	if (head.n >= 8 && memcmp(p, "!<arch>\n", 8) == 0)
		return LU_CONTAINER_AR;
	if (head.n >= 4 && (memcmp(p, "PK\3\4", 4) == 0 || memcmp(p, "PK\5\6", 4) == 0))
		return LU_CONTAINER_ZIP;
	if (head.n >= 6 && memcmp(p, "7z\xBC\xAF\x27\x1C", 6) == 0)
		return LU_CONTAINER_7Z;
	if (head.n >= 512 && is_tar((const unsigned char *)p))
		return LU_CONTAINER_TAR;
	return LU_CONTAINER_NONE;
}

bool lu_container_is_hollow_tar(struct lu_str extension, struct lu_str head)
{
	for (size_t i = 0; i < head.n; i++) {
		if (head.p[i])
			return false;
	}
	return head.n >= 1024 && (lu_str_is(extension, "tar") || lu_str_is(extension, "tgz"));
}

static la_ssize_t on_read(struct archive *a, void *ctx, const void **block)
{
	struct lu_container *c = ctx;
	ssize_t n = lu_feed_read(c->feed, c->block, BLOCK, &c->feed_err);
	ssize_t i;

	if (n < 0) {
		archive_set_error(a, EIO, "%s", c->feed_err.msg);
		return ARCHIVE_FATAL;
	}
	for (i = n; i > 0 && c->block[i - 1] == 0; i--)
		;
	c->zeros = i == 0 ? c->zeros + (uint64_t)n : (uint64_t)(n - i);
	*block = c->block;
	return n;
}

static int fail(struct lu_container *c, int rc, struct lu_err *err)
{
	const char *why = archive_error_string(c->a);

	c->failed = rc == ARCHIVE_FATAL;
	if (c->feed_err.msg[0]) {
		*err = c->feed_err;
		return -1;
	}
	return lu_err_set(err, "%s: damaged or truncated archive: %s", lu_feed_name(c->feed),
			why ? why : "unknown reason");
}

/* Set fd to the archive's bytes in a file that can seek: `file` itself, or a copy. */
static int open_seekable(
		struct lu_container *c, const char *file, const char *tmpdir, struct lu_err *err)
{
	char head[512];
	ssize_t n;

	if (file) {
		c->fd = lu_open_read(file, err);
		if (c->fd < 0)
			return -1;
		n = pread(c->fd, head, sizeof(head), 0);
		if (n > 0 && lu_container_of((struct lu_str){ head, (size_t)n }) == c->kind &&
				lseek(c->fd, 0, SEEK_SET) == 0)
			return 0;
		close(c->fd);
	}
	c->fd = lu_temp_open(tmpdir, err);
	if (c->fd < 0)
		return -1;
	while ((n = lu_feed_read(c->feed, c->block, BLOCK, err)) > 0) {
		if (lu_write_all(c->fd, c->block, (size_t)n, tmpdir, err) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	return lseek(c->fd, 0, SEEK_SET) == 0 ? 0 : lu_err_sys(err, errno, "%s", tmpdir);
}

static int start(struct lu_container *c, const char *file, const char *tmpdir, struct lu_err *err)
{
	struct archive *a = c->a;
	int rc;

	switch (c->kind) {
	case LU_CONTAINER_TAR: rc = archive_read_support_format_tar(a); break;
	case LU_CONTAINER_AR: rc = archive_read_support_format_ar(a); break;
	case LU_CONTAINER_ZIP: rc = archive_read_support_format_zip_seekable(a); break;
	default: rc = archive_read_support_format_7zip(a); break;
	}
	if (rc >= ARCHIVE_WARN && c->kind == LU_CONTAINER_TAR)
		rc = archive_read_set_format_option(a, "tar", "read_concatenated_archives", "1");
	if (rc < ARCHIVE_WARN)
		return fail(c, ARCHIVE_FATAL, err);
	if (c->kind == LU_CONTAINER_TAR || c->kind == LU_CONTAINER_AR) {
		rc = archive_read_open(a, c, NULL, on_read, NULL);
	} else {
		if (open_seekable(c, file, tmpdir, err) < 0)
			return -1;
		rc = archive_read_open_fd(a, c->fd, BLOCK);
	}
	return rc < ARCHIVE_WARN ? fail(c, ARCHIVE_FATAL, err) : 0;
}

int lu_container_open(struct lu_container **out, enum lu_container_kind kind, struct lu_feed *feed,
		const char *file, const char *tmpdir, struct lu_err *err)
{
	struct lu_container *c = calloc(1, sizeof(*c));
	locale_t before;
	int rc;

	if (!c)
		return lu_err_nomem(err);
	c->kind = kind;
	c->feed = feed;
	c->fd = -1;
	c->a = archive_read_new();
	c->block = malloc(BLOCK);
	c->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!c->a || !c->block || !c->utf8) {
		lu_container_close(c);
		return lu_err_nomem(err);
	}
	before = uselocale(c->utf8);
	rc = start(c, file, tmpdir, err);
	uselocale(before);
	if (rc < 0) {
		lu_container_close(c);
		return -1;
	}
	*out = c;
	return 0;
}

/* Read on to the end of the stream, where its checksum is. */
static int finish(struct lu_container *c, struct lu_err *err)
{
	const void *block;
	la_ssize_t n;

	if (c->kind != LU_CONTAINER_TAR && c->kind != LU_CONTAINER_AR)
		return 0;
	while ((n = on_read(c->a, c, &block)) > 0)
		;
	if (n < 0)
		return fail(c, ARCHIVE_FATAL, err);
	if (c->kind == LU_CONTAINER_TAR && c->zeros < 512) {
		c->failed = true;
		return lu_err_set(err, "%s: truncated archive: it has no end marker",
				lu_feed_name(c->feed));
	}
	return 0;
}

/* The name of an entry of a zip archive. Where the flag of UTF-8 is not set, some writers set none and
 * others mean it; what is no UTF-8 is in the code page of the format (APPNOTE 6.3.10,
 * appendix D). */
static int zip_name(struct lu_container *c, const char **path, struct lu_err *err)
{
	size_t n = strlen(*path);
	char utf8[4];

	if (lu_utf8_valid(*path, n) == n)
		return 0;
	lu_buf_clear(&c->name);
	for (const char *p = *path; *p; p++) {
		uint32_t u = lu_page_char(LU_PAGE_437, (unsigned char)*p);

		lu_buf_append(&c->name, utf8, lu_utf8_put(u, utf8));
	}
	*path = c->name.p;
	return lu_buf_check(&c->name, err);
}

static int next(struct lu_container *c, struct lu_container_entry *entry, struct lu_err *err)
{
	struct archive_entry *e;
	const char *path;
	int rc;

	do
		rc = archive_read_next_header(c->a, &e);
	while (rc == ARCHIVE_RETRY);
	if (rc == ARCHIVE_EOF)
		return finish(c, err);
	if (rc < ARCHIVE_WARN) {
		/* A header that cannot be read leaves no way to the next one. */
		return fail(c, ARCHIVE_FATAL, err);
	}
	path = archive_entry_pathname(e);
	if (!path)
		path = archive_entry_pathname_utf8(e);
	if (!path)
		path = "(no name)";
	if (c->kind == LU_CONTAINER_ZIP && zip_name(c, &path, err) < 0)
		return -1;
	while (path[0] == '.' && path[1] == '/' && path[2])
		path += 2;
	*entry = (struct lu_container_entry){ .path = path };
	entry->link = archive_entry_filetype(e) == AE_IFLNK || archive_entry_hardlink(e);
	entry->folder = archive_entry_filetype(e) == AE_IFDIR;
	/* ar and some zip writers set no type. */
	entry->other = archive_entry_filetype(e) != AE_IFREG && archive_entry_filetype(e) != 0;
	entry->encrypted = archive_entry_is_encrypted(e) != 0;
	return 1;
}

int lu_container_next(struct lu_container *c, struct lu_container_entry *entry, struct lu_err *err)
{
	locale_t before = uselocale(c->utf8);
	int rc = next(c, entry, err);

	uselocale(before);
	return rc;
}

ssize_t lu_container_read(void *ctx, void *p, size_t n, struct lu_err *err)
{
	struct lu_container *c = ctx;
	locale_t before = uselocale(c->utf8);
	la_ssize_t got;

	do
		got = archive_read_data(c->a, p, n);
	while (got == ARCHIVE_RETRY);
	uselocale(before);
	return got < 0 ? fail(c, (int)got, err) : got;
}

bool lu_container_failed(const struct lu_container *c)
{
	return c->failed;
}

void lu_container_close(struct lu_container *c)
{
	if (!c)
		return;
	archive_read_free(c->a);
	if (c->fd >= 0)
		close(c->fd);
	if (c->utf8)
		freelocale(c->utf8);
	lu_buf_release(&c->name);
	free(c->block);
	free(c);
}
