#ifndef LUCIE_SHARD_ORDER_H
#define LUCIE_SHARD_ORDER_H
/*
 * The order in which a training run reads its tokens. lucie-train and lucie-trace share it, so
 * that the data of a step can be determined afterwards.
 *
 * The training data is one stream of `tokens` tokens: the documents of the first shard or plan
 * of the list, then of the next, end to end (mix/stream.h). With a context of T tokens, sample s
 * is the stream's tokens s T .. s T + T: inputs are the first T, labels the last T, so its last
 * token is the first of sample s + 1. There are (tokens - 1) / T samples an epoch; the rest, less
 * than one sample, is not used.
 *
 * The run's i-th sample, counted from 0 at the start of the phase, belongs to epoch
 * e = i / samples. It is sample
 *	lu_rand_permute(seed, lu_rand_stream("samples", e), i % samples, samples)
 * of the stream, or i % samples where the order is not shuffled. So every epoch has its own
 * order and uses each sample once, and the position of a run is i alone.
 *
 * This is the order of data.rows = stream over one list; order/rows.h has the other ways to cut rows,
 * and lists that change. Pure functions; they need only libc.
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

/* The stream's tokens first .. first + context, both included. */
struct lu_order_position {
	uint64_t epoch, sample, first;
};

/* Samples of one epoch; may be 0. */
static inline uint64_t lu_order_samples(const struct lu_order *o)
{
	return o->tokens ? (o->tokens - 1) / o->context : 0;
}

/* The i-th of a run over `samples`, which is not 0, epoch after epoch; `first` is left 0. */
static inline struct lu_order_position lu_order_pick(
		uint64_t seed, bool shuffle, uint64_t samples, uint64_t i)
{
	struct lu_order_position s = { .epoch = i / samples, .sample = i % samples };

	if (shuffle)
		s.sample = lu_rand_permute(
				seed, lu_rand_stream("samples", s.epoch), s.sample, samples);
	return s;
}

/* The i-th sample of the run. lu_order_samples() must not be 0. */
static inline struct lu_order_position lu_order_at(const struct lu_order *o, uint64_t i)
{
	struct lu_order_position s = lu_order_pick(o->seed, o->shuffle, lu_order_samples(o), i);

	s.first = s.sample * o->context;
	return s;
}

#endif
