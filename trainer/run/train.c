#include "trainer/run/train.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "trainer/comm/comm.h"
#include "trainer/data/corpus.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/folder.h"
#include "trainer/run/validation.h"

/* The phase that is being trained. */
struct phase {
	struct lt_settings s;
	struct lt_schedule schedule;
	struct lt_hyper hyper;
	struct lt_model *model;
	struct lt_corpus *corpus;
	struct lt_validation *valid;
	uint32_t *tokens;   /* one sample */
	uint32_t *ids;	    /* one micro-batch */
	int32_t *labels;    /* likewise */
	double *loss;	    /* device: of each micro-batch of a full step */
	double *host_loss;  /* the same in host memory */
	double token_flops; /* per token, causal */
};

struct loop {
	const struct lt_training *t;
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_comm *comm;
	struct lt_weights *w;
	struct lt_position pos;
	uint64_t saved; /* step of the last checkpoint; UINT64_MAX: none */
	struct phase phase;
};

/* Sizes and results of one step. */
struct step {
	uint64_t batch, tokens;
	double loss, lr, seconds, data_seconds;
	struct lt_update update;
};

/* --- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

static bool stopping(void)
{
	return caught != 0;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	caught = 0;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	/* A second Ctrl-C ends the program at once. */
	sa.sa_flags = (int)SA_RESETHAND;
	sigaction(SIGINT, &sa, NULL);
}

/* --- one step -------------------------------------------------------------------------------- */

/* Load sample i of the phase as sequence k of the micro-batch. */
static int load_sample(struct phase *p, uint64_t i, size_t k, struct lu_err *err)
{
	size_t context = p->s.train.context;

	if (lt_corpus_sample(p->corpus, i, p->tokens, err) < 0)
		return -1;
	memcpy(p->ids + k * context, p->tokens, context * sizeof(*p->ids));
	memcpy(p->labels + k * context, p->tokens + 1, context * sizeof(*p->labels));
	return 0;
}

/* Compute all micro-batches of a step: gradients in the lanes, s->loss. */
static int forward_backward(struct loop *l, struct step *s, struct lu_err *err)
{
	struct phase *p = &l->phase;
	size_t micro = p->s.train.micro_batch, n = (size_t)(s->batch / micro);
	double sum = 0;

	for (size_t j = 0; j < n; j++) {
		double start = lu_clock();

		for (size_t k = 0; k < micro; k++) {
			if (load_sample(p, l->pos.samples + j * micro + k, k, err) < 0)
				return -1;
		}
		s->data_seconds += lu_clock() - start;
		if (lt_model_train(p->model, p->ids, p->labels, j % l->w->lanes, p->loss + j, err) <
				0)
			return -1;
	}
	if (l->ops->copy(l->q, p->host_loss, p->loss, n * sizeof(*p->loss), LK_D2H) < 0 ||
			l->ops->sync(l->q) < 0)
		return lt_queue_err(l->ops, l->q, err);
	for (size_t j = 0; j < n; j++)
		sum += p->host_loss[j];
	s->loss = sum / (double)s->tokens;
	return 0;
}

/* Report a step that is not finite. Nothing has been updated yet. */
static int not_finite(struct loop *l, const char *quantity, struct lu_err *err)
{
	char tensor[160];

	if (lt_optimizer_nonfinite(l->w, tensor, sizeof(tensor), err) < 0)
		return -1;
	return lu_err_set(err,
			"step %" PRIu64 ": the %s is not finite, first seen in %s; stopped before "
			"the update, the last checkpoint is as it was",
			l->pos.step + 1, quantity, tensor);
}

