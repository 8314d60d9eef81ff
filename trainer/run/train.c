#include "trainer/run/train.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "trainer/comm/comm.h"
#include "trainer/data/corpus.h"
#include "trainer/data/scoring.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/validation.h"

struct loop {
	const struct lt_training *t;
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_comm *comm;
	struct lt_weights *w;
	struct lt_position at;
	uint64_t saved; /* step of the last checkpoint, UINT64_MAX none */
	/* of the phase */
	struct lt_settings s;
	struct lt_schedule schedule;
	struct lt_model *model;
	struct lt_corpus *corpus;
	struct lt_validation *valid;
	uint32_t *tokens, *ids; /* one micro-batch */
	int32_t *labels;
	double *loss;	   /* device: one a micro-batch of a full step */
	double *host_loss; /* the same on the host */
	double flops;	   /* of a token, causal */
};

/* What a step did. */
struct step {
	uint64_t batch, tokens;
	double loss, lr, seconds, data_seconds;
	struct lt_update update;
};

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

static int begin_lanes(struct loop *l, const struct step *s, struct lu_err *err)
{
	struct lt_hyper h = { l->s.train.beta1, l->s.train.beta2, l->s.train.eps,
		l->s.train.weight_decay, l->s.train.clip };

	return lt_optimizer_begin(l->w, &h, s->lr, l->at.updates + 1, s->tokens, err);
}

/* Sample number i of the phase goes in place k of the micro-batch. */
static int fetch(struct loop *l, uint64_t i, size_t k, struct lu_err *err)
{
	size_t context = l->s.train.context;

	if (lt_corpus_sample(l->corpus, i, l->tokens, err) < 0)
		return -1;
	memcpy(l->ids + k * context, l->tokens, context * sizeof(*l->ids));
	memcpy(l->labels + k * context, l->tokens + 1, context * sizeof(*l->labels));
	return 0;
}

/* All micro-batches of a step: gradients in the lanes, s->loss. */
static int forward_backward(struct loop *l, struct step *s, struct lu_err *err)
{
	size_t micro = l->s.train.micro_batch, n = (size_t)(s->batch / micro);
	double sum = 0;

	for (size_t j = 0; j < n; j++) {
		double start = lu_clock();

		for (size_t k = 0; k < micro; k++) {
			if (fetch(l, l->at.samples + j * micro + k, k, err) < 0)
				return -1;
		}
		s->data_seconds += lu_clock() - start;
		if (lt_model_train(l->model, l->ids, l->labels, j % l->w->lanes, l->loss + j, err) <
				0)
			return -1;
	}
	if (l->ops->copy(l->q, l->host_loss, l->loss, n * sizeof(double), LK_D2H) < 0 ||
			l->ops->sync(l->q) < 0)
		return lt_failed(l->ops, l->q, err);
	for (size_t j = 0; j < n; j++)
		sum += l->host_loss[j];
	s->loss = sum / (double)s->tokens;
	return 0;
}

/* Stops before anything was changed. */
static int not_finite(struct loop *l, const char *what, struct lu_err *err)
{
	char culprit[160];

	if (lt_optimizer_blame(l->w, culprit, sizeof(culprit), err) < 0)
		return -1;
	return lu_err_set(err,
			"step %llu: the %s is not finite, first seen in %s; stopped before the "
			"update, "
			"the last checkpoint is as it was",
			(unsigned long long)l->at.step + 1, what, culprit);
}

static int one_step(struct loop *l, uint64_t batch, struct step *s, struct lu_err *err)
{
	struct lt_hyper h = { l->s.train.beta1, l->s.train.beta2, l->s.train.eps,
		l->s.train.weight_decay, l->s.train.clip };
	double start = lu_clock();

	*s = (struct step){ .batch = batch, .tokens = batch * l->s.train.context };
	s->lr = lt_schedule_lr(&l->schedule, l->at.samples + batch);
	if (begin_lanes(l, s, err) < 0 || forward_backward(l, s, err) < 0)
		return -1;
	if (!isfinite(s->loss))
		return not_finite(l, "loss", err);
	if (lt_optimizer_update(l->w, l->comm, &h, &s->update, err) < 0)
		return -1;
	if (!s->update.finite)
		return not_finite(l, "gradient norm", err);
	l->at.step++;
	l->at.updates++;
	l->at.samples += batch;
	l->at.tokens += s->tokens;
	s->seconds = lu_clock() - start;
	return 0;
}

