/* Any bytes as a robots.txt file and, behind the first NUL, a path: the answers of the plain reading;
 * and as a file of responses: an error, or answers. */
#include <stdlib.h>

#include "libcommon/robots/robots.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/plain_robots.h"

static void check_robots(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *nul = size ? memchr(p, 0, size) : NULL;
	struct lu_str text = { p, nul ? (size_t)(nul - p) : size }, path = { NULL, 0 }, rule;
	const struct lu_str agent[] = { LU_STR("A"), LU_STR("*") };
	struct lu_buf policy = { 0 }, form = { 0 }, again = { 0 };

	if (nul)
		path = (struct lu_str){ nul + 1, size - text.n - 1 };
	lu_robots_compile(text, agent, 2, &policy);
	lu_robots_path(path, &form);
	for (size_t i = 0; i < 2; i++) {
		struct lu_str rules = lu_robots_rules(lu_buf_slice(&policy), i);

		bool allowed = lu_robots_allows(rules, lu_buf_slice(&form), &rule);

		if (text.n < 1000 && path.n < 100 && /* its table has an entry for each pair */
				allowed != plain_robots_allows(text, agent[i].p, path))
			abort();
	}
	/* The compared form of a compared form is itself. */
	lu_robots_path(lu_buf_slice(&form), &again);
	if (lu_buf_ok(&form) && !lu_str_eq(lu_buf_slice(&again), lu_buf_slice(&form)))
		abort();
	lu_buf_release(&policy);
	lu_buf_release(&form);
	lu_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_robots r = { 0 };
	struct lu_robots_answer a;
	struct lu_buf scratch = { 0 };
	struct lu_err err = { 0 };

	check_robots(data, size);
	if (lu_robots_agents(&r, "A,*", &err) < 0)
		abort();
	if (lu_robots_read(&r, f.path, &err) < 0 && !err.msg[0])
		abort();
	lu_robots_ask(&r, (struct lu_str){ (const char *)data, size }, &scratch, &a);
	lu_robots_ask(&r, LU_STR("http://a.fr/x"), &scratch, &a);
	lu_robots_release(&r);
	lu_buf_release(&scratch);
	fuzz_file_close(&f);
	return 0;
}
