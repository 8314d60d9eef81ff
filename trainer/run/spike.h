#ifndef LUCIE_TRAINER_RUN_SPIKE_H
#define LUCIE_TRAINER_RUN_SPIKE_H
/*
 * Steps whose gradient is out of proportion: with train.spike = X, the update of a step is left out if
 *	norm > X * median of the norms before
 * with the norms, before clipping, of the last LT_SPIKE_WINDOW steps of the phase, those left out
 * among them, so that a lasting change of the norm is followed; the median of an even number is the
 * mean of the two in the middle. No step is left out before LT_SPIKE_LEAST norms are known.
 * The samples of the step are consumed all the same; weights, moments and their count of updates stay
 * as they are.
 *
 * The limit of a step follows from the steps before it alone, so it is in device memory before the
 * norm is known, the same on all ranks. The norms are part of the position of a run, and so of its
 * checkpoints.
 */
#include <stddef.h>
#include <stdint.h>

#define LT_SPIKE_WINDOW 128
#define LT_SPIKE_LEAST 32

struct lt_spike {
	uint64_t n;
	double norm[LT_SPIKE_WINDOW]; /* the oldest first */
};

/* The largest norm of which a step is still taken; 0: any, as with factor 0. */
double lt_spike_limit(const struct lt_spike *s, double factor);
/* Note the norm of a step. */
void lt_spike_add(struct lt_spike *s, double norm);

#endif
