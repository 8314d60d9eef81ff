#include "libcommon/check/md5_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/hash/md5.h"
#include "libcommon/shard/reader.h"
#include "libcommon/sys/file.h"

#define CHUNK ((size_t)1 << 20)

static int hash_file(const char *path, char text[33], struct lu_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	char *chunk = malloc(CHUNK);
	struct lu_md5 h;
	ssize_t n = 0;

	if (fd < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	else if (!chunk)
		rc = lu_err_nomem(err);
	lu_md5_init(&h);
	while (rc == 0 && (n = read(fd, chunk, CHUNK)) != 0) {
		if (n > 0)
			lu_md5_add(&h, chunk, (size_t)n);
		else if (errno != EINTR)
			rc = lu_err_sys(err, errno, "%s", path);
	}
	lu_md5_end(&h, text);
	free(chunk);
	if (fd >= 0)
		close(fd); /* only read */
	return rc;
}

int lu_md5_list_file(struct lu_out *out, const char *path, struct lu_err *err)
{
	struct lu_buf line = { 0 };
	char text[33];
	int rc = hash_file(path, text, err);

	/* As md5sum writes names that would not stay on their line. */
	if (strpbrk(path, "\\\n\r"))
		lu_buf_putc(&line, '\\');
	lu_buf_puts(&line, text);
	lu_buf_puts(&line, "  ");
	for (const char *p = path; *p; p++) {
		const char *special = strchr("\\\n\r", *p);

		if (!special)
			lu_buf_putc(&line, *p);
		else
			lu_buf_puts(&line, *p == '\n' ? "\\n" : *p == '\r' ? "\\r" : "\\\\");
	}
	lu_buf_putc(&line, '\n');
	if (rc == 0)
		rc = lu_out_buf(out, &line, err);
	lu_buf_release(&line);
	return rc;
}

static int list_named(struct lu_out *out, const char *prefix, const char *suffix, const char *ext,
		struct lu_err *err)
{
	char *path = lu_concat(prefix, suffix, ext);
	int rc = path ? lu_md5_list_file(out, path, err) : lu_err_nomem(err);

	free(path);
	return rc;
}

int lu_md5_list_shard(struct lu_out *out, const char *prefix, struct lu_err *err)
{
	struct lu_shard *s;
	const struct lu_manifest *m;
	int rc = 0;

	if (lu_shard_open(&s, prefix, err) < 0)
		return -1;
	m = lu_shard_manifest(s);
	for (size_t i = 0; m && rc == 0 && i < m->files; i++)
		rc = list_named(out, prefix, m->file[i].suffix, NULL, err);
	for (size_t i = 0; !m && rc == 0 && i < lu_shard_parts(s); i++) {
		rc = list_named(out, prefix, lu_shard_part_suffix(s, i), ".bin", err);
		if (rc == 0)
			rc = list_named(out, prefix, lu_shard_part_suffix(s, i), ".idx", err);
	}
	if (rc == 0 && m)
		rc = list_named(out, prefix, ".json", NULL, err);
	lu_shard_close(s);
	return rc;
}
