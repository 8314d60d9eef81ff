#ifndef LUCIE_ORDER_ORDER_H
#define LUCIE_ORDER_ORDER_H
/*
 * The order of the samples of a training run (rows.h says what a sample is).
 *
 * Cut from a stream of N tokens with a context of T tokens, sample s is the stream's tokens s T ..
 * s T + T: inputs are the first T, labels the last T, so its last token is the first of sample s + 1.
 * There are (N - 1) / T samples; the rest, less than one, is not used.
 *
 * The run's i-th sample, counted from 0 at the start of the phase, belongs to epoch
 * e = i / samples. It is sample
 *	lu_rand_permute(seed, lu_rand_stream("samples", e), i % samples, samples)
 * or i % samples where the order is not shuffled. So every epoch has its own order and uses each
 * sample once, and the position of a run is i alone.
 *
 * Pure functions; they need only libc.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/rng.h"

/* Samples of a stream; may be 0. context is at least 1. */
static inline uint64_t lu_order_samples(uint64_t tokens, uint64_t context)
{
	return tokens ? (tokens - 1) / context : 0;
}

struct lu_order_position {
	uint64_t epoch, sample;
};

/* The i-th sample of a run over `samples`, which is not 0. */
static inline struct lu_order_position lu_order_pick(
		uint64_t seed, bool shuffle, uint64_t samples, uint64_t i)
{
	struct lu_order_position s = { .epoch = i / samples, .sample = i % samples };

	if (shuffle)
		s.sample = lu_rand_permute(
				seed, lu_rand_stream("samples", s.epoch), s.sample, samples);
	return s;
}

#endif
