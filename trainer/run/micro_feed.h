#ifndef LUCIE_TRAINER_RUN_MICRO_FEED_H
#define LUCIE_TRAINER_RUN_MICRO_FEED_H
/*
 * The micro-batches of a rank, read ahead (data/prefetch.h). Which samples come next follows from the
 * schedule and the layout alone, so reading goes on over the ends of steps.
 *
 *	lt_feed_open(&f, &data, &layout, consumed, &err)
 *	lt_feed_load(f, &micro, &err)			the next micro-batch of this rank
 *	lt_feed_close(f)
 */
#include "trainer/run/layout.h"
#include "trainer/run/phase_data.h"

struct lt_feed;

/* consumed: samples of the phase that are done. Data and layout must outlive the feed. */
int lt_feed_open(struct lt_feed **f, const struct lt_phase_data *d, const struct lt_layout *layout,
		uint64_t consumed, struct lu_err *err) LU_CHECKED;
void lt_feed_close(struct lt_feed *f); /* NULL is fine */

/* The next micro-batch: micro_batch sequences of context tokens, opened for lt_phase_data_want(). */
int lt_feed_load(struct lt_feed *f, struct lt_micro *m, struct lu_err *err) LU_CHECKED;

#endif
