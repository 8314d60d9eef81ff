#include "trainer/run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"

bool lt_folder_has(const char *dir, const char *name)
{
	/* No allocation that could fail: "there is none" is an answer that is acted upon. */
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

int lt_folder_write(const char *dir, const char *name, struct lu_str text, struct lu_err *err)
{
	char *path = lu_concat(dir, "/", name);
	struct lu_atomic f;
	int rc = path ? lu_atomic_open(&f, path, err) : lu_err_nomem(err);

	if (rc == 0) {
		rc = lu_atomic_write(&f, text.p, text.n, err);
		if (rc == 0)
			rc = lu_atomic_commit(&f, err);
		else
			lu_atomic_abort(&f);
	}
	free(path);
	return rc;
}

int lt_folder_copy(const char *from, const char *dir, const char *name, struct lu_err *err)
{
	char *text;
	size_t n;
	int rc;

	if (lu_read_file(from, LT_COPY_MAX, &text, &n, err) < 0)
		return -1;
	rc = lt_folder_write(dir, name, (struct lu_str){ text, n }, err);
	free(text);
	return rc;
}

int lt_folder_remove(const char *path, struct lu_err *err)
{
	struct dirent *e;
	int rc = 0;
	DIR *d;

	/* A link goes itself, never what it points to: "latest" points to a checkpoint. */
	if (unlink(path) == 0)
		return 0;
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : lu_err_sys(err, errno, "%s", path);
	while (rc == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			rc = lu_err_sys(err, errno, "%s/%s", path, e->d_name);
	}
	closedir(d);
	if (rc == 0 && rmdir(path) < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	return rc;
}
