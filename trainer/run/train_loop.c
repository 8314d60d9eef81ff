#include "trainer/run/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "trainer/run/reference.h"
#include "trainer/run/replicas.h"
#include "trainer/run/stop.h"

/* --- checkpoints ------------------------------------------------------------------------------ */

/* Note what the saver has written. */
static void note_saved(struct lt_trainer *l, uint64_t saved)
{
	if (saved == UINT64_MAX || saved == l->saved)
		return;
	l->saved = saved;
	if (l->run)
		lu_detail("checkpoint %s/step-%08" PRIu64 " written", l->run->path, saved);
}

void lt_trainer_let_save_finish(struct lt_trainer *l)
{
	uint64_t saved = UINT64_MAX;
	struct lu_err ignored;

	/* There is none where a change of layout has failed. */
	if (l->saver && lt_saver_wait(l->saver, &saved, &ignored) == 0)
		note_saved(l, saved);
}

/* Begin to write a checkpoint. Training may go on meanwhile. */
static int save(struct lt_trainer *l, struct lu_err *err)
{
	if (l->begun == l->pos.step && !l->outdated)
		return 0;
	lt_stop_stage(LT_STOP_CHECKPOINT);
	if (lt_step_settle(l->phase.step, err) < 0 ||
			lt_saver_begin(l->saver, l->run, &l->pos, err) < 0)
		return -1;
	l->begun = l->pos.step;
	l->outdated = false;
	return 0;
}

/* Wait for the checkpoint that is being written. Its failure is that of all ranks. */
static int finish_save(struct lt_trainer *l, struct lu_err *err)
{
	uint64_t saved = UINT64_MAX;

	lt_stop_stage(LT_STOP_CHECKPOINT);
	if (lt_saver_wait(l->saver, &saved, err) < 0)
		return -1;
	note_saved(l, saved);
	return 0;
}

/* Whether all ranks stop here: 1 if a signal has come to one of them, -1 if a checkpoint could not be
 * written. Mostly neither, so both are asked at once. */
static int interrupted(struct lt_trainer *l, struct lu_err *err)
{
	uint64_t saved = UINT64_MAX;
	bool failed = lt_saver_poll(l->saver, &saved, err) < 0, mine = failed;
	bool any = failed || lt_stop_asked();
	struct lu_err other;

	note_saved(l, saved);
	if (lt_comm_any(l->comm, LT_CHANNEL_MAIN, &any, mine ? &other : err) < 0)
		return -1;
	if (!any)
		return 0;
	if (lt_comm_any(l->comm, LT_CHANNEL_MAIN, &failed, mine ? &other : err) < 0)
		return -1;
	if (!failed)
		return 1;
	/* It fails on all ranks, sooner or later. */
	if (!mine && lt_saver_wait(l->saver, &saved, err) == 0)
		return lu_err_set(err, "checkpoint: another rank has failed");
	return -1;
}
/* --- one step -------------------------------------------------------------------------------- */

/* Report a step that is not finite: all ranks know that it is, one of them where. Nothing has been
 * updated. */
static int not_finite(struct lt_trainer *l, const struct lt_step_result *s, struct lu_err *err)
{
	const char *quantity = isfinite(s->loss) ? "gradient norm" : "loss";
	char tensor[160], go_on[160];
	int found;

	lt_trainer_let_save_finish(l);
	found = lt_optimizer_nonfinite(l->w, tensor, sizeof(tensor), err);
	if (found < 0)
		return -1;
	if (!found)
		/* Not here; or only the sum of the squares overflows. */
		snprintf(tensor, sizeof(tensor), "the sum of all squared gradients");
	if (l->saved == UINT64_MAX)
		snprintf(go_on, sizeof(go_on), "there is no checkpoint; start a new run");
	else
		snprintf(go_on, sizeof(go_on),
				"the last checkpoint is as it was, of step %" PRIu64
				"; continue from it",
				l->saved);
	for (int i = 0; i < 2; i++) {
		lu_err_set(err,
				"step %" PRIu64 ": the %s is not finite, first seen in %s; "
				"stopped before the update; %s with a lower train.lr or a longer "
				"train.warmup",
				l->pos.step + 1, quantity, tensor, go_on);
		/* Those that have found the place speak first. */
		if (lt_comm_agree(l->comm, LT_CHANNEL_MAIN, found || i ? -1 : 0, err) < 0)
			break;
	}
	return -1;
}

static int one_step(
		struct lt_trainer *l, uint64_t batch, struct lt_step_result *s, struct lu_err *err)
{
	const struct lt_open_phase *p = &l->phase;
	double start = lu_clock();
	struct lt_hyper hyper = p->hyper;
	struct lt_step_what what = { .number = l->pos.step + 1,
		.updates = l->pos.updates,
		.micros = (size_t)(batch / p->data.s.train.micro_batch) };

