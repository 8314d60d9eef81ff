#include "trainer/run/trainer.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/sys/tool.h"
#include "trainer/model/rotary.h"

/* Load this rank's next micro-batch, an lt_load_fn. A rank in the middle of a pipeline reads nothing,
 * and so never opens its feed. */
static int load_micro(void *ctx, struct lt_micro *m, struct lu_err *err)
{
	struct lt_trainer *l = ctx;
	struct lt_open_phase *p = &l->phase;

	if (!p->feed && lt_feed_open(&p->feed, &p->data, &l->layout, l->pos.samples, err) < 0)
		return -1;
	return lt_feed_load(p->feed, m, err);
}

void lt_trainer_close_phase(struct lt_trainer *l)
{
	struct lt_open_phase *p = &l->phase;

	lt_step_close(p->step);
	lt_feed_close(p->feed);
	lt_phase_data_close(&p->data);
	free(p->reference);
	*p = (struct lt_open_phase){ 0 };
}

/* Note the longest context of all phases so far that have the rotary positions of this one: what the
 * model can be used with, also when a phase of short conversations comes last. */
static int note_context(struct lt_trainer *l, const struct lt_settings *s, struct lu_err *err)
{
	struct lt_shape now, was;
	struct lt_settings before;
	bool same = true;

	if (l->pos.phase > 0 && l->pos.samples == 0) {
		if (lt_config_phase(l->what->config, (size_t)l->pos.phase - 1, &before, err) < 0)
			return -1;
		lt_settings_shape(s, &now);
		lt_settings_shape(&before, &was);
		same = lt_rope_same(&now, &was);
	}
	if (s->train.context > l->pos.context || !same)
		l->pos.context = s->train.context;
	return 0;
}

int lt_trainer_open_phase(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;
	struct lt_open_phase *p = &l->phase;
	const struct lt_settings *s = &p->data.s;
	struct lt_micro_want want;

	if (note_context(l, s, err) < 0)
		return -1;
	lt_settings_shape(s, &l->w->table.shape);
	l->pos.by = lt_layout_describe(&l->layout, s, l->what->backend);
	snprintf(l->pos.phase_name, sizeof(l->pos.phase_name), "%s", c->phase.p[l->pos.phase].name);
	p->data.skips = l->pos.skips;
	want = lt_phase_data_want(&p->data);
	if (lt_step_open(&p->step, &l->layout, l->w, s, &p->data.schedule, &want, load_micro, l,
			    err) < 0)
		return -1;
	p->hyper = (struct lt_hyper){ .beta1 = s->train.beta1,
		.beta2 = s->train.beta2,
		.eps = s->train.eps,
		.weight_decay = s->train.weight_decay,
		.clip = s->train.clip };
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

/* --- from phase to phase ---------------------------------------------------------------------- */

void lt_trainer_next_phase(struct lt_trainer *l)
{
	l->pos.phase++;
	l->pos.samples = 0;
	l->pos.phase_end = 0;
	l->pos.spike.n = 0;
	*l->pos.reference = '\0';
}

bool lt_trainer_fits(
		const struct lt_trainer *l, const struct lt_settings *s, char *ranks, size_t size)
{
	size_t needed;
	bool multiple;

	if (lt_layout_fits(s, lt_comm_size(l->comm), &needed, &multiple))
		return true;
	snprintf(ranks, size, "%s%zu rank%s", multiple ? "a multiple of " : "", needed,
			needed == 1 ? "" : "s");
	return false;
}

int lt_trainer_open_weights(struct lt_trainer *l, const struct lt_shape *shape, struct lu_err *err)
{
	struct lt_holding holding = lt_layout_holding(&l->layout, &l->what->config->base);

	if (lt_layout_connect(&l->layout, l->comm, err) < 0)
		return -1;
	return lt_weights_open(&l->w, l->ops, l->q, shape, &l->layout.place, &holding, err);
}

int lt_trainer_open_saver(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_saver_options save = {
		.keep = (size_t)l->what->config->base.checkpoint.keep
	};

	return lt_saver_open(&l->saver, l->comm, l->w, &save, err);
}

/* Give back what the old layout holds, and load the checkpoint of the phase that has ended into the new
 * one, which is taken over. */
static int change_layout(struct lt_trainer *l, const struct lt_layout *layout, struct lu_err *err)
{
	struct lt_shape shape = l->w->table.shape;
	int rc;

	lt_saver_close(l->saver);
	l->saver = NULL;
	lt_weights_close(l->w);
	l->w = NULL;
	lt_comm_ungroup(l->comm);
	lt_layout_release(&l->layout);
	l->layout = *layout;
	rc = lt_trainer_open_weights(l, &shape, err);
	if (lt_trainer_agree(l, rc, err) < 0 ||
			lt_checkpoint_locate(l->comm, l->what->run, l->pos.step, &l->found, err) <
					0 ||
			lt_checkpoint_restore(l->comm, &l->found, l->w, err) < 0)
		return -1;
	rc = lt_trainer_open_saver(l, err);
	return lt_trainer_agree(l, rc, err);
}

int lt_trainer_enter_phase(struct lt_trainer *l, struct lu_err *err)
{
	struct lt_open_phase *p = &l->phase;
	struct lt_layout layout = { 0 };
	int rc;

	lt_trainer_next_phase(l);
	rc = lt_phase_data_open(&p->data, l->what->config, (size_t)l->pos.phase, l->what->tokenizer,
			!lt_trainer_first(l), err);
	if (lt_trainer_agree(l, rc, err) < 0)
		return -1;
	if (!lt_trainer_fits(l, &p->data.s, l->needs, sizeof(l->needs)))
		return LU_EXIT_AGAIN;
	rc = lt_layout_init(&layout, &p->data.s, lt_comm_rank(l->comm), lt_comm_size(l->comm), err);
	/* Nobody lets go of a group that another still uses. */
	if (lt_trainer_agree(l, rc, err) < 0) {
		lt_layout_release(&layout);
		return -1;
	}
	if (lt_layout_equal(&l->layout, &layout))
		lt_layout_release(&layout);
	else if (change_layout(l, &layout, err) < 0)
		return -1;
	rc = lt_trainer_open_phase(l, err);
	return lt_trainer_agree(l, rc, err);
}