static int one_step(struct loop *l, uint64_t batch, struct step *s, struct lu_err *err)
{
	const struct phase *p = &l->phase;
	double start = lu_clock();

	*s = (struct step){ .batch = batch, .tokens = batch * p->s.train.context };
	s->lr = lt_schedule_lr(&p->schedule, l->pos.samples + batch);
	if (lt_optimizer_begin(l->w, &p->hyper, s->lr, l->pos.updates + 1, s->tokens, err) < 0 ||
			forward_backward(l, s, err) < 0)
		return -1;
	if (!isfinite(s->loss))
		return not_finite(l, "loss", err);
	if (lt_optimizer_update(l->w, l->comm, &p->hyper, &s->update, err) < 0)
		return -1;
	if (!s->update.finite)
		return not_finite(l, "gradient norm", err);
	l->pos.step++;
	l->pos.updates++;
	l->pos.samples += batch;
	l->pos.tokens += s->tokens;
	s->seconds = lu_clock() - start;
	return 0;
}

static void format_metrics(const struct lt_position *pos, const struct step *s, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "step", pos->step);
	lu_json_put_cstr(b, "phase", pos->phase_name);
	lu_json_put_u64(b, "samples", pos->samples);
	lu_json_put_u64(b, "batch", s->batch);
	lu_json_put_u64(b, "tokens", pos->tokens);
	lu_json_put_double(b, "loss", s->loss);
	lu_json_put_double(b, "lr", s->lr);
	lu_json_put_double(b, "norm", s->update.norm);
	lu_json_put_double(b, "clip", s->update.clip);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

static void format_timing(
		uint64_t step, const struct step *s, double rate, double gflops, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "step", step);
	lu_json_put_fixed(b, "seconds", s->seconds, 6);
	lu_json_put_fixed(b, "data_seconds", s->data_seconds, 6);
	lu_json_put_fixed(b, "tokens_per_s", rate, 1);
	lu_json_put_fixed(b, "gflops", gflops, 2);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

static int log_step(struct loop *l, const struct step *s, struct lu_err *err)
{
	const struct phase *p = &l->phase;
	double rate = (double)s->tokens / s->seconds, gflops = rate * p->token_flops * 1e-9;
	uint64_t step = l->pos.step, every = p->s.train.log_every;
	uint64_t left = (p->schedule.samples - l->pos.samples) / s->batch;
	struct lu_buf b = { 0 };
	int rc;

	if (every && step % every == 0)
		lu_note("step %" PRIu64 " of %" PRIu64 " loss %.4f lr %.3e norm %.3f %.0f tokens/s "
			"%.1f GFLOP/s, %.0f s left",
				step, step + left, s->loss, s->lr, s->update.norm, rate, gflops,
				(double)left * s->seconds);
	format_metrics(&l->pos, s, &b);
	rc = lt_run_log(l->t->run, LT_METRICS, &b, err);
	lu_buf_clear(&b);
	format_timing(step, s, rate, gflops, &b);
	if (rc == 0)
		rc = lt_run_log(l->t->run, LT_TIMING, &b, err);
	lu_buf_release(&b);
	return rc;
}

/* --- one phase ------------------------------------------------------------------------------- */

static void close_phase(struct loop *l)
{
	struct phase *p = &l->phase;

	lt_model_close(p->model);
	lt_corpus_close(p->corpus);
	lt_validation_close(p->valid);
	free(p->tokens);
	free(p->ids);
	free(p->labels);
	free(p->host_loss);
	if (p->loss)
		l->ops->free(l->q, p->loss);
	*p = (struct phase){ 0 };
}

static int open_buffers(struct loop *l, struct lu_err *err)
{
	struct phase *p = &l->phase;
	size_t context = p->s.train.context, micro = p->s.train.micro_batch;
	size_t most = (size_t)(p->s.train.global_batch / micro);

	p->tokens = malloc((context + 1) * sizeof(*p->tokens));
	p->ids = calloc(context * micro, sizeof(*p->ids));
	p->labels = calloc(context * micro, sizeof(*p->labels));
	p->host_loss = calloc(most, sizeof(*p->host_loss));
	if (!p->tokens || !p->ids || !p->labels || !p->host_loss)
		return lu_err_nomem(err);
	p->loss = l->ops->alloc(l->q, most * sizeof(*p->loss));
	return p->loss ? 0 : lt_queue_err(l->ops, l->q, err);
}

