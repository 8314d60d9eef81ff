#ifndef LUCIE_SYS_PROGRESS_H
#define LUCIE_SYS_PROGRESS_H
/*
 * The progress line: one line on standard error that is rewritten in place.
 *
 *	struct lu_progress p;
 *	lu_progress_start(&p, tool, mode, total);	total 0: unknown
 *	lu_progress_update(&p, done, docs);		cheap: call it for each batch
 *	lu_progress_end(&p);				wipes the line
 *
 * In mode AUTO the line appears only when standard error is a terminal and this is its foreground
 * process, after one second and at most five times a second. `done` and `total` are bytes of
 * input, printed in megabytes.
 *
 * One line per process, updated by one thread at a time.
 */
#include <stdbool.h>
#include <stdint.h>

enum lu_progress_mode {
	LU_PROGRESS_AUTO,
	LU_PROGRESS_ALWAYS,
	LU_PROGRESS_NEVER,
};

struct lu_progress {
	const char *tool;
	const char *unit; /* of `docs` in the line: "docs"; may be set after start */
	uint64_t total;
	double start, last;
	bool on;
};

void lu_progress_start(struct lu_progress *p, const char *tool, enum lu_progress_mode mode,
		uint64_t total);
void lu_progress_update(struct lu_progress *p, uint64_t done, uint64_t docs);
void lu_progress_end(struct lu_progress *p);

/* Wipe the line if it is on the screen, before anything else is written to standard error. */
void lu_progress_clear(void);

/* Seconds of a monotonic clock. */
double lu_clock(void);

#endif
