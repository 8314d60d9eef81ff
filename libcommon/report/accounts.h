#ifndef LUCIE_REPORT_ACCOUNTS_H
#define LUCIE_REPORT_ACCOUNTS_H
/*
 * The accounting lines of a build (lucie-stats-line(5)), summed up by stage.
 *
 *	struct lu_accounts a = { 0 };
 *	lu_accounts_read(&a, files, n, by_file, max_line, &err);
 *	... a.fault.p[0 .. a.fault.n - 1] ...
 *	lu_accounts_text(&a, &out);  lu_accounts_json(&a, &out);
 *	lu_accounts_release(&a);
 *
 * A stage is a program, or with by_file a file of accounting lines. Stages keep the order in which
 * they first appear. A line that is not an accounting line is an error that names it; one in which
 * in + repeated is not out + dropped is a fault.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/stats.h"

struct lu_stage_reason {
	const char *name;
	uint64_t docs;
};

struct lu_stage {
	const char *name;
	uint64_t runs; /* lines */
	struct lu_count in, out;
	uint64_t repeated;
	struct LU_VEC(struct lu_stage_reason) dropped; /* in byte order of the name */
	double wall, cpu;			       /* seconds */
	uint64_t rss;				       /* bytes, the maximum */
	struct lu_str mix;			       /* raw JSON of the last "mix", or empty */
};

struct lu_accounts {
	struct LU_VEC(struct lu_stage) stage;
	/* "FILE:LINE: lucie-x: in 3 + repeated 0 is not out 1 + dropped 1" */
	struct LU_VEC(const char *) fault;
	struct lu_arena arena; /* the strings */
};

int lu_accounts_read(struct lu_accounts *a, char **file, size_t files, bool by_file,
		uint64_t max_line, struct lu_err *err) LU_CHECKED;
/* Add a fault for each stage that reads another number of documents than the one before wrote. */
int lu_accounts_chain(struct lu_accounts *a, struct lu_err *err) LU_CHECKED;
uint64_t lu_stage_dropped(const struct lu_stage *s);
void lu_accounts_text(const struct lu_accounts *a, struct lu_buf *out);
void lu_accounts_json(const struct lu_accounts *a, struct lu_buf *out);
void lu_accounts_release(struct lu_accounts *a);

#endif
