#ifndef LUCIE_TRAINER_RUN_STOP_H
#define LUCIE_TRAINER_RUN_STOP_H
/*
 * What stops a run before its end: SIGINT, SIGTERM, SIGUSR1 and SIGHUP (unless it is ignored, as nohup
 * does), and a time limit.
 *
 *	lt_stop_seconds(limit, margin, job_end, now, &seconds, &err)
 *	lt_stop_limit(seconds)
 *	lt_stop_install(quiet)
 *	lt_stop_stage(LT_STOP_STEP)	what a signal would interrupt
 *	lt_stop_at(step)		what a second Ctrl-C would lose
 *	lt_stop_saved(saved)		likewise
 *	if (lt_stop_asked()) ...	a signal has come, or the time: save and return LU_EXIT_AGAIN
 *
 * The first signal says at once, on standard error, where the run will stop. A second SIGINT says
 * what is lost and ends the program; repeated others do not, since schedulers send them twice.
 *
 * The state belongs to the process: a signal handler has no other way to know it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/err.h"

enum lt_stop_stage { LT_STOP_OPENING, LT_STOP_STEP, LT_STOP_VALIDATION, LT_STOP_CHECKPOINT };

/*
 * When a run should stop: *seconds from now; 0: never.
 *	limit	 of --time-limit; NULL: what is left of the job, less a margin for the last step and
 *		 the checkpoint
 *	margin	 of --time-margin; NULL: a tenth of what is left, at most ten minutes
 *	job_end	 SLURM_JOB_END_TIME, when Slurm ends the job, in seconds since 1970 like `now`; NULL:
 *		 no job, or an old version of Slurm. One in the past is that of a job that is over,
 *		 in a shell that has outlived it.
 * Fails if a text is no duration, or the margin leaves nothing.
 */
int lt_stop_seconds(const char *limit, const char *margin, const char *job_end, double now,
		double *seconds, struct lu_err *err) LU_CHECKED;

/* Ask for a stop `seconds` after this call, which belongs to the start of the process; 0: never. */
void lt_stop_limit(double seconds);

/* quiet: say nothing. */
void lt_stop_install(bool quiet);
void lt_stop_stage(enum lt_stop_stage stage);

/* The run is at `step`; the last checkpoint is that of step `saved`, UINT64_MAX: none. Cheap; the thread
 * that writes checkpoints calls the second. */
void lt_stop_at(uint64_t step);
void lt_stop_saved(uint64_t saved);

bool lt_stop_asked(void);

#endif
