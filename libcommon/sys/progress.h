#ifndef LUCIE_SYS_PROGRESS_H
#define LUCIE_SYS_PROGRESS_H
/*
 * One line on the terminal that says how far the work is. Shown when standard error is a
 * terminal and this is its foreground process, after one second, at most five times a second,
 * and wiped at the end; or as --progress says.
 *
 *	struct lu_progress p;
 *	lu_progress_start(&p, tool, mode, total);	total 0: unknown
 *	lu_progress_update(&p, done, docs);		cheap; call it for each batch
 *	lu_progress_end(&p);
 *
 * `done` and `total` are in the unit of the work, bytes of input for the data programs.
 * One at a time in a process; not called from two threads at once.
 */
#include <stdbool.h>
#include <stdint.h>

struct lu_progress {
	const char *tool;
	const char *unit; /* "docs" unless set after start */
	uint64_t total;
	double start, last;
	bool on;
};

void lu_progress_start(struct lu_progress *p, const char *tool, int mode, uint64_t total);
void lu_progress_update(struct lu_progress *p, uint64_t done, uint64_t docs);
void lu_progress_end(struct lu_progress *p);

/* Wipes the line if one is there, before something else is written to standard error. */
void lu_progress_clear(void);

/* Seconds of a clock that never steps back. */
double lu_clock(void);

#endif
