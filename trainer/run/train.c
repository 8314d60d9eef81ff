#include "trainer/run/trainer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/hash/hash.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "trainer/run/budget.h"
#include "trainer/run/init_model.h"
#include "trainer/run/skip_samples.h"
#include "trainer/run/stop.h"

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
	return lt_trainer_agree(l, rc, err);
}

/* Open the data of all phases that are left; those of the first of them stay open. */
static int open_data(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;

	if (lt_skip_samples(l->what->skip, c, &l->pos, &l->skips_added, err) < 0)
		return -1;
	l->outdated = l->skips_added = l->skips_added && l->found.found;
	for (size_t i = c->phase.n; i-- > l->pos.phase;) {
		lt_phase_data_close(&l->phase.data);
		if (lt_phase_data_open(&l->phase.data, c, i, l->what->tokenizer,
				    !lt_trainer_first(l), err) < 0 ||
				lt_skip_check(&l->pos.skips, i, &l->phase.data, err) < 0)
			return -1;
		if (lt_trainer_first(l))
			lt_phase_data_notes(&l->phase.data);
	}
	if (!l->found.found && l->phase.data.s.train.valid_every)
		l->pos.due = lt_validation_sets(l->phase.data.valid);
	if (!l->found.found && l->phase.data.s.eval.every)
		l->pos.evals_due = lt_evaluations_count(l->phase.data.evals);
	return 0;
}

/* The last phase that this start is to train. */
static size_t last_phase(const struct lt_trainer *l)
{
	size_t n = l->what->config->phase.n;

	return l->what->until < n ? l->what->until : n - 1;
}

/* A phase that the checkpoint has completed need not be opened, since its layout may be another. */
static int skip_finished(struct lt_trainer *l, struct lu_err *err)
{
	if (!l->found.found || l->pos.due || l->pos.evals_due || l->pos.phase >= last_phase(l) ||
			lt_schedule_batch(&l->phase.data.schedule, l->pos.samples) > 0)
		return 0;
	lt_phase_data_close(&l->phase.data);
	lt_trainer_next_phase(l);
	return lt_phase_data_open(&l->phase.data, l->what->config, (size_t)l->pos.phase,
			l->what->tokenizer, !lt_trainer_first(l), err);
}

/* Load the checkpoint to continue from; without one, set the initial weights. */
static int restore(struct lt_trainer *l, const struct lt_settings *s, struct lu_err *err)
{
	int rc;

	if (l->found.found)
		return lt_checkpoint_restore(l->comm, &l->found, l->w, err);
	if (*s->train.init)
		rc = lt_init_load(s, l->w, &l->pos.context, err);
	else
		rc = lt_weights_init(l->w, s->train.seed, err);
	return lt_trainer_agree(l, rc, err);
}

static int check_space(const struct lt_trainer *l, struct lu_err *err)
{
	char *folder = lt_trainer_first(l) ? lt_run_existing(l->what->run, err) : NULL;
	int rc = folder			      ? lt_checkpoint_space(folder, &l->w->table, err)
			: lt_trainer_first(l) ? -1
					      : 0;

	free(folder);
	return rc;
}

/* What can be said without memory and without the other ranks. Phases differ in what a micro-batch
 * is, and in their layout: one that these ranks cannot train is checked as far as it can be. */
static int check_all(const struct lt_trainer *l, struct lt_settings *first, struct lt_shape *shape,
		struct lu_err *err)
{
	size_t rank = lt_comm_rank(l->comm), ranks = lt_comm_size(l->comm), needed;
	const struct lt_config *c = l->what->config;
	bool multiple;
	int rc = 0;

	for (size_t i = c->phase.n; i-- > 0 && rc == 0;) {
		struct lt_layout layout = { 0 };

		if (lt_config_phase(c, i, first, err) < 0)
			return -1;
		if (lt_layout_fits(first, ranks, &needed, &multiple))
			rc = lt_layout_init(&layout, first, rank, ranks, err);
		else
			rc = lt_layout_init(&layout, first, 0, 0, err);
		lt_layout_release(&layout);
		if (rc < 0 && c->phase.n > 1)
			lu_err_wrap(err, "phase %s", c->phase.p[i].name);
	}
	lt_settings_shape(first, shape);
	return rc;
}

