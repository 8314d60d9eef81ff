#include "libcommon/sys/template.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"

/* A larger file is no template. */
#define TEMPLATE_MAX ((size_t)1 << 20)

int lu_template_absent(const char *dir, const char *const *name, size_t names, struct lu_err *err)
{
	for (size_t i = 0; i < names; i++) {
		char *path = lu_concat(dir, "/", name[i]);
		struct stat st;
		int rc = 0;

		if (!path)
			return lu_err_nomem(err);
		if (lstat(path, &st) == 0)
			rc = lu_err_set(err, "%s: exists already; nothing was changed", path);
		free(path);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int fill(const char *path, const struct lu_blank *blank, size_t blanks, struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_buf before = { 0 };
	char *text = NULL;
	size_t n;

	if (lu_read_file(path, TEMPLATE_MAX, &text, &n, err) < 0)
		return -1;
	lu_buf_append(out, text, n);
	free(text);
	for (size_t i = 0; i < blanks; i++) {
		struct lu_buf swap = before;

		before = *out;
		*out = swap;
		lu_buf_clear(out);
		lu_buf_replace(out, lu_buf_slice(&before), lu_str_of(blank[i].word),
				lu_str_of(blank[i].value));
		if (!lu_buf_ok(&before))
			out->failed = true;
	}
	lu_buf_release(&before);
	return lu_buf_check(out, err);
}

static int write_one(const char *from, const char *to, const struct lu_blank *blank, size_t blanks,
		struct lu_atomic *f, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc = fill(from, blank, blanks, &text, err);

	if (rc == 0)
		rc = lu_atomic_open(f, to, err);
	if (rc == 0)
		rc = lu_atomic_write(f, text.p, text.n, err);
	lu_buf_release(&text);
	return rc;
}

int lu_template_write(const char *from, const char *dir, const char *const *name, size_t names,
		const struct lu_blank *blank, size_t blanks, struct lu_err *err)
{
	struct lu_atomic *file = calloc(names, sizeof(*file));
	int rc = 0;

	if (!file)
		return lu_err_nomem(err);
	for (size_t i = 0; i < names; i++)
		file[i] = (struct lu_atomic)LU_ATOMIC_NONE;
	for (size_t i = 0; i < names && rc == 0; i++) {
		char *template = lu_concat(from, "/", name[i]);
		char *path = lu_concat(dir, "/", name[i]);

		rc = template && path ? write_one(template, path, blank, blanks, &file[i], err)
				      : lu_err_nomem(err);
		free(template);
		free(path);
	}
	for (size_t i = 0; i < names && rc == 0; i++)
		rc = lu_atomic_settle(&file[i], err);
	for (size_t i = 0; i < names && rc == 0; i++)
		rc = lu_atomic_commit(&file[i], err);
	for (size_t i = 0; i < names && rc < 0; i++)
		lu_atomic_abort(&file[i]);
	free(file);
	return rc;
}
