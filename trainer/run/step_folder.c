#include "trainer/run/step_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/sys/file.h"

char *lt_step_folder(const char *run, uint64_t step)
{
	char *path;

	return asprintf(&path, "%s/step-%08" PRIu64, run, step) < 0 ? NULL : path;
}

bool lt_step_parse(const char *name, uint64_t *step)
{
	char *end;

	if (strncmp(name, "step-", 5) != 0 || strlen(name) < 13 || name[5] < '0' || name[5] > '9')
		return false;
	errno = 0;
	*step = strtoull(name + 5, &end, 10);
	return *end == '\0' && errno == 0;
}

static int by_step(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int lt_steps_list(const char *run, uint64_t last, struct lt_steps *steps, struct lu_err *err)
{
	DIR *d = opendir(run);
	struct dirent *e;
	uint64_t step;
	int rc = 0;

	if (!d)
		return lu_err_sys(err, errno, "%s", run);
	while (rc == 0 && (e = readdir(d))) {
		if (lt_step_parse(e->d_name, &step) && step <= last && !lu_vec_push(steps, step))
			rc = lu_err_nomem(err);
	}
	closedir(d);
	if (steps->n)
		qsort(steps->p, steps->n, sizeof(*steps->p), by_step);
	return rc;
}

/* ".step-00001000.HOST-PID.old.lu-tmp" */
static bool is_aside(const char *name, uint64_t *step)
{
	static const char suffix[] = "." LT_ASIDE_SUFFIX;
	size_t n = strlen(name), end = sizeof(suffix) - 1;

	return n > end && strcmp(name + n - end, suffix) == 0 &&
			sscanf(name, ".step-%" SCNu64 ".", step) == 1;
}

int lt_step_aside(const char *run, uint64_t step, char **path, struct lu_err *err)
{
	DIR *d = opendir(run);
	struct dirent *e;
	uint64_t found;
	int rc = 0;

	*path = NULL;
	if (!d)
		return lu_err_sys(err, errno, "%s", run);
	while (!*path && rc == 0 && (e = readdir(d))) {
		if (is_aside(e->d_name, &found) && found == step &&
				!(*path = lu_concat(run, "/", e->d_name)))
			rc = lu_err_nomem(err);
	}
	closedir(d);
	return rc;
}

/* Rename RUN/NAME to RUN/step-N, unless there is one. */
static int restore(const char *run, const char *name, uint64_t step, struct lu_err *err)
{
	char *from = lu_concat(run, "/", name), *to = lt_step_folder(run, step);
	int rc = 0;

	if (!from || !to)
		rc = lu_err_nomem(err);
	else if (access(to, F_OK) < 0 && rename(from, to) < 0)
		rc = lu_err_sys(err, errno, "%s", to);
	free(from);
	free(to);
	return rc;
}

int lt_step_restore(const char *run, struct lu_err *err)
{
	DIR *d = opendir(run);
	struct dirent *e;
	uint64_t step;
	int rc = 0;

	if (!d)
		return lu_err_sys(err, errno, "%s", run);
	while (rc == 0 && (e = readdir(d))) {
		if (is_aside(e->d_name, &step))
			rc = restore(run, e->d_name, step, err);
	}
	closedir(d);
	return rc;
}
