#ifndef LUCIE_TRAINER_RUN_SCHEDULE_H
#define LUCIE_TRAINER_RUN_SCHEDULE_H
/*
 * Batch size and learning rate as pure functions of the samples consumed in a phase. A sample is one
 * sequence of `context` tokens. Nothing depends on steps, ranks or earlier calls, so a run that is
 * resumed, or changes its layout, continues with the same values.
 *
 * Batch: with a ramp (start, step, over n samples) it is start + step * floor(consumed /
 * (n / increments)) while consumed <= n, increments = (full - start) / step; then full. The phase
 * ends before the first step that would exceed its samples.
 *
 * Learning rate of a step, at the samples x consumed after the step:
 *	warm-up		x <= warmup: lr * x / warmup
 *	constant	lr
 *	linear		lr + (lr_min - lr) * (x - warmup) / (samples - warmup)
 *	cosine		lr_min + (lr - lr_min) * (1 + cos(pi * (x - warmup) / (samples - warmup))) / 2
 *	wsd		lr until samples - cooldown, then lr_min + (lr - lr_min) d(t), with t rising
 *			from 0 to 1 over the cooldown, and d(t) by the decay type:
 *			linear 1 - t, cosine (1 + cos(pi t)) / 2, 1-sqrt 1 - sqrt(t)
 * 1-sqrt is of Haegele et al., "Scaling laws and compute-optimal training beyond fixed training
 * durations", 2024; the names are those of transformers' warmup_stable_decay. The others are the rules of the Lucie-7B run; they reproduce its published learning rates and counts.
 */
#include <stdint.h>

#include "libcommon/base/err.h"

enum lt_decay { LT_CONSTANT, LT_LINEAR, LT_COSINE, LT_WSD };
enum lt_decay_type { LT_DECAY_LINEAR, LT_DECAY_COSINE, LT_DECAY_SQRT };

struct lt_schedule {
	uint64_t batch;				      /* full batch, samples */
	uint64_t ramp_start, ramp_step, ramp_samples; /* ramp_step 0: no ramp */
	uint64_t samples;			      /* length of the phase */
	enum lt_decay decay;
	enum lt_decay_type decay_type; /* of wsd */
	double lr, lr_min;
	uint64_t warmup, cooldown; /* samples */
};

/* Parse "START STEP SAMPLES" (empty: no ramp) and check that the ramp reaches `batch` in whole steps
 * and that every batch size is a multiple of `unit`, the micro-batch. */
int lt_schedule_ramp(struct lt_schedule *s, const char *text, uint64_t unit,
		struct lu_err *err) LU_CHECKED;

/* Fail if the phase has no step, or a warm-up, cooldown or ramp that does not fit into it. */
int lt_schedule_check(const struct lt_schedule *s, struct lu_err *err) LU_CHECKED;

/* Samples of the step that starts at `consumed`; 0 at the end of the phase. */
uint64_t lt_schedule_batch(const struct lt_schedule *s, uint64_t consumed);
/* Learning rate of the step that ends at `consumed`. */
double lt_schedule_lr(const struct lt_schedule *s, uint64_t consumed);

/* Samples after `steps` steps, regardless of s->samples. */
uint64_t lt_schedule_samples(const struct lt_schedule *s, uint64_t steps);
/* Steps until at least so many samples are consumed, and how many those are then, regardless of
 * s->samples. */
uint64_t lt_schedule_reach(const struct lt_schedule *s, uint64_t samples, uint64_t *consumed);
/* Steps of the phase that remain after `consumed` samples. */
uint64_t lt_schedule_left(const struct lt_schedule *s, uint64_t consumed);
/* Steps of the whole phase. */
uint64_t lt_schedule_steps(const struct lt_schedule *s);

#endif
