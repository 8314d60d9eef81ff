#include "libcommon/import/man.h"

#include <sys/wait.h>

#include "libcommon/base/take_line.h"
#include "libcommon/sys/run_program.h"

/* The longest page of Debian takes 0.3 s; only a page made to hang reaches the limit. */
#define TIMEOUT_SECONDS 60

int lu_man_open(struct lu_man *m, const char *tmpdir, struct lu_err *err)
{
	return lu_nowhere_open(&m->nowhere, tmpdir, err);
}

void lu_man_close(struct lu_man *m)
{
	lu_nowhere_close(m->nowhere);
	m->nowhere = -1;
}

/* True if the first line other than a comment includes another page. */
static bool only_includes(struct lu_str page)
{
	struct lu_str line;

	while (lu_take_line(&page, &line)) {
		bool request = line.n >= 3 && (line.p[0] == '.' || line.p[0] == '\'');

		if (line.n == 0 || (request && memcmp(line.p + 1, "\\\"", 2) == 0))
			continue;
		return line.n > 3 && memcmp(line.p, ".so", 3) == 0 &&
				(line.p[3] == ' ' || line.p[3] == '\t');
	}
	return false;
}

struct output {
	struct lu_buf *html;
	uint64_t limit;
};

static int take(void *ctx, const char *p, size_t n, struct lu_err *err)
{
	struct output *o = ctx;

	if (o->html->n > o->limit)
		return 1;
	lu_buf_append(o->html, p, n);
	return lu_buf_check(o->html, err);
}

int lu_man_html(const struct lu_man *m, struct lu_str page, uint64_t limit, struct lu_buf *html,
		const char **reason, struct lu_err *err)
{
	/* -Ios: a page without .Os would otherwise name this machine's kernel. */
	static const char *const command[] = { "mandoc", "-Thtml", "-Ofragment", "-Kutf-8",
		"-Ios=", NULL };
	struct output output = { html, limit };
	struct lu_program p = { .argv = command,
		.package = "mandoc",
		.nowhere = m->nowhere,
		.input = page,
		.limits = { .wall_seconds = TIMEOUT_SECONDS },
		.take = take,
		.ctx = &output };
	int status, rc;

	lu_buf_clear(html);
	if (only_includes(page)) {
		*reason = "page that only includes another";
		return 1;
	}
	rc = lu_program_run(&p, &status, err);
	/* 0 to 4 grade the page's own faults, 5 and 6 are mandoc's trouble (mandoc(1)). */
	if (rc < 0 || (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) <= 4))
		return rc;
	*reason = "mandoc failed";
	return 1;
}