/* Lay out the phase of the position over the ranks that there are. */
static int open_layout(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;

	if (lt_layout_init(&l->layout, &l->phase.data.s, lt_comm_rank(l->comm),
			    lt_comm_size(l->comm), err) == 0)
		return 0;
	return c->phase.n > 1 ? lu_err_wrap(err, "phase %s", c->phase.p[l->pos.phase].name) : -1;
}

/* Say which phase will need another number of ranks. */
static int note_phases(const struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;
	struct lt_settings s;
	char ranks[32];

	for (size_t i = (size_t)l->pos.phase + 1; i <= last_phase(l); i++) {
		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (lt_trainer_fits(l, &s, ranks, sizeof(ranks)))
			continue;
		if (lt_trainer_first(l))
			lu_note("phase %s needs %s: the run will stop before it",
					c->phase.p[i].name, ranks);
		break;
	}
	return 0;
}

/* Find what to train, and check everything that can be before memory is taken. */
static int prepare(struct lt_trainer *l, struct lt_settings *first, struct lt_shape *shape,
		struct lu_err *err)
{
	const struct lt_backend *b = l->what->backend;
	const struct lt_config *c = l->what->config;
	int rc = check_all(l, first, shape, err);

	if (rc == 0)
		rc = lt_backend_check(b, first, err);
	if (lt_trainer_agree(l, rc, err) < 0 || find_position(l, shape, err) < 0)
		return -1;
	rc = open_data(l, err);
	if (rc == 0 && !l->found.found && *first->train.init)
		rc = lt_init_check(&c->base, first->train.init, lt_trainer_first(l), err);
	if (rc == 0)
		rc = skip_finished(l, err);
	if (rc == 0)
		rc = open_layout(l, err);
	if (rc == 0)
		rc = note_phases(l, err);
	if (lt_trainer_agree(l, rc, err) < 0 || lt_backend_place(b, l->comm, &l->device, err) < 0)
		return -1;
	return l->what->overcommit ? 0
				   : lt_budget_check_memory(c, (size_t)l->pos.phase, b, l->device,
						     l->comm, err);
}

/* Each group of checks ends with an agreement, so that one rank alone says what is wrong, before
 * anything is allocated or written. */
