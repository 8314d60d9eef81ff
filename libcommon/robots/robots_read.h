#ifndef LUCIE_ROBOTS_ROBOTS_READ_H
#define LUCIE_ROBOTS_ROBOTS_READ_H
/* Between robots.c, which keeps responses and answers, and robots_read.c, which reads files. */
#include "libcommon/robots/robots.h"

/* A response for a robots.txt file, or for what one redirects to. */
struct lu_robots_fetched {
	struct lu_str url, location; /* location.n 0: none */
	struct lu_str text;
	int status; /* of HTTP */
	int64_t date;
};

/* Take a response over, unless a newer one is there; r->passed_over counts those that are not used
 * because of their address or status. */
int lu_robots_add(struct lu_robots *r, const struct lu_robots_fetched *f,
		struct lu_err *err) LU_CHECKED;

#endif