	*s = (struct lt_step_result){ .batch = batch,
		.pairs = p->data.s.train.objective == LT_DPO,
		.tokens = lt_phase_data_tokens(&p->data, l->pos.samples, batch) };
	s->lr = what.lr = lt_schedule_lr(&p->data.schedule, l->pos.samples + batch);
	hyper.limit = lt_spike_limit(&l->pos.spike, p->data.s.train.spike);
	if (lt_step_train(p->step, &hyper, &what, &s->update, err) < 0)
		return -1;
	s->loss = s->update.weights > 0 ? s->update.loss / s->update.weights : 0;
	if (p->data.s.train.objective == LT_NEXT && lt_corpus_weighted(p->data.corpus))
		s->targets = (uint64_t)s->update.weights;
	s->data_seconds = lt_step_data_seconds(p->step);
	if (!s->update.finite)
		return not_finite(l, s, err);
	l->pos.step++;
	if (s->update.weights == 0 && lt_trainer_first(l))
		lu_warn("step %" PRIu64 ": no token of its %" PRIu64
			" samples is a target of training, nothing is updated",
				l->pos.step, batch);
	else if (s->update.skipped && lt_trainer_first(l))
		lu_note("step %" PRIu64 ": the norm %.3f is more than %g times the median %.3f of "
			"the steps before: its update is left out",
				l->pos.step, s->update.norm, p->data.s.train.spike,
				hyper.limit / p->data.s.train.spike);
	if (!s->update.skipped)
		l->pos.updates++;
	if (p->data.s.train.spike > 0 && s->update.weights > 0)
		lt_spike_add(&l->pos.spike, s->update.norm);
	l->pos.samples += batch;
	l->pos.tokens += s->tokens;
	s->seconds = lu_clock() - start;
	return 0;
}

static int log_step(struct lt_trainer *l, const struct lt_step_result *s, struct lu_err *err)
{
	const struct lt_open_phase *p = &l->phase;
	double rate = (double)s->tokens / s->seconds, peak = p->speed.peak;
	uint64_t step = l->pos.step, every = p->data.s.train.log_every;
	uint64_t left = lt_schedule_left(&p->data.schedule, l->pos.samples);
	double more = (double)(p->data.schedule.samples - l->pos.samples) / (double)s->batch;

	if (!l->run)
		return 0;
	if (every && step % every == 0) {
		char margin[48] = "", mfu[32] = "";

		if (s->pairs)
			snprintf(margin, sizeof(margin), " margin %.4f",
					(s->update.chosen - s->update.rejected) /
							s->update.weights);
		if (peak > 0)
			snprintf(mfu, sizeof(mfu), "MFU %.1f %%, ",
					100 * rate * p->speed.token_flops / peak);
		/* Within 80 columns; the learning rate and more are in the metrics. */
		lu_note("step %" PRIu64 " of %" PRIu64 " loss %.4f%s norm %.3f %.0f tokens/s, "
			"%s%.0f s left",
				step, step + left, s->loss, margin, s->update.norm, rate, mfu,
				left ? more * s->seconds : 0);
	}
	return lt_step_log(l->run, &l->pos, s, step == l->first_step + 1 ? l->w : NULL, &p->speed,
			err);
}
/* --- validation ------------------------------------------------------------------------------- */

static int score_batch(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
		bool *here, struct lu_err *err)
{
	struct lt_trainer *l = ctx;

	(void)sequences;
	return lt_step_score(l->phase.step, b, log_p, here, err);
}

static int score_again(
		void *ctx, const struct lt_batch *b, lk_real *log_p, bool *here, struct lu_err *err)
{
	struct lt_trainer *l = ctx;

	return lt_step_score_again(l->phase.step, b, log_p, here, err);
}

static int combine(void *ctx, double *x, size_t n, struct lu_err *err)
{
	struct lt_trainer *l = ctx;

	return lt_step_sum(l->phase.step, x, n, err);
}

int lt_trainer_asked(void *ctx, struct lu_err *err)
{
	struct lt_trainer *l = ctx;
	bool stop = lt_stop_asked();

	if (lt_comm_any(l->comm, LT_CHANNEL_MAIN, &stop, err) < 0)
		return -1;
	return stop;
}

