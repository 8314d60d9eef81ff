#ifndef LUCIE_FILTER_ROBOTS_JUDGE_H
#define LUCIE_FILTER_ROBOTS_JUDGE_H
/*
 * The judge of lucie-filter that asks the robots.txt files of a crawl (robots/robots.h).
 *
 *	struct lu_robots_run r = { .missing = LU_ROBOTS_DROP_MISSING };
 *	lu_robots_agents(&r.robots, ...), lu_robots_read(&r.robots, ...)
 *	lu_judges_add(&js, &lu_robots_judge, &r, &err)
 *	lu_robots_run_close(&r);
 *
 * A document is dropped as "robots.txt" if one of the agents may not fetch its "url", as "robots.txt
 * unreachable" if the host could not say. One of which nothing is known ("no robots.txt"), or that has
 * no address ("no url"), is kept or dropped as `missing` says. The answer goes into the member
 * "robots" of the record, or is the value in the reject file:
 *
 *	{"decision":"allowed","agent":"CCBot,*","date":"2024-07-20T12:34:56Z"}
 *	{"decision":"disallowed","agent":"CCBot","rule":"/private","date":...}
 */
#include "libcommon/filter/judges.h"
#include "libcommon/robots/robots.h"

/* What becomes of documents of which nothing is known. */
enum lu_robots_missing { LU_ROBOTS_KEEP_MISSING, LU_ROBOTS_DROP_MISSING };
extern const struct lu_enum lu_robots_missing[];

struct lu_robots_run {
	struct lu_robots robots;
	enum lu_robots_missing missing;
	uint64_t decided[LU_ROBOTS_NO_ADDRESS + 1]; /* documents by decision */
};

extern const struct lu_judge lu_robots_judge;
void lu_robots_run_close(struct lu_robots_run *r);

#endif
