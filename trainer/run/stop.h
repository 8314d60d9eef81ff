#ifndef LUCIE_TRAINER_RUN_STOP_H
#define LUCIE_TRAINER_RUN_STOP_H
/*
 * Signals that stop a run: SIGINT, SIGTERM, SIGUSR1 and SIGHUP (unless it is ignored, as nohup does).
 *
 *	lt_stop_install(quiet)
 *	lt_stop_stage(LT_STOP_STEP)	what a signal would interrupt
 *	lt_stop_at(step)		what a second Ctrl-C would lose
 *	lt_stop_saved(saved)		likewise
 *	if (lt_stop_asked()) ...	a signal has come: save and return LU_EXIT_AGAIN
 *
 * The first signal says at once, on standard error, where the run will stop. A second SIGINT says
 * what is lost and ends the program; repeated others do not, since schedulers send them twice.
 *
 * The state belongs to the process: a signal handler has no other way to know it.
 */
#include <stdbool.h>
#include <stdint.h>

enum lt_stop_stage { LT_STOP_OPENING, LT_STOP_STEP, LT_STOP_VALIDATION, LT_STOP_CHECKPOINT };

/* quiet: say nothing. */
void lt_stop_install(bool quiet);
void lt_stop_stage(enum lt_stop_stage stage);

/* The run is at `step`; the last checkpoint is that of step `saved`, UINT64_MAX: none. Cheap; the thread
 * that writes checkpoints calls the second. */
void lt_stop_at(uint64_t step);
void lt_stop_saved(uint64_t saved);

bool lt_stop_asked(void);

#endif
