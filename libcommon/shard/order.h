#ifndef LUCIE_SHARD_ORDER_H
#define LUCIE_SHARD_ORDER_H
/*
 * In which order a training run reads its tokens. lucie-train and lucie-trace share this, so
 * that what a step was trained on can be told afterwards.
 *
 * The training data is one stream of `tokens` tokens: the documents of the first shard or plan
 * of the list, then of the next, end to end. With a context of T tokens, sample s is the stream's
 * tokens s T .. s T + T: inputs are the first T, labels the last T, so its last token is the
 * first of sample s + 1. There are (tokens - 1) / T samples an epoch; what is left over is less
 * than one sample and is not used.
 *
 * The run's i-th sample, counted from 0 at the start of the phase, belongs to epoch
 * e = i / samples. It is sample
 *	lu_rand_permute(seed, lu_rand_stream("samples", e), i % samples, samples)
 * of the stream, or i % samples where the order is not shuffled. So every epoch has its own
 * order, uses each sample once, and the position of a run is i and nothing else.
 *
 * Pure functions; they need nothing but libc.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/rng.h"

struct lu_order {
	uint64_t seed;
	uint64_t tokens;  /* of the stream */
	uint64_t context; /* T, at least 1 */
	bool shuffle;
};

/* Where a sample is: the stream's tokens first .. first + context, both included. */
struct lu_order_place {
	uint64_t epoch, sample, first;
};

/* Samples of one epoch; may be 0. */
static inline uint64_t lu_order_samples(const struct lu_order *o)
{
	return o->tokens ? (o->tokens - 1) / o->context : 0;
}

/* The i-th sample of the run. lu_order_samples() must not be 0. */
static inline struct lu_order_place lu_order_at(const struct lu_order *o, uint64_t i)
{
	uint64_t samples = lu_order_samples(o);
	struct lu_order_place p = { .epoch = i / samples, .sample = i % samples };

	if (o->shuffle)
		p.sample = lu_rand_permute(
				o->seed, lu_rand_stream("samples", p.epoch), p.sample, samples);
	p.first = p.sample * o->context;
	return p;
}

#endif