/* Make the validations and evaluations that are due. A signal puts them off. */
static int validate(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_settings *s = &l->phase.data.s;
	const struct lt_scorer scorer = { .batch = s->train.micro_batch,
		.context = s->train.context,
		.ctx = l,
		.score = score_batch,
		.again = score_again,
		.reset_documents = lt_settings_resets(s),
		.share = l->layout.at[LT_DP],
		.shares = l->layout.mesh.size[LT_DP],
		.combine = combine };
	uint64_t before = l->pos.due, evals_before = l->pos.evals_due;

	lt_stop_stage(LT_STOP_VALIDATION);
	if (lt_validate(l->phase.data.valid, &scorer, l->pos.step, l->run, lt_trainer_asked,
			    &l->pos.due, err) < 0)
		return -1;
	/* Texts are generated by a model of their own over the same weights. */
	if (l->pos.due == 0 && l->pos.evals_due &&
			(lt_step_settle(l->phase.step, err) < 0 ||
					lt_evaluate(l->phase.data.evals, &scorer, l->w, l->pos.step,
							l->run, lt_trainer_asked, &l->pos.evals_due,
							err) < 0))
		return -1;
	if ((l->pos.due != before || l->pos.evals_due != evals_before) && l->begun == l->pos.step)
		l->outdated = true;
	return 0;
}

/* --- the phase -------------------------------------------------------------------------------- */

/* Do one step, and note the validations that follow it. */
static int advance(struct lt_trainer *l, uint64_t batch, struct lu_err *err)
{
	const struct lt_open_phase *p = &l->phase;
	uint64_t every = p->data.s.train.valid_every;
	uint64_t evals_every = p->data.s.eval.every;
	uint64_t compare_every = p->data.s.parallel.hash_every;
	struct lt_step_result s;
	bool last;

	lt_stop_stage(LT_STOP_STEP);
	if (one_step(l, batch, &s, err) < 0 || log_step(l, &s, err) < 0 ||
			lt_watch_step(&l->watch, l->pos.step, s.seconds, err) < 0)
		return -1;
	lt_stop_at(l->pos.step);
	l->outdated = false;
	l->last_loss = s.loss;
	if (compare_every && l->pos.step % compare_every == 0 &&
			(lt_step_settle(p->step, err) < 0 ||
					lt_replicas_check(&l->layout, l->w, l->pos.step, err) < 0))
		return -1;
	last = lt_schedule_batch(&p->data.schedule, l->pos.samples) == 0;
	if (last || (every && l->pos.step % every == 0))
		l->pos.due = lt_validation_sets(p->data.valid);
	if (last || (evals_every && l->pos.step % evals_every == 0))
		l->pos.evals_due = lt_evaluations_count(p->data.evals);
	return 0;
}

/* The frozen reference of preference tuning. Returns 0, 1 if a signal has stopped it, or -1. */
static int open_reference(struct lt_trainer *l, struct lu_err *err)
{
	struct lt_open_phase *p = &l->phase;
	const struct lt_micro_want want = lt_phase_data_want(&p->data);
	const struct lt_reference r = { .layout = &l->layout,
		.w = l->w,
		.step = p->step,
		.corpus = p->data.corpus,
		.s = &p->data.s,
		.want = &want,
		.run = l->what->run,
		.stop = lt_trainer_asked,
		.ctx = l };

	if (p->data.s.train.objective != LT_DPO || p->reference)
		return 0;
	if (l->pos.samples == 0)
		*l->pos.reference = '\0';
	else if (!*l->pos.reference)
		return lu_err_set(err,
				"the checkpoint was not trained with train.objective = dpo: begin "
				"its phase anew, or make dpo a phase of its own");
	return lt_reference_open(&r, l->pos.reference, &p->reference, err);
}

int lt_trainer_run_phase(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_schedule *schedule = &l->phase.data.schedule;
	uint64_t batch, every = l->phase.data.s.checkpoint.every;

	for (;;) {
		bool done;
		int stop;

		if ((l->pos.due || l->pos.evals_due) && validate(l, err) < 0)
			return -1;
		batch = lt_schedule_batch(schedule, l->pos.samples);
		done = batch == 0 && l->pos.due == 0 && l->pos.evals_due == 0;
		l->pos.phase_end = done;
		if ((done || l->skips_added ||
				    (every && l->pos.step && l->pos.step % every == 0)) &&
				save(l, err) < 0)
			return -1;
		l->skips_added = false;
		if (done)
			return finish_save(l, err);
		stop = interrupted(l, err);
		if (stop < 0 || (stop && (save(l, err) < 0 || finish_save(l, err) < 0)))
			return -1;
		if (stop)
			return LU_EXIT_AGAIN;
		stop = open_reference(l, err);
		if (stop < 0)
			return -1;
		/* A signal: the next round ends it. */
		if (stop == 0 && advance(l, batch, err) < 0)
			return -1;
	}
}
