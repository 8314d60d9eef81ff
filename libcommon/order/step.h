#ifndef LUCIE_ORDER_STEP_H
#define LUCIE_ORDER_STEP_H
/*
 * The data of one step of a training run, from the files in its folder: metrics.jsonl has the
 * samples of the step, config.ini the data and its order (lucie-train(1)).
 *
 *	struct lu_step step;
 *	if (lu_step_read(&step, "run", "800", &err) < 0) ...
 *	... samples step.first .. step.first + step.samples - 1 of the phase, in step.order,
 *	    of the stream step.train (mix/stream.h) ...
 *	lu_step_release(&step);
 */
#include "libcommon/base/arena.h"
#include "libcommon/shard/order.h"
#include "libcommon/sys/conf.h"

struct lu_step {
	uint64_t first, samples; /* first sample, counted from the start of the phase; how many */
	const char *train;	 /* data.train: shards and plans */
	struct lu_order order;	 /* `tokens` is the caller's to set: it is the stream's */
	struct lu_conf conf;	 /* owns the strings of the settings */
	struct lu_arena arena;
};

/* `step` is the number of the step as text. A resumed run repeats steps: the last time counts. */
int lu_step_read(struct lu_step *s, const char *run, const char *step,
		struct lu_err *err) LU_CHECKED;
void lu_step_release(struct lu_step *s);

#endif