static int log_step(struct loop *l, const struct step *s, struct lu_err *err)
{
	double rate = (double)s->tokens / s->seconds, gflops = rate * l->flops * 1e-9;
	uint64_t left = (l->schedule.samples - l->at.samples) / s->batch;
	struct lu_buf b = { 0 };
	int rc;

	if (l->s.train.log_every && l->at.step % l->s.train.log_every == 0)
		lu_note("step %llu of %llu loss %.4f lr %.3e norm %.3f %.0f tokens/s "
			"%.1f GFLOP/s, %.0f s left",
				(unsigned long long)l->at.step,
				(unsigned long long)(l->at.step + left), s->loss, s->lr,
				s->update.norm, rate, gflops, (double)left * s->seconds);
	lu_buf_printf(&b, "{\"step\":%llu,\"phase\":", (unsigned long long)l->at.step);
	lu_json_quote(&b, lu_str_of(l->at.phase_name));
	lu_buf_printf(&b, ",\"samples\":%llu,\"batch\":%llu,\"tokens\":%llu,\"loss\":",
			(unsigned long long)l->at.samples, (unsigned long long)s->batch,
			(unsigned long long)l->at.tokens);
	lu_json_number(&b, s->loss);
	lu_buf_puts(&b, ",\"lr\":");
	lu_json_number(&b, s->lr);
	lu_buf_puts(&b, ",\"norm\":");
	lu_json_number(&b, s->update.norm);
	lu_buf_puts(&b, ",\"clip\":");
	lu_json_number(&b, s->update.clip);
	lu_buf_puts(&b, "}\n");
	rc = lt_run_log(l->t->run, LT_METRICS, &b, err);
	lu_buf_clear(&b);
	lu_buf_printf(&b,
			"{\"step\":%llu,\"seconds\":%.6f,\"data_seconds\":%.6f,\"tokens_per_s\":%."
			"1f,"
			"\"gflops\":%.2f}\n",
			(unsigned long long)l->at.step, s->seconds, s->data_seconds, rate, gflops);
	if (rc == 0)
		rc = lt_run_log(l->t->run, LT_TIMING, &b, err);
	lu_buf_release(&b);
	return rc;
}

static int save(struct loop *l, struct lu_err *err)
{
	if (l->saved == l->at.step)
		return 0;
	if (lt_checkpoint_save(l->t->run->path, l->w, &l->at, l->t->config->base.checkpoint.keep,
			    err) < 0)
		return -1;
	l->saved = l->at.step;
	lu_detail("checkpoint of step %llu written", (unsigned long long)l->at.step);
	return 0;
}

static int validate(struct loop *l, struct lu_err *err)
{
	return lt_validate(l->valid, l->model, &l->at, l->t->run, stopping, err);
}

static void close_phase(struct loop *l)
{
	lt_model_close(l->model);
	lt_corpus_close(l->corpus);
	lt_validation_close(l->valid);
	free(l->tokens);
	free(l->ids);
	free(l->labels);
	free(l->host_loss);
	if (l->loss)
		l->ops->free(l->q, l->loss);
	l->model = NULL;
	l->corpus = NULL;
	l->valid = NULL;
	l->tokens = l->ids = NULL;
	l->labels = NULL;
	l->loss = l->host_loss = NULL;
}

static int open_buffers(struct loop *l, struct lu_err *err)
{
	size_t context = l->s.train.context, micro = l->s.train.micro_batch;
	size_t most = (size_t)(l->s.train.global_batch / micro);

	l->tokens = malloc((context + 1) * sizeof(*l->tokens));
	l->ids = calloc(context * micro, sizeof(*l->ids));
	l->labels = calloc(context * micro, sizeof(*l->labels));
	l->host_loss = calloc(most, sizeof(*l->host_loss));
	if (!l->tokens || !l->ids || !l->labels || !l->host_loss)
		return lu_err_nomem(err);
	l->loss = l->ops->alloc(l->q, most * sizeof(*l->loss));
	return l->loss ? 0 : lt_failed(l->ops, l->q, err);
}

/* The shards' vocabulary and tokenizer against the run's. */
static int check_data(struct loop *l, struct lu_err *err)
{
	struct lt_written tokenizer = { 0 };
	char *path;
	int rc = 0;

	if (lt_run_has(l->t->run->path, "tokenizer.json")) {
		path = lt_run_path(l->t->run->path, "tokenizer.json");
		rc = path ? lt_file_hash(path, &tokenizer, err) : lu_err_nomem(err);
		free(path);
	}
	return rc < 0 ? -1
		      : lt_corpus_check(l->corpus, l->w->table.shape.vocab, tokenizer.hash, err);
}

static int open_phase(struct loop *l, size_t i, struct lu_err *err)
{
	struct lt_shape shape;

	if (lt_config_phase(l->t->config, i, &l->s, err) < 0)
		return -1;
	lt_settings_shape(&l->s, &shape);
	l->w->table.shape.rope_theta = shape.rope_theta;
	l->at.context = l->s.train.context;
	snprintf(l->at.phase_name, sizeof(l->at.phase_name), "%s", l->t->config->phase[i].name);
	if (lt_corpus_open(&l->corpus, l->s.data.train, l->s.train.context, l->s.train.seed,
			    l->s.data.shuffle, err) < 0)
		return -1;
	if (check_data(l, err) < 0)
		return -1;
	if (lt_corpus_samples(l->corpus) == 0)
		return lu_err_set(err, "data.train: %llu tokens are less than one sample of %llu",
				(unsigned long long)lt_corpus_tokens(l->corpus),
				(unsigned long long)l->s.train.context + 1);
	if (lt_settings_schedule(&l->s, lt_corpus_samples(l->corpus), &l->schedule, err) < 0 ||
			lt_model_open(&l->model, l->w, l->s.train.micro_batch, l->s.train.context,
					LT_MODEL_TRAIN,
					l->s.parallel.recompute == LT_RECOMPUTE_LAYER, err) < 0 ||
			lt_validation_open(&l->valid, &l->s, err) < 0)
		return -1;
	l->flops = lt_flops_token(&l->w->table, l->s.train.context, true);
	if (l->s.train.reset_optimizer && l->at.samples == 0) {
		if (lt_weights_reset_optimizer(l->w, err) < 0)
			return -1;
		l->at.updates = 0;
	}
	return open_buffers(l, err);
}

