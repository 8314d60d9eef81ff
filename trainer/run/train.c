#include "trainer/run/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/machine.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "trainer/comm/comm.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/budget.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/layout.h"
#include "trainer/run/micro_feed.h"
#include "trainer/run/phase_data.h"
#include "trainer/run/replicas.h"
#include "trainer/run/saver.h"
#include "trainer/run/step_log.h"
#include "trainer/run/stop.h"
#include "trainer/run/train_step.h"
#include "trainer/run/watch.h"

/* The phase that is being trained. */
struct phase {
	struct lt_phase_data data;
	struct lt_hyper hyper;
	struct lt_step *step;
	struct lt_feed *feed; /* NULL until the first micro-batch */
	struct lt_speed speed;
};

struct lt_trainer {
	const struct lt_training *what;
	struct lt_run *run; /* of rank 0, in lt_train_run(); NULL otherwise */
	const struct lk_ops *ops;
	int device;
	struct lk_queue *q;
	struct lt_comm *comm;
	struct lt_layout layout;
	struct lt_weights *w;
	struct lt_position pos;
	struct lt_checkpoint found; /* what the run continues from */
	struct lt_saver *saver;
	uint64_t saved; /* step of the last checkpoint that was written; UINT64_MAX: none */
	uint64_t begun; /* of the last one that was begun */
	bool outdated; /* it is of this step, and validations that it says are due have been made */
	struct phase phase;
	struct lt_watch watch;
	/* For the summary. */
	double start, last_loss;
	uint64_t first_step, first_tokens;
};

static bool is_first(const struct lt_trainer *l)
{
	return lt_comm_rank(l->comm) == 0;
}

/* 0 if rc is 0 on all ranks. */
static int agree(struct lt_trainer *l, int rc, struct lu_err *err)
{
	return lt_comm_agree(l->comm, LT_CHANNEL_MAIN, rc, err);
}

/* --- one step -------------------------------------------------------------------------------- */

/* Load this rank's next micro-batch, an lt_load_fn. A rank in the middle of a pipeline reads nothing,
 * and so never opens its feed. */
static int load_micro(void *ctx, struct lt_micro *m, struct lu_err *err)
{
	struct lt_trainer *l = ctx;
	struct phase *p = &l->phase;
	const struct lt_micro_want want = lt_phase_data_want(&p->data);

	if (!p->feed &&
			lt_feed_open(&p->feed, &want, p->data.corpus, &l->layout, &p->data.s,
					&p->data.schedule, l->pos.samples, err) < 0)
		return -1;
	return lt_feed_load(p->feed, m, err);
}

/* Note what the saver has written. */
static void note_saved(struct lt_trainer *l, uint64_t saved)
{
	if (saved == UINT64_MAX || saved == l->saved)
		return;
	l->saved = saved;
	if (l->run)
		lu_detail("checkpoint %s/step-%08" PRIu64 " written", l->run->path, saved);
}

/* Wait for the checkpoint that is being written, where something else has failed. */
static void let_save_finish(struct lt_trainer *l)
{
	uint64_t saved = UINT64_MAX;
	struct lu_err ignored;

	if (lt_saver_wait(l->saver, &saved, &ignored) == 0)
		note_saved(l, saved);
}

/* Report a step that is not finite: all ranks know that it is, one of them where. Nothing has been
 * updated. */
static int not_finite(struct lt_trainer *l, const struct lt_step_result *s, struct lu_err *err)
{
	const char *quantity = isfinite(s->loss) ? "gradient norm" : "loss";
	char tensor[160], go_on[160];
	int found;

	let_save_finish(l);
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
	const struct phase *p = &l->phase;
	double start = lu_clock();
	struct lt_step_what what = { .number = l->pos.step + 1,
		.updates = l->pos.updates,
		.micros = (size_t)(batch / p->data.s.train.micro_batch) };

	*s = (struct lt_step_result){ .batch = batch, .tokens = batch * p->data.s.train.context };
	s->lr = what.lr = lt_schedule_lr(&p->data.schedule, l->pos.samples + batch);
	what.tokens = (double)s->tokens;
	if (lt_step_train(p->step, &p->hyper, &what, &s->update, err) < 0)
		return -1;
	s->loss = s->update.loss / (double)s->tokens;
	s->data_seconds = lt_step_data_seconds(p->step);
	if (!s->update.finite)
		return not_finite(l, s, err);
	l->pos.step++;
	l->pos.updates++;
	l->pos.samples += batch;
	l->pos.tokens += s->tokens;
	s->seconds = lu_clock() - start;
	return 0;
}

