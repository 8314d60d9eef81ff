#ifndef LUCIE_REPORT_ACCOUNTS_H
#define LUCIE_REPORT_ACCOUNTS_H
/*
 * The accounting lines of a build (lucie-stats-line(5)), added up by stage.
 *
 *	struct lu_accounts a = { 0 };
 *	lu_accounts_read(&a, files, n, by_file, max_line, &err);
 *	... a.fault[i].text for each line that does not add up ...
 *	lu_accounts_text(&a, &out);  lu_accounts_json(&a, &out);
 *	lu_accounts_release(&a);
 *
 * A stage is a program, or with by_file a file of accounting lines; stages stand in the order in
 * which they first appear. A line that is no accounting line is an error that names it; one that
 * is, but in which in + repeated is not out + dropped, is a fault.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/sys/stats.h"

struct lu_stage {
	const char *name;
	uint64_t runs; /* lines */
	struct lu_count in, out;
	uint64_t repeated;
	struct lu_reason *dropped; /* in byte order of the name */
	size_t reasons;
	double wall, cpu;  /* seconds */
	uint64_t rss;	   /* bytes, the largest */
	struct lu_str mix; /* raw JSON of the last "mix" there was, or empty */
};

struct lu_fault {
	const char *text; /* "FILE:LINE: lucie-x: in 3 + repeated 0 is not out 1 + dropped 1" */
};

struct lu_accounts {
	struct lu_stage *stage;
	size_t stages;
	struct lu_fault *fault;
	size_t faults;
	struct lu_arena arena; /* the strings */
};

int lu_accounts_read(struct lu_accounts *a, char **file, size_t files, bool by_file,
		uint64_t max_line, struct lu_err *err) LU_CHECKED;
/* Adds a fault where a stage's input is not what the one before it put out. */
int lu_accounts_chain(struct lu_accounts *a, struct lu_err *err) LU_CHECKED;
uint64_t lu_stage_dropped(const struct lu_stage *s);
void lu_accounts_text(const struct lu_accounts *a, struct lu_buf *out);
void lu_accounts_json(const struct lu_accounts *a, struct lu_buf *out);
void lu_accounts_release(struct lu_accounts *a);

#endif
