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
 * In mode AUTO the line appears where the terminal is ours (sys/terminal.h), after one second and
 * at most five times a second. It never wraps: what does not fit the terminal, as wide as it is at
 * that moment, is left out, the speed first. `done` and `total` are bytes of input, printed in
 * megabytes, or a number of units.
 *
 * One line per process, updated by one thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lu_progress_mode {
	LU_PROGRESS_AUTO,
	LU_PROGRESS_ALWAYS,
	LU_PROGRESS_NEVER,
};

struct lu_progress {
	const char *tool;
	const char *unit; /* of `docs` in the line: "docs"; may be set after start */
	bool counts;	  /* `done` and `total` are in these units, not bytes */
	uint64_t total;
	double start, last;
	bool on, asked; /* `asked`: whether the terminal is ours has been found out */
};

void lu_progress_start(struct lu_progress *p, const char *tool, enum lu_progress_mode mode,
		uint64_t total);
/* The same for work that is counted in units ("tokens"). */
void lu_progress_start_units(struct lu_progress *p, const char *tool, enum lu_progress_mode mode,
		uint64_t total, const char *unit);
/* `docs` is not used where units are counted. */
void lu_progress_update(struct lu_progress *p, uint64_t done, uint64_t docs);
void lu_progress_end(struct lu_progress *p);

#define LU_PROGRESS_LINE 256

/* The text of the line after `seconds`, at most `columns` long. */
void lu_progress_format(const struct lu_progress *p, uint64_t done, uint64_t docs, double seconds,
		size_t columns, char line[LU_PROGRESS_LINE]);

/* Wipe the line if it is on the screen, before anything else is written to standard error. */
void lu_progress_clear(void);

/* Seconds of a monotonic clock. */
double lu_clock(void);

#endif