static int open_all(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_backend *b = l->what->backend;
	struct lt_settings first;
	struct lt_shape shape;
	int rc;

	if (prepare(l, &first, &shape, err) < 0)
		return -1;
	rc = lt_budget_open_queue(
			l->what->config, (size_t)l->pos.phase, b, l->device, l->comm, &l->q, err);
	if (lt_trainer_agree(l, rc, err) < 0 ||
			lt_watch_open(&l->watch, l->comm, l->ops, l->device, err) < 0)
		return -1;
	if (b->gpu)
		rc = lt_comm_device(l->comm, l->device,
				lt_backend_equality(b, first.parallel.equality), err);
	if (rc == 0)
		rc = lt_trainer_open_weights(l, &shape, err);
	if (rc == 0)
		rc = check_space(l, err);
	if (lt_trainer_agree(l, rc, err) < 0 || restore(l, &first, err) < 0)
		return -1;
	rc = lt_trainer_open_saver(l, err);
	if (rc == 0)
		rc = lt_trainer_open_phase(l, err);
	return lt_trainer_agree(l, rc, err);
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
	lt_stop_install(what->quiet || !lt_trainer_first(l));
	rc = open_all(l, err);
	lt_stop_stage(LT_STOP_STEP);
	if (rc == 0 && (rc = lt_trainer_asked(l, err)) > 0) {
		if (lt_trainer_first(l))
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
	return l->found.found && l->pos.due == 0 && l->pos.evals_due == 0 &&
			(l->pos.phase > last_phase(l) ||
					(l->pos.phase == last_phase(l) &&
							lt_schedule_batch(&l->phase.data.schedule,
									l->pos.samples) == 0));
}

void lt_train_close(struct lt_trainer *l)
{
	if (!l)
		return;
	lt_comm_settle(l->comm);
	lt_trainer_close_phase(l);
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

/* Train phase after phase. Returns 0, LU_EXIT_AGAIN, or -1. */
/* Say which phase goes on, where there are several. */
static void announce(const struct lt_trainer *l)
{
	const struct lt_config *c = l->what->config;
	uint64_t left = lt_schedule_left(&l->phase.data.schedule, l->pos.samples);

	if (l->run && c->phase.n > 1 && left)
		lu_note("phase %s: steps %" PRIu64 " to %" PRIu64 ", samples of %" PRIu64 " tokens",
				c->phase.p[l->pos.phase].name, l->pos.step + 1, l->pos.step + left,
				l->phase.data.s.train.context);
}

static int run_phases(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;
	size_t last = last_phase(l);
	int rc = 0;

	while (rc == 0 && l->pos.phase <= last) {
		const char *name = c->phase.p[l->pos.phase].name;

		announce(l);
		rc = lt_trainer_run_phase(l, err);
		if (rc < 0 && c->phase.n > 1)
			lu_err_wrap(err, "phase %s", name);
		lt_trainer_close_phase(l);
		if (rc < 0 || rc == LU_EXIT_AGAIN || l->pos.phase == last)
			break;
		rc = lt_trainer_enter_phase(l, err);
	}
	return rc;
}

/* Say how a run that has stopped goes on. */
static void conclude_stop(const struct lt_trainer *l)
{
	const struct lt_config *c = l->what->config;

	if (*l->needs)
		lu_note("stopped after phase %s: checkpoint %s/step-%08" PRIu64
			" written; phase %s needs %s: start the same command with so many",
				c->phase.p[l->pos.phase - 1].name, l->run->path, l->saved,
				c->phase.p[l->pos.phase].name, l->needs);
	else
		lu_note("stopped after step %" PRIu64 ": checkpoint %s/step-%08" PRIu64
			" written; %s continues the run",
				l->pos.step, l->run->path, l->saved,
				l->what->from == UINT64_MAX ? "the same command"
							    : "the command without --from-step");
}

/* Say what became of the run. */
static void conclude(const struct lt_trainer *l, int rc)
{
	double seconds = lu_clock() - l->start;
	uint64_t tokens = l->pos.tokens - l->first_tokens;
	size_t last = last_phase(l);

	if (rc == LU_EXIT_AGAIN) {
		conclude_stop(l);
		return;
	}
	if (l->pos.step == l->first_step && last + 1 == l->what->config->phase.n)
		lu_note("the run is complete: %" PRIu64 " steps, %" PRIu64 " tokens", l->pos.step,
				l->pos.tokens);
	else if (isatty(STDERR_FILENO) && l->pos.step > l->first_step)
		lu_note("%" PRIu64 " steps, %" PRIu64 " tokens in %.0f s, %.0f tokens/s, loss %.4f"
			"; %s/step-%08" PRIu64,
				l->pos.step - l->first_step, tokens, seconds,
				(double)tokens / seconds, l->last_loss, l->run->path, l->saved);
	if (last + 1 < l->what->config->phase.n)
		lu_note("phase %s is complete; the command without --until goes on with phase %s",
				l->what->config->phase.p[last].name,
				l->what->config->phase.p[last + 1].name);
}

int lt_train_run(struct lt_trainer *l, struct lt_run *run, struct lu_err *err)
{
	int rc;

	l->run = run;
	l->start = lu_clock();
	l->first_step = l->pos.step;
	l->first_tokens = l->pos.tokens;
	rc = run ? check_same(l, err) : 0;
	if (lt_trainer_agree(l, rc, err) < 0)
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
		lt_trainer_let_save_finish(l);
	else if (run)
		conclude(l, rc);
	return rc;
}
