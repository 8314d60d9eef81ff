#include "trainer/run/schedule.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"

static int three_words(const char *text, uint64_t out[3], struct lu_err *err)
{
	char *copy = strdup(text), *rest = copy;
	int n = 0, rc = 0;

	if (!copy)
		return lu_err_nomem(err);
	while (rest && rc == 0) {
		char *word = strsep(&rest, " \t");

		if (!*word)
			continue;
		if (n == 3)
			rc = lu_err_set(err, "'%s' has more than three values", text);
		else
			rc = lu_num_u64(word, &out[n++], err);
	}
	free(copy);
	if (rc == 0 && n != 3)
		rc = lu_err_set(err, "'%s' is not START STEP SAMPLES", text);
	return rc;
}

int lt_schedule_ramp(struct lt_schedule *s, const char *text, uint64_t unit, struct lu_err *err)
{
	uint64_t w[3], scaled;

	s->ramp_step = 0;
	if (unit == 0 || s->batch % unit)
		return lu_err_set(err,
				"train.global_batch = %" PRIu64
				" is not a multiple of train.micro_batch = %" PRIu64,
				s->batch, unit);
	if (!text || !*text)
		return 0;
	if (three_words(text, w, err) < 0)
		return lu_err_wrap(err, "train.ramp");
	if (w[0] == 0 || w[1] == 0 || w[2] == 0 || w[0] > s->batch || (s->batch - w[0]) % w[1])
		return lu_err_set(err,
				"train.ramp: steps of %" PRIu64 " from %" PRIu64
				" do not reach %" PRIu64,
				w[1], w[0], s->batch);
	if (w[0] % unit || w[1] % unit)
		return lu_err_set(err,
				"train.ramp: %" PRIu64 " and %" PRIu64
				" are not multiples of train.micro_batch = %" PRIu64,
				w[0], w[1], unit);
	if (__builtin_mul_overflow(w[2], (s->batch - w[0]) / w[1], &scaled))
		return lu_err_set(err, "train.ramp: %" PRIu64 " samples are out of range", w[2]);
	s->ramp_start = w[0];
	s->ramp_step = w[0] == s->batch ? 0 : w[1];
	s->ramp_samples = w[2];
	return 0;
}

int lt_schedule_check(const struct lt_schedule *s, struct lu_err *err)
{
	if (lt_schedule_steps(s) == 0)
		return lu_err_set(err,
				"train: %" PRIu64 " samples are fewer than one step of %" PRIu64,
				s->samples, lt_schedule_samples(s, 1));
	if (s->warmup > s->samples)
		return lu_err_set(err,
				"train.warmup = %" PRIu64
				" samples is longer than the phase of %" PRIu64
				" samples: the learning rate would never reach train.lr",
				s->warmup, s->samples);
	if (s->cooldown > s->samples - s->warmup)
		return lu_err_set(err,
				"train.cooldown = %" PRIu64
				" samples does not fit into the phase of %" PRIu64
				" samples after train.warmup = %" PRIu64,
				s->cooldown, s->samples, s->warmup);
	if (s->ramp_step && s->ramp_samples > s->samples)
		return lu_err_set(err,
				"train.ramp: %" PRIu64
				" samples are more than the phase of %" PRIu64
				" samples: the batch would never reach train.global_batch",
				s->ramp_samples, s->samples);
	if (s->decay != LT_CONSTANT && s->lr_min > s->lr)
		return lu_err_set(err,
				"train.lr_min = %g is more than train.lr = %g: the decay would "
				"raise "
				"the learning rate",
				s->lr_min, s->lr);
	return 0;
}

static uint64_t batch_at(const struct lt_schedule *s, uint64_t consumed)
{
	uint64_t increments, done;

	if (s->ramp_step == 0 || consumed > s->ramp_samples)
		return s->batch;
	increments = (s->batch - s->ramp_start) / s->ramp_step;
	done = consumed * increments / s->ramp_samples;
	return s->ramp_start + s->ramp_step * (done < increments ? done : increments);
}

uint64_t lt_schedule_batch(const struct lt_schedule *s, uint64_t consumed)
{
	uint64_t batch = batch_at(s, consumed);

	return consumed > s->samples || batch > s->samples - consumed ? 0 : batch;
}

/* What is left of the peak, from 1 at t = 0 to 0 at t = 1. */
static double left_of(const struct lt_schedule *s, double t)
{
	bool cosine = s->decay == LT_COSINE ||
			(s->decay == LT_WSD && s->decay_type == LT_DECAY_COSINE);

	if (cosine)
		return 0.5 * (1 + cos(M_PI * t));
	return s->decay == LT_WSD && s->decay_type == LT_DECAY_SQRT ? 1 - sqrt(t) : 1 - t;
}

double lt_schedule_lr(const struct lt_schedule *s, uint64_t consumed)
{
	double x = (double)consumed, all = (double)s->samples, from = (double)s->warmup, t;
	bool linear = s->decay == LT_LINEAR ||
			(s->decay == LT_WSD && s->decay_type == LT_DECAY_LINEAR);

	if (consumed <= s->warmup && s->warmup > 0)
		return s->lr * x / from;
	if (s->decay == LT_WSD)
		from = all - (double)s->cooldown;
	if (s->decay == LT_CONSTANT || x <= from || all <= from)
		return s->lr;
	t = x >= all ? 1 : (x - from) / (all - from);
	/* In this order of operations the published rates follow to the last bit. */
	if (linear)
		return s->lr + (s->lr_min - s->lr) * t;
	return s->lr_min + (s->lr - s->lr_min) * left_of(s, t);
}

uint64_t lt_schedule_samples(const struct lt_schedule *s, uint64_t steps)
{
	uint64_t consumed = 0, rest;

	while (steps > 0 && s->ramp_step && consumed <= s->ramp_samples) {
		consumed += batch_at(s, consumed);
		steps--;
	}
	if (__builtin_mul_overflow(steps, s->batch, &rest) || consumed + rest < consumed)
		return UINT64_MAX;
	return consumed + rest;
}

uint64_t lt_schedule_reach(const struct lt_schedule *s, uint64_t samples, uint64_t *consumed)
{
	uint64_t steps = 0, more;

	*consumed = 0;
	while (s->ramp_step && *consumed < samples && *consumed <= s->ramp_samples) {
		*consumed += batch_at(s, *consumed);
		steps++;
	}
	if (*consumed >= samples)
		return steps;
	more = (samples - *consumed - 1) / s->batch + 1;
	*consumed += more * s->batch;
	return steps + more;
}

uint64_t lt_schedule_left(const struct lt_schedule *s, uint64_t consumed)
{
	uint64_t steps = 0;

	while (s->ramp_step && consumed <= s->ramp_samples) {
		uint64_t batch = lt_schedule_batch(s, consumed);

		if (batch == 0)
			return steps;
		consumed += batch;
		steps++;
	}
	return consumed > s->samples ? steps : steps + (s->samples - consumed) / s->batch;
}

uint64_t lt_schedule_steps(const struct lt_schedule *s)
{
	return lt_schedule_left(s, 0);
}
