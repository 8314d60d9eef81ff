#ifndef LUCIE_ORDER_STEP_H
#define LUCIE_ORDER_STEP_H
/*
 * The data of one step of a training run, from the files in its folder: metrics.jsonl has the
 * samples of the step, config.ini the data and its order (lucie-train(1)).
 *
 *	struct lu_step step;
 *	if (lu_step_read(&step, "run", "800", &err) < 0) ...
 *	... lu_rows_open(&rows, step.train, &step.rows, &err) (rows.h): the step consumed the samples
 *	    that come after step.first others, but for those that step.skips leaves out (skips.h)
 *	lu_step_release(&step);
 */
#include "libcommon/base/arena.h"
#include "libcommon/order/rows.h"
#include "libcommon/order/skips.h"
#include "libcommon/sys/conf.h"

struct lu_step {
	uint64_t first, samples; /* samples of the phase that were consumed before; how many by the step */
	struct lu_skips skips; /* of phase 0, whichever it is */
	const char *train;     /* data.train: shards and plans */
	struct lu_rows_options rows;
	uint64_t goldfish;   /* data.goldfish */
	struct lu_conf conf; /* owns the strings of the settings */
	struct lu_arena arena;
};

/* `step` is the number of the step as text. A resumed run repeats steps: the last time counts. */
int lu_step_read(struct lu_step *s, const char *run, const char *step,
		struct lu_err *err) LU_CHECKED;
void lu_step_release(struct lu_step *s);

#endif
