#ifndef LUCIE_TRAINER_PARALLEL_ACTIONS_CHECK_H
#define LUCIE_TRAINER_PARALLEL_ACTIONS_CHECK_H
/*
 * The check of a pipeline schedule, to be made before it is run: the lists of all stages are walked
 * through as the executor would, and every promise of actions.h is tested. It knows nothing of how
 * the lists were made. A list that passes cannot deadlock, since what a stage does next never
 * depends on time.
 *
 * The walk keeps clocks as well: a pass takes the time of its chunk, a message none. So it tells
 * how long a step takes and how much of it the stages wait (the bubble).
 */
#include <stddef.h>

#include "libcommon/base/err.h"
#include "trainer/parallel/actions.h"

struct lt_walk {
	/* In. Time of a pass of each chunk, [stages * v]; NULL: 1 forward, 2 backward. `visit`,
	 * unless NULL, is called for every pass, for each stage in the order of its list. */
	const double *forward, *backward;
	void (*visit)(void *ctx, size_t stage, const struct lt_action *a, double begin, double end);
	void *ctx;

	/* Out. */
	double time;   /* of a step: the latest end of a pass */
	double bubble; /* share of the stages' time in which they wait, 0 to 1 */
};

/*
 * Check a schedule; walk may be NULL. The error names stage and action, numbered from 0, and what
 * is wrong: a deadlock, a message that is not the one expected or that nobody receives, a slot that
 * is taken or another's, passes out of order or without their messages, a backward pass without its
 * forward pass, a micro-batch that is missing, a chunk of another stage, a number out of range.
 */
int lt_pipeline_check(
		const struct lt_pipeline *p, struct lt_walk *walk, struct lu_err *err) LU_CHECKED;

#endif