/* 0 the phase is over, LU_EXIT_AGAIN stopped after a checkpoint, -1. */
static int run_phase(struct loop *l, struct lu_err *err)
{
	uint64_t batch, every = l->t->config->base.checkpoint.every;
	struct step s;

	if (lt_schedule_steps(&l->schedule) == 0)
		return lu_err_set(err, "train: %llu samples are less than one step of %llu",
				(unsigned long long)l->schedule.samples,
				(unsigned long long)l->s.train.global_batch);
	if (l->at.step == 0 && l->s.train.valid_every && validate(l, err) < 0)
		return -1;
	while ((batch = lt_schedule_batch(&l->schedule, l->at.samples)) > 0) {
		bool stop;

		if (one_step(l, batch, &s, err) < 0 || log_step(l, &s, err) < 0)
			return -1;
		if (l->s.train.valid_every && l->at.step % l->s.train.valid_every == 0 &&
				validate(l, err) < 0)
			return -1;
		stop = caught != 0;
		if (l->comm->ops->any(l->comm, &stop, err) < 0)
			return -1;
		if ((stop || (every && l->at.step % every == 0)) && save(l, err) < 0)
			return -1;
		if (stop)
			return LU_EXIT_AGAIN;
	}
	if (l->s.train.valid_every == 0 || l->at.step % l->s.train.valid_every != 0) {
		if (validate(l, err) < 0)
			return -1;
	}
	return save(l, err);
}

/* The weights, m, v and position that the run goes on from. */
static int restore(struct loop *l, struct lu_err *err)
{
	const struct lt_settings *s = &l->s;
	char *dir;
	int rc;

	if (lt_checkpoint_find(l->t->run->path, l->t->from, &dir, err) < 0)
		return -1;
	if (dir) {
		rc = lt_checkpoint_read(dir, &l->at, NULL, err);
		if (rc == 0)
			rc = lt_checkpoint_load(dir, l->w, err);
		if (rc == 0 && l->at.phase >= l->t->config->phases)
			rc = lu_err_set(err, "%s: its phase %llu is not in the configuration", dir,
					(unsigned long long)l->at.phase + 1);
		free(dir);
		l->saved = l->at.step;
		if (rc == 0)
			lu_note("continuing after step %llu%s", (unsigned long long)l->at.step,
					lu_hash_available() ? ""
							    : "; this build has no xxHash: the "
							      "sizes of "
							      "the checkpoint's files were "
							      "checked, the "
							      "hashes were not");
		return rc;
	}
	if (*s->train.init)
		return lt_tensors_import(l->w, s->train.init, err);
	return lt_weights_init(l->w, s->train.seed, err);
}

static int run_phases(struct loop *l, struct lu_err *err)
{
	const struct lt_config *c = l->t->config;
	int rc = 0;

	for (size_t i = l->at.phase; i < c->phases && rc == 0; i++) {
		if (i != l->at.phase) {
			l->at.phase = i;
			l->at.samples = 0;
		}
		rc = open_phase(l, i, err);
		if (rc == 0 && l->at.samples > 0 && i + 1 == c->phases &&
				lt_schedule_batch(&l->schedule, l->at.samples) == 0)
			lu_note("the run is complete: %llu steps, %llu tokens",
					(unsigned long long)l->at.step,
					(unsigned long long)l->at.tokens);
		else if (rc == 0)
			rc = run_phase(l, err);
		close_phase(l);
		if (rc < 0 && c->phases > 1)
			lu_err_wrap(err, "phase %s", c->phase[i].name);
	}
	return rc;
}

int lt_train(const struct lt_training *t, struct lu_err *err)
{
	struct loop l = { .t = t, .ops = lk_cpu_ops(), .saved = UINT64_MAX };
	struct lt_shape shape;
	struct lk_err kerr;
	int rc = -1;

	if (lt_config_phase(t->config, 0, &l.s, err) < 0)
		return -1;
	lt_settings_shape(&l.s, &shape);
	if (l.ops->open(&l.q, 0, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	catch_signals();
	if (lt_comm_single(&l.comm, err) == 0 &&
			lt_weights_open(&l.w, l.ops, l.q, &shape, l.s.train.lanes, err) == 0 &&
			restore(&l, err) == 0)
		rc = run_phases(&l, err);
	lt_weights_close(l.w);
	lt_comm_close(l.comm);
	l.ops->close(l.q);
	return rc;
}