/* Compare vocabulary and tokenizer of the shards with those of the run. */
static int check_data(struct loop *l, struct lu_err *err)
{
	struct lt_digest tokenizer = { 0 };
	int rc = 0;

	if (lt_folder_has(l->t->run->path, "tokenizer.json")) {
		char *path = lu_concat(l->t->run->path, "/", "tokenizer.json");

		rc = path ? lt_file_digest(path, &tokenizer, err) : lu_err_nomem(err);
		free(path);
	}
	return rc < 0 ? -1
		      : lt_corpus_check(l->phase.corpus, l->w->table.shape.vocab, tokenizer.hash,
					err);
}

static int open_data(struct loop *l, struct lu_err *err)
{
	struct phase *p = &l->phase;
	const struct lt_settings *s = &p->s;

	if (lt_corpus_open(&p->corpus, s->data.train, s->train.context, s->train.seed,
			    s->data.shuffle, err) < 0 ||
			check_data(l, err) < 0)
		return -1;
	if (lt_corpus_samples(p->corpus) == 0)
		return lu_err_set(err,
				"data.train: %" PRIu64
				" tokens are fewer than one sample of %" PRIu64,
				lt_corpus_tokens(p->corpus), s->train.context + 1);
	return lt_settings_schedule(s, lt_corpus_samples(p->corpus), &p->schedule, err);
}

static int open_phase(struct loop *l, size_t i, struct lu_err *err)
{
	struct phase *p = &l->phase;
	const struct lt_settings *s = &p->s;
	struct lt_shape shape;

	if (lt_config_phase(l->t->config, i, &p->s, err) < 0)
		return -1;
	lt_settings_shape(s, &shape);
	l->w->table.shape.rope_theta = shape.rope_theta;
	l->pos.context = s->train.context;
	snprintf(l->pos.phase_name, sizeof(l->pos.phase_name), "%s", l->t->config->phase.p[i].name);
	if (open_data(l, err) < 0 ||
			lt_model_open(&p->model, l->w, s->train.micro_batch, s->train.context,
					LT_MODEL_TRAIN, s->parallel.recompute == LT_RECOMPUTE_LAYER,
					err) < 0 ||
			lt_validation_open(&p->valid, s, err) < 0)
		return -1;
	p->hyper = (struct lt_hyper){ s->train.beta1, s->train.beta2, s->train.eps,
		s->train.weight_decay, s->train.clip };
	p->token_flops = lt_flops_per_token(&l->w->table, s->train.context, true);
	if (s->train.reset_optimizer && l->pos.samples == 0) {
		if (lt_weights_reset_optimizer(l->w, err) < 0)
			return -1;
		l->pos.updates = 0;
	}
	return open_buffers(l, err);
}

static int save(struct loop *l, struct lu_err *err)
{
	if (l->saved == l->pos.step)
		return 0;
	if (lt_checkpoint_save(l->t->run->path, l->w, &l->pos, l->t->config->base.checkpoint.keep,
			    err) < 0)
		return -1;
	l->saved = l->pos.step;
	lu_detail("checkpoint of step %" PRIu64 " written", l->pos.step);
	return 0;
}

static int validate(struct loop *l, struct lu_err *err)
{
	return lt_validate(l->phase.valid, l->phase.model, l->pos.step, l->t->run, stopping, err);
}

