#ifndef LUCIE_TRAINER_DATA_PREFETCH_H
#define LUCIE_TRAINER_DATA_PREFETCH_H
/*
 * Samples of a corpus, read ahead of their use by threads of their own.
 *
 *	struct lt_prefetch *p;
 *	lt_prefetch_open(&p, corpus, slots, threads, &want, &err);
 *	while (next sample is known && lt_prefetch_push(p, sample))
 *		;						ask ahead, in the order of use
 *	lt_prefetch_pop(p, &s, &err);				waits until it is read
 *	... s.sample, s.row; valid until the next pop ...
 *	lt_prefetch_close(p);
 *
 * Samples come out in the order in which they were pushed, however many threads read them, and are
 * those of lt_corpus_sample(). At most `slots` are asked for and not popped: memory is slots + 1
 * micro-batches of one sequence (micro_batch.h).
 *
 * Which samples a process needs is known from the schedule, so a caller pushes until it is told that
 * the queue is full, computes a step, pops what the step needs, and pushes again. The position of a
 * run is what was popped and used: samples that were pushed only are forgotten at close, and pushed
 * again after a resume.
 *
 * A sample that cannot be read fails its own pop; the ones behind it are not lost. Push, pop and close
 * belong to one thread. Signals are left to the caller's threads, but for those that a fault raises
 * (sys/mapped.h).
 */
#include <stdbool.h>

#include "trainer/data/corpus.h"

struct lt_prefetch;

/* slots and threads are at least 1. The corpus must outlive it. */
int lt_prefetch_open(struct lt_prefetch **p, const struct lt_corpus *c, size_t slots,
		size_t threads, const struct lt_micro_want *want, struct lu_err *err) LU_CHECKED;
/* Stop the threads after what they are reading. NULL is fine. */
void lt_prefetch_close(struct lt_prefetch *p);

/* Ask for sample i (lt_corpus_sample()). False: all slots are taken, pop first. */
bool lt_prefetch_push(struct lt_prefetch *p, uint64_t i) LU_CHECKED;

struct lt_prefetched {
	uint64_t sample;
	const struct lt_micro *row; /* one sequence */
};

/* The next sample that was asked for; there must be one. */
int lt_prefetch_pop(
		struct lt_prefetch *p, struct lt_prefetched *out, struct lu_err *err) LU_CHECKED;

#endif
