#ifndef LUCIE_TRAINER_RUN_MICRO_FEED_H
#define LUCIE_TRAINER_RUN_MICRO_FEED_H
/*
 * The micro-batches of a rank, read ahead (data/prefetch.h). Which samples come next follows from the
 * schedule and the layout alone, so reading goes on over the ends of steps.
 *
 *	lt_feed_open(&f, &want, corpus, &layout, &settings, &schedule, consumed, &err)
 *	lt_feed_load(f, &micro, &err)			the next micro-batch of this rank
 *	lt_feed_close(f)
 */
#include "trainer/data/corpus.h"
#include "trainer/run/layout.h"
#include "trainer/run/schedule.h"

struct lt_feed;

/* consumed: samples of the phase that are done. Corpus, layout and schedule must outlive the feed. */
int lt_feed_open(struct lt_feed **f, const struct lt_micro_want *want, const struct lt_corpus *c,
		const struct lt_layout *layout, const struct lt_settings *s,
		const struct lt_schedule *schedule, uint64_t consumed,
		struct lu_err *err) LU_CHECKED;
void lt_feed_close(struct lt_feed *f); /* NULL is fine */

/* The next micro-batch: micro_batch sequences of context tokens, opened for the same want. */
int lt_feed_load(struct lt_feed *f, struct lt_micro *m, struct lu_err *err) LU_CHECKED;

#endif