/* Returns 0 at the end of the phase, LU_EXIT_AGAIN if stopped after a checkpoint, or -1. */
static int run_phase(struct loop *l, struct lu_err *err)
{
	const struct phase *p = &l->phase;
	uint64_t batch, every = l->t->config->base.checkpoint.every;
	uint64_t valid_every = p->s.train.valid_every;
	struct step s;

	if (lt_schedule_steps(&p->schedule) == 0)
		return lu_err_set(err,
				"train: %" PRIu64 " samples are fewer than one step of %" PRIu64,
				p->schedule.samples, p->s.train.global_batch);
	if (l->pos.step == 0 && valid_every && validate(l, err) < 0)
		return -1;
	while ((batch = lt_schedule_batch(&p->schedule, l->pos.samples)) > 0) {
		bool stop;

		if (one_step(l, batch, &s, err) < 0 || log_step(l, &s, err) < 0)
			return -1;
		if (valid_every && l->pos.step % valid_every == 0 && validate(l, err) < 0)
			return -1;
		stop = stopping();
		if (l->comm->ops->any(l->comm, &stop, err) < 0)
			return -1;
		if ((stop || (every && l->pos.step % every == 0)) && save(l, err) < 0)
			return -1;
		if (stop)
			return LU_EXIT_AGAIN;
	}
	if ((valid_every == 0 || l->pos.step % valid_every != 0) && validate(l, err) < 0)
		return -1;
	return save(l, err);
}

/* --- the run --------------------------------------------------------------------------------- */

/* Load weights, m, v and position from a checkpoint of the run. */
static int resume(struct loop *l, const char *dir, struct lu_err *err)
{
	if (lt_manifest_read(dir, &l->pos, NULL, err) < 0 || lt_checkpoint_load(dir, l->w, err) < 0)
		return -1;
	if (l->pos.phase >= l->t->config->phase.n)
		return lu_err_set(err,
				"%s: the configuration has no phase %" PRIu64 ", it has %zu phases",
				dir, l->pos.phase + 1, l->t->config->phase.n);
	l->saved = l->pos.step;
	lu_note("continuing after step %" PRIu64 "%s", l->pos.step,
			lu_hash_available()
					? ""
					: "; this build has no xxHash: the sizes of the "
					  "checkpoint's files were checked, the hashes were not");
	return 0;
}

/* Load the checkpoint to continue from; without one, set the initial weights. */
static int restore(struct loop *l, const struct lt_settings *s, struct lu_err *err)
{
	char *dir;
	int rc;

	if (lt_checkpoint_find(l->t->run->path, l->t->from, &dir, err) < 0)
		return -1;
	if (dir)
		rc = resume(l, dir, err);
	else if (*s->train.init)
		rc = lt_tensors_import(l->w, s->train.init, err);
	else
		rc = lt_weights_init(l->w, s->train.seed, err);
	free(dir);
	return rc;
}

static int run_phases(struct loop *l, struct lu_err *err)
{
	const struct lt_config *c = l->t->config;
	int rc = 0;

	for (size_t i = l->pos.phase; i < c->phase.n && rc == 0; i++) {
		if (i != l->pos.phase) {
			l->pos.phase = i;
			l->pos.samples = 0;
		}
		rc = open_phase(l, i, err);
		if (rc == 0 && l->pos.samples > 0 && i + 1 == c->phase.n &&
				lt_schedule_batch(&l->phase.schedule, l->pos.samples) == 0)
			lu_note("the run is complete: %" PRIu64 " steps, %" PRIu64 " tokens",
					l->pos.step, l->pos.tokens);
		else if (rc == 0)
			rc = run_phase(l, err);
		close_phase(l);
		if (rc < 0 && c->phase.n > 1)
			lu_err_wrap(err, "phase %s", c->phase.p[i].name);
	}
	return rc;
}

int lt_train(const struct lt_training *t, struct lu_err *err)
{
	struct loop l = { .t = t, .ops = lk_cpu_ops(), .saved = UINT64_MAX };
	struct lt_settings first;
	struct lt_shape shape;
	struct lk_err kerr;
	int rc = -1;

	if (lt_config_phase(t->config, 0, &first, err) < 0)
		return -1;
	lt_settings_shape(&first, &shape);
	if (l.ops->open(&l.q, 0, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	catch_signals();
	if (lt_comm_single(&l.comm, err) == 0 &&
			lt_weights_open(&l.w, l.ops, l.q, &shape, first.train.lanes, err) == 0 &&
			restore(&l, &first, err) == 0)
		rc = run_phases(&l, err);
	lt_weights_close(l.w);
	lt_comm_close(l.comm);
	l.ops->close(l.q);
	return rc;
}
