#include "libcommon/import/folder_names.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int lu_folder_list(const char *path, struct lu_folder_names *names, struct lu_err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char *name;
	int rc = -1;

	if (!d)
		return lu_err_sys(err, errno, "%s", path);
	while (errno = 0, (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		name = strdup(e->d_name);
		if (!name || !lu_vec_push(names, name)) {
			free(name);
			lu_err_nomem(err);
			goto out;
		}
	}
	if (errno)
		lu_err_sys(err, errno, "%s", path);
	else
		rc = 0;
	if (names->n)
		qsort(names->p, names->n, sizeof(*names->p), by_bytes);
out:
	closedir(d);
	return rc;
}
