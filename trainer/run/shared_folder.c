#include "trainer/run/shared_folder.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcommon/sys/file.h"

#define LINE_MAX_BYTES 4096
#define PATIENCE 100 /* tenths of a second */

/* What rank 0 has written, and where. */
struct mark {
	char path[PATH_MAX], line[LINE_MAX_BYTES];
};

static int fill(struct mark *m, const struct lt_run *run, struct lu_err *err)
{
	const struct lt_owner *o = &run->owner;

	if (o->line.n >= sizeof(m->line) ||
			snprintf(m->path, sizeof(m->path), "%s", o->path) >= (int)sizeof(m->path))
		return lu_err_set(err, "%s: the path is too long", run->path);
	memcpy(m->line, o->line.p, o->line.n);
	return 0;
}

static bool sees(const struct mark *m)
{
	struct lu_err ignored;
	char *text;
	size_t n;
	bool same;

	if (lu_read_file(m->path, sizeof(m->line), &text, &n, &ignored) < 0)
		return false;
	same = n == strlen(m->line) && memcmp(text, m->line, n) == 0;
	free(text);
	return same;
}

static int look(const struct mark *m, struct lu_err *err)
{
	const struct timespec tenth = { 0, 100000000 };

	for (int i = 0; i < PATIENCE; i++) {
		if (sees(m))
			return 0;
		nanosleep(&tenth, NULL);
	}
	return lu_err_set(err,
			"%s: not there, or not what rank 0 has written: the run folder must be on "
			"a file "
			"system that all hosts share",
			m->path);
}

int lt_shared_folder_check(struct lt_comm *comm, const struct lt_run *run, struct lu_err *err)
{
	struct mark m = { 0 };
	int rc = run ? fill(&m, run, err) : 0;

	if (lt_comm_size(comm) == 1)
		return rc;
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0 ||
			lt_comm_share(comm, LT_CHANNEL_MAIN, &m, sizeof(m), err) < 0)
		return -1;
	rc = run ? 0 : look(&m, err);
	return lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err);
}