static int log_step(struct lt_trainer *l, const struct lt_step_result *s, struct lu_err *err)
{
	const struct phase *p = &l->phase;
	double rate = (double)s->tokens / s->seconds, peak = p->speed.peak;
	uint64_t step = l->pos.step, every = p->data.s.train.log_every;
	uint64_t left = lt_schedule_left(&p->data.schedule, l->pos.samples);
	double more = (double)(p->data.schedule.samples - l->pos.samples) / (double)s->batch;

	if (!l->run)
		return 0;
	if (every && step % every == 0 && peak > 0)
		lu_note("step %" PRIu64 " of %" PRIu64 " loss %.4f norm %.3f %.0f tokens/s, "
			"MFU %.1f %%, %.0f s left",
				step, step + left, s->loss, s->update.norm, rate,
				100 * rate * p->speed.token_flops / peak,
				left ? more * s->seconds : 0);
	else if (every && step % every == 0)
		/* Within 80 columns; the learning rate is in the metrics. */
		lu_note("step %" PRIu64 " of %" PRIu64 " loss %.4f norm %.3f %.0f tokens/s, "
			"%.0f s left",
				step, step + left, s->loss, s->update.norm, rate,
				left ? more * s->seconds : 0);
	return lt_step_log(l->run, &l->pos, s, step == l->first_step + 1 ? l->w : NULL, &p->speed,
			err);
}

/* --- one phase ------------------------------------------------------------------------------- */

static void close_phase(struct lt_trainer *l)
{
	struct phase *p = &l->phase;

	lt_step_close(p->step);
	lt_feed_close(p->feed);
	lt_phase_data_close(&p->data);
	*p = (struct phase){ 0 };
}

