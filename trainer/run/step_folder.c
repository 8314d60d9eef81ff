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

/* Called with the name of an entry of a run folder. Returns 0 to go on, 1 to stop, -1 on error. */
typedef int entry_fn(const char *run, const char *name, void *ctx, struct lu_err *err);

/* Call fn for each entry of the folder. */
static int each_entry(const char *run, entry_fn *fn, void *ctx, struct lu_err *err)
{
	DIR *d = opendir(run);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return lu_err_sys(err, errno, "%s", run);
	while (rc == 0 && (e = readdir(d)))
		rc = fn(run, e->d_name, ctx, err);
	closedir(d);
	return rc < 0 ? -1 : 0;
}

struct listing {
	uint64_t last;
	struct lt_steps *steps;
};

static int add_step(const char *run, const char *name, void *ctx, struct lu_err *err)
{
	struct listing *l = ctx;
	uint64_t step;

	(void)run;
	if (lt_step_parse(name, &step) && step <= l->last && !lu_vec_push(l->steps, step))
		return lu_err_nomem(err);
	return 0;
}

int lt_steps_list(const char *run, uint64_t last, struct lt_steps *steps, struct lu_err *err)
{
	struct listing l = { last, steps };
	int rc = each_entry(run, add_step, &l, err);

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

struct search {
	uint64_t step;
	char **path;
};

static int find_aside(const char *run, const char *name, void *ctx, struct lu_err *err)
{
	struct search *s = ctx;
	uint64_t found;

	if (!is_aside(name, &found) || found != s->step)
		return 0;
	*s->path = lu_concat(run, "/", name);
	return *s->path ? 1 : lu_err_nomem(err);
}

int lt_step_aside(const char *run, uint64_t step, char **path, struct lu_err *err)
{
	struct search s = { step, path };

	*path = NULL;
	return each_entry(run, find_aside, &s, err);
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

static int restore_aside(const char *run, const char *name, void *ctx, struct lu_err *err)
{
	uint64_t step;

	(void)ctx;
	return is_aside(name, &step) ? restore(run, name, step, err) : 0;
}

int lt_step_restore(const char *run, struct lu_err *err)
{
	return each_entry(run, restore_aside, NULL, err);
}
