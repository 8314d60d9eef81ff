#include "trainer/run/trainer.h"

#include <stdio.h>

/* Load this rank's next micro-batch, an lt_load_fn. A rank in the middle of a pipeline reads nothing,
 * and so never opens its feed. */
static int load_micro(void *ctx, struct lt_micro *m, struct lu_err *err)
{
	struct lt_trainer *l = ctx;
	struct lt_open_phase *p = &l->phase;
	const struct lt_micro_want want = lt_phase_data_want(&p->data);

	if (!p->feed &&
			lt_feed_open(&p->feed, &want, p->data.corpus, &l->layout, &p->data.s,
					&p->data.schedule, l->pos.samples, err) < 0)
		return -1;
	return lt_feed_load(p->feed, m, err);
}

void lt_trainer_close_phase(struct lt_trainer *l)
{
	struct lt_open_phase *p = &l->phase;

	lt_step_close(p->step);
	lt_feed_close(p->feed);
	lt_phase_data_close(&p->data);
	*p = (struct lt_open_phase){ 0 };
}

int lt_trainer_open_phase(struct lt_trainer *l, struct lu_err *err)
{
	const struct lt_config *c = l->what->config;
	struct lt_open_phase *p = &l->phase;
	const struct lt_settings *s = &p->data.s;
	size_t i = (size_t)l->pos.phase;
	struct lt_micro_want want;
	struct lt_shape shape;

	if (!p->data.corpus &&
			lt_phase_data_open(&p->data, c, i, l->what->tokenizer, !lt_trainer_first(l),
					err) < 0)
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