/* Open the phase of the position. Its data may be open already. */
static int open_phase(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;
	struct phase *p = &l->phase;
	const struct lt_settings *s = &p->data.s;
	size_t i = (size_t)l->pos.phase;
	struct lt_micro_want want;
	struct lt_shape shape;

	if (!p->data.corpus &&
			lt_phase_data_open(&p->data, c, i, l->what->tokenizer, !is_first(l), err) <
					0)
		return -1;
	lt_settings_shape(s, &shape);
	l->w->table.shape.rope_theta = shape.rope_theta;
	l->pos.context = s->train.context;
	l->pos.by = lt_layout_describe(&l->layout, s, l->what->backend);
	snprintf(l->pos.phase_name, sizeof(l->pos.phase_name), "%s", c->phase.p[i].name);
	want = lt_phase_data_want(&p->data);
	if (lt_step_open(&p->step, &l->layout, l->w, s, &p->data.schedule, &want, load_micro, l,
			    err) < 0)
		return -1;
	p->hyper = (struct lt_hyper){ s->train.beta1, s->train.beta2, s->train.eps,
		s->train.weight_decay, s->train.clip };
	p->speed = (struct lt_speed){ lt_flops_per_token(&l->w->table, s->train.context, false),
		lt_flops_per_token(&l->w->table, s->train.context, true),
		lt_backend_peak(l->what->backend, l->device, lt_comm_size(l->comm)) };
	if (s->train.reset_optimizer && l->pos.samples == 0) {
		if (lt_weights_reset_optimizer(l->w, err) < 0)
			return -1;
		l->pos.updates = 0;
	}
	return 0;
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

/* --- validation ------------------------------------------------------------------------------- */

static int score_batch(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
		bool *here, struct lu_err *err)
{
	struct lt_trainer *l = ctx;

	(void)sequences;
	return lt_step_score(l->phase.step, b, log_p, here, err);
}

static int combine(void *ctx, double *x, size_t n, struct lu_err *err)
{
	struct lt_trainer *l = ctx;

	return lt_step_sum(l->phase.step, x, n, err);
}

/* Whether a signal has come to any rank; all get the same answer. */
static int asked_anywhere(void *ctx, struct lu_err *err)
{
	struct lt_trainer *l = ctx;
	bool stop = lt_stop_asked();

	if (lt_comm_any(l->comm, LT_CHANNEL_MAIN, &stop, err) < 0)
		return -1;
	return stop;
}

/* Make the validations that are due. A signal puts them off. */
static int validate(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_settings *s = &l->phase.data.s;
	const struct lt_scorer scorer = { .batch = s->train.micro_batch,
		.context = s->train.context,
		.ctx = l,
		.score = score_batch,
		.reset_documents = s->train.reset_documents,
		.share = l->layout.at[LT_DP],
		.shares = l->layout.mesh.size[LT_DP],
		.combine = combine };
	uint64_t before = l->pos.due;

	lt_stop_stage(LT_STOP_VALIDATION);
	if (lt_validate(l->phase.data.valid, &scorer, l->pos.step, l->run, asked_anywhere,
			    &l->pos.due, err) < 0)
		return -1;
	if (l->pos.due != before && l->begun == l->pos.step)
		l->outdated = true;
	return 0;
}

/* Do one step, and note the validations that follow it. */
static int advance(struct lt_trainer *l, uint64_t batch, struct lu_err *err)
{
	const struct phase *p = &l->phase;
	uint64_t every = p->data.s.train.valid_every;
	uint64_t compare_every = p->data.s.parallel.hash_every;
	struct lt_step_result s;

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
	if (lt_schedule_batch(&p->data.schedule, l->pos.samples) == 0 ||
			(every && l->pos.step % every == 0))
		l->pos.due = lt_validation_sets(p->data.valid);
	return 0;
}

/* Returns 0 at the end of the phase, LU_EXIT_AGAIN if stopped after a checkpoint, or -1. */
static int run_phase(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_schedule *schedule = &l->phase.data.schedule;
	uint64_t batch, every = l->what->config->base.checkpoint.every;

	for (;;) {
		bool done;
		int stop;

		if (l->pos.due && validate(l, err) < 0)
			return -1;
		batch = lt_schedule_batch(schedule, l->pos.samples);
		done = batch == 0 && l->pos.due == 0;
		if ((done || (every && l->pos.step && l->pos.step % every == 0)) &&
				save(l, err) < 0)
			return -1;
		if (done)
			return finish_save(l, err);
		stop = interrupted(l, err);
		if (stop < 0 || (stop && (save(l, err) < 0 || finish_save(l, err) < 0)))
			return -1;
		if (stop)
			return LU_EXIT_AGAIN;
		if (advance(l, batch, err) < 0)
			return -1;
	}
}

/* --- opening --------------------------------------------------------------------------------- */

/* Find the checkpoint to continue from, and compare it with the configuration. */
static int find_position(struct lt_trainer *l, const struct lt_shape *shape, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;
	int rc = 0;

	if (lt_checkpoint_locate(l->comm, l->what->run, l->what->from, &l->found, err) < 0)
		return -1;
	if (!l->found.found)
		return 0;
	l->pos = l->found.pos;
	l->saved = l->begun = l->pos.step;
	rc = lt_checkpoint_same_model(&l->found, shape, err);
	if (rc == 0 && l->pos.phase >= c->phase.n)
		rc = lu_err_set(err,
				"%s: the configuration has no phase %" PRIu64 ", it has %zu phases",
				l->found.dir, l->pos.phase + 1, c->phase.n);
	return agree(l, rc, err);
}

/* Open the data of all phases that are left; those of the first of them stay open. */
static int open_data(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;

	for (size_t i = c->phase.n; i-- > l->pos.phase;) {
		lt_phase_data_close(&l->phase.data);
		if (lt_phase_data_open(&l->phase.data, c, i, l->what->tokenizer, !is_first(l),
				    err) < 0)
			return -1;
		if (is_first(l))
			lt_phase_data_notes(&l->phase.data);
	}
	if (!l->found.found && l->phase.data.s.train.valid_every)
		l->pos.due = lt_validation_sets(l->phase.data.valid);
	return 0;
}

/* Load the checkpoint to continue from; without one, set the initial weights. */
static int restore(struct lt_trainer *l, const struct lt_settings *s, struct lu_err *err)
{
	int rc;

	if (l->found.found)
		return lt_checkpoint_restore(l->comm, &l->found, l->w, err);
	if (*s->train.init)
		rc = lt_tensors_import(l->w, s->train.init, err);
	else
		rc = lt_weights_init(l->w, s->train.seed, err);
	return agree(l, rc, err);
}

static int check_space(const struct lt_trainer *l, struct lu_err *err)
{
	char *folder = is_first(l) ? lt_run_existing(l->what->run, err) : NULL;
	int rc = folder ? lt_checkpoint_space(folder, &l->w->table, err) : is_first(l) ? -1 : 0;

	free(folder);
	return rc;
}

/* What can be said without memory and without the other ranks. Phases differ in what a micro-batch
 * is. */
static int check_all(struct lt_trainer *l, struct lt_settings *first, struct lt_shape *shape,
		struct lu_err *err)
{
	size_t rank = lt_comm_rank(l->comm), ranks = lt_comm_size(l->comm);
	const struct lt_config *c = l->what->config;
	struct lt_settings s;

	if (lt_config_phase(c, 0, first, err) < 0)
		return -1;
	lt_settings_shape(first, shape);
	for (size_t i = c->phase.n; i-- > 0;) {
		lt_layout_release(&l->layout);
		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (lt_layout_init(&l->layout, &s, rank, ranks, err) < 0)
			return c->phase.n > 1 ? lu_err_wrap(err, "phase %s", c->phase.p[i].name)
					      : -1;
	}
	return 0;
}

static int open_weights(struct lt_trainer *l, const struct lt_shape *shape, struct lu_err *err)
{
	struct lt_holding holding = lt_layout_holding(&l->layout, &l->what->config->base);

	if (lt_weights_open(&l->w, l->ops, l->q, shape, &l->layout.place, &holding, err) < 0)
		return -1;
	return check_space(l, err);
}

/* Each group of checks ends with an agreement, so that one rank alone says what is wrong, before
 * anything is allocated or written. */
static int open_all(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_saver_options save = {
		.keep = (size_t)l->what->config->base.checkpoint.keep
	};
	struct lt_settings first;
	struct lt_shape shape;
	int rc = check_all(l, &first, &shape, err);

	if (rc == 0)
		rc = lt_backend_check(l->what->backend, &first, err);
	if (agree(l, rc, err) < 0 || find_position(l, &shape, err) < 0)
		return -1;
	rc = open_data(l, err);
	if (agree(l, rc, err) < 0 ||
			lt_backend_place(l->what->backend, l->comm, &l->device, err) < 0 ||
			(!l->what->overcommit &&
					lt_budget_check_memory(l->what->config, l->what->backend,
							l->device, l->comm, err) < 0))
		return -1;
	rc = lt_budget_open_queue(
			l->what->config, l->what->backend, l->device, l->comm, &l->q, err);
	if (agree(l, rc, err) < 0 || lt_watch_open(&l->watch, l->comm, l->ops, l->device, err) < 0)
		return -1;
	if (l->what->backend->gpu)
		rc = lt_comm_device(l->comm, l->device,
				lt_backend_equality(l->what->backend, first.parallel.equality),
				err);
	if (rc == 0)
		rc = lt_layout_connect(&l->layout, l->comm, err);
	if (rc == 0)
		rc = open_weights(l, &shape, err);
	if (agree(l, rc, err) < 0 || restore(l, &first, err) < 0)
		return -1;
	rc = lt_saver_open(&l->saver, l->comm, l->w, &save, err);
	if (rc == 0)
		rc = open_phase(l, err);
	return agree(l, rc, err);
}

int lt_train_open(struct lt_trainer **out, const struct lt_training *what, struct lu_err *err)
{
	struct lt_trainer *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return lu_err_nomem(err);
	*l = (struct lt_trainer){ .what = what,
		.ops = what->backend->ops,
		.comm = what->comm,
		.saved = UINT64_MAX,
		.begun = UINT64_MAX };
	lt_stop_install(what->quiet || !is_first(l));
	rc = open_all(l, err);
	lt_stop_stage(LT_STOP_STEP);
	if (rc == 0 && (rc = asked_anywhere(l, err)) > 0) {
		if (is_first(l))
			lu_note("stopped before the first step, nothing was written");
		rc = LU_EXIT_AGAIN;
	}
	if (rc != 0) {
		lt_train_close(l);
		return rc;
	}
	*out = l;
	return 0;
}

bool lt_train_is_complete(const struct lt_trainer *l)
{
	return l->found.found && l->pos.phase + 1 == l->what->config->phase.n && l->pos.due == 0 &&
			lt_schedule_batch(&l->phase.data.schedule, l->pos.samples) == 0;
}

void lt_train_close(struct lt_trainer *l)
{
	if (!l)
		return;
	lt_comm_settle(l->comm);
	if (l->w)
		close_phase(l);
	lt_phase_data_close(&l->phase.data);
	lt_saver_close(l->saver);
	lt_watch_close(&l->watch);
	lt_weights_close(l->w);
	lt_layout_release(&l->layout);
	if (l->q)
		l->ops->close(l->q);
	free(l);
}

/* --- the run --------------------------------------------------------------------------------- */

/* Fail if another trainer wrote a checkpoint between the opening and the claim of the folder. */
static int check_same(const struct lt_trainer *l, struct lu_err *err)
{
	struct lt_position now = { 0 };
	char *dir;
	int rc = lt_checkpoint_find(l->what->run, l->what->from, &dir, err);

	if (rc == 0 && dir)
		rc = lt_manifest_read(dir, &now, NULL, err);
	if (rc == 0 && (!dir != !l->found.found || (dir && now.step != l->pos.step)))
		rc = lu_err_set(err, "%s: another trainer has just written to it; start again",
				l->what->run);
	free(dir);
	return rc;
}

static int run_phases(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;
	int rc = 0;

	for (size_t i = (size_t)l->pos.phase; i < c->phase.n && rc == 0; i++) {
		if (i != l->pos.phase) {
			l->pos.phase = i;
			l->pos.samples = 0;
			rc = open_phase(l, err);
			rc = agree(l, rc, err);
		}
		if (rc == 0) {
			rc = run_phase(l, err);
			if (rc < 0 && c->phase.n > 1)
				lu_err_wrap(err, "phase %s", c->phase.p[i].name);
		}
		close_phase(l);
	}
	return rc;
}

/* Say what became of the run. */
static void conclude(const struct lt_trainer *l, int rc)
{
	double seconds = lu_clock() - l->start;
	uint64_t tokens = l->pos.tokens - l->first_tokens;

	if (rc == LU_EXIT_AGAIN)
		lu_note("stopped after step %" PRIu64 ": checkpoint %s/step-%08" PRIu64
			" written; %s continues the run",
				l->pos.step, l->run->path, l->saved,
				l->what->from == UINT64_MAX ? "the same command"
							    : "the command without --from-step");
	else if (l->pos.step == l->first_step)
		lu_note("the run is complete: %" PRIu64 " steps, %" PRIu64 " tokens", l->pos.step,
				l->pos.tokens);
	else if (isatty(STDERR_FILENO))
		lu_note("%" PRIu64 " steps, %" PRIu64 " tokens in %.0f s, %.0f tokens/s, loss %.4f"
			"; %s/step-%08" PRIu64,
				l->pos.step - l->first_step, tokens, seconds,
				(double)tokens / seconds, l->last_loss, l->run->path, l->saved);
}

int lt_train_run(struct lt_trainer *l, struct lt_run *run, struct lu_err *err)
{
	int rc;

	l->run = run;
	l->start = lu_clock();
	l->first_step = l->pos.step;
	l->first_tokens = l->pos.tokens;
	rc = run ? check_same(l, err) : 0;
	if (agree(l, rc, err) < 0)
		return -1;
	lt_stop_at(l->pos.step);
	lt_stop_saved(l->saved);
	if (l->found.found)
		lu_note("continuing after step %" PRIu64 "%s", l->pos.step,
				lu_hash_available()
						? ""
						: "; this build has no xxHash: the sizes of the "
						  "checkpoint's files were checked, the hashes "
						  "were "
						  "not");
	if (l->found.found)
		lt_layout_note_rounding(&l->found.pos.by, &l->pos.by);
	rc = run_phases(l, err);
	/* Whatever has gone wrong, a checkpoint that is being written is worth having, and its
	 * writer uses the run folder. */
	if (rc < 0)
		let_save_finish(l);
	else if (run)
		conclude(l, rc);
	return rc;
}
