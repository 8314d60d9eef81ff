#ifndef LUCIE_TRAINER_RUN_MICRO_FEED_H
#define LUCIE_TRAINER_RUN_MICRO_FEED_H
/*
 * The micro-batches of a rank, read ahead (data/prefetch.h). Which samples come next follows from the
 * schedule and the layout alone, so reading goes on over the ends of steps.
 *
 *	lt_feed_open(&f, corpus, &layout, &settings, &schedule, consumed, &err)
 *	lt_feed_load(f, ids, labels, places, &err)	the next micro-batch of this rank
 *	lt_feed_close(f)
 */
#include "trainer/data/corpus.h"
#include "trainer/run/layout.h"
#include "trainer/run/schedule.h"

struct lt_feed;

/* consumed: samples of the phase that are done. Corpus, layout and schedule must outlive the feed. */
int lt_feed_open(struct lt_feed **f, const struct lt_corpus *c, const struct lt_layout *layout,
		const struct lt_settings *s, const struct lt_schedule *schedule, uint64_t consumed,
		struct lu_err *err) LU_CHECKED;
void lt_feed_close(struct lt_feed *f); /* NULL is fine */

/* ids, labels and places (NULL without reset_documents) of the next micro-batch: micro_batch *
 * context each. */
int lt_feed_load(struct lt_feed *f, uint32_t *ids, uint32_t *labels, uint32_t *places,
		struct lu_err *err) LU_CHECKED;

#endif
