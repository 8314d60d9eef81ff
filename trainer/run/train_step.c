#include "trainer/run/train_step.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/progress.h"
#include "trainer/model/batch_check.h"
#include "trainer/parallel/actions.h"
#include "trainer/parallel/actions_check.h"
#include "trainer/run/backend.h"

/* A micro-batch in host memory. */
struct loaded {
	size_t micro; /* this rank's; SIZE_MAX: none */
	struct lt_micro m;
};

/* A message that is being received before its turn, while the device computes. */
struct early {
	const struct lt_action *action;
	struct lt_pending *pending;
	size_t gradient;
};

#define EARLY 4 /* messages between two passes at most */

struct lt_step {
	const struct lt_layout *layout;
	struct lt_weights *w;
	struct lk_queue *q;
	struct lt_model *model;
	struct lt_optimizer *optimizer;
	struct LU_VEC(struct lt_pipeline) pipeline; /* by number of micro-batches as it occurs */
	lt_load_fn *load;
	void *ctx;
	size_t rows, width; /* tokens of a micro-batch; elements of what stages exchange */
	struct lt_micro_want want;
	struct LU_VEC(struct loaded) loaded; /* a ring */
	size_t turn;			     /* the next of the ring to reuse */
	size_t *slots;			     /* by own chunk */
	struct lt_pending **out;	     /* [chunk][slot]: outputs being sent */
	size_t most_slots;
	struct lt_pending *back[LT_MODEL_GRADIENTS]; /* gradients being sent */
	size_t gradient;			     /* the one in use */
	size_t taken;				     /* gradients taken so far */
	struct early early[EARLY];
	size_t earlies;
	double *sums; /* device: [LK_SUMS][micro-batches of the step] */
	size_t micros_max;
	double data_seconds;
	/* The step that is running. */
	const struct lt_step_what *what;
	size_t micros; /* this rank's */
};

/* --- schedules --------------------------------------------------------------------------------- */

static size_t micros_of(const struct lt_layout *l, const struct lt_settings *s, uint64_t batch)
{
	return lt_layout_micros(l, (size_t)(batch / s->train.micro_batch));
}

/* Raise slots[] of this stage's chunks to what a schedule of so many micro-batches needs. */
static int add_slots(const struct lt_layout *l, size_t micros, size_t *slots, struct lu_err *err)
{
	size_t pp = l->mesh.size[LT_PP];
	struct lt_pipeline p;
	int rc;

	if (lt_pipeline_make(&p, pp, l->v, micros, err) < 0)
		return -1;
	rc = lt_pipeline_check(&p, NULL, err);
	for (size_t c = 0; c < l->v; c++) {
		size_t n = p.slots[c * pp + l->at[LT_PP]];

		slots[c] = n > slots[c] ? n : slots[c];
	}
	lt_pipeline_release(&p);
	return rc;
}

/* Slots for every batch of the phase. */
static int count_slots(const struct lt_layout *l, const struct lt_settings *s,
		const struct lt_schedule *schedule, size_t *slots, struct lu_err *err)
{
	size_t last = SIZE_MAX;

	for (size_t c = 0; c < l->v; c++)
		slots[c] = 1;
	for (uint64_t batch = schedule->ramp_step ? schedule->ramp_start : schedule->batch;
			batch <= schedule->batch;) {
		size_t micros = micros_of(l, s, batch);

		if (micros != last && add_slots(l, micros, slots, err) < 0)
			return -1;
		last = micros;
		batch += schedule->ramp_step ? schedule->ramp_step : 1;
	}
	return 0;
}

int lt_step_plan(const struct lt_layout *l, const struct lt_settings *s,
		const struct lt_schedule *schedule, size_t *slots, struct lt_model_plan *plan,
		struct lu_err *err)
{
	if (count_slots(l, s, schedule, slots, err) < 0)
		return -1;
	*plan = (struct lt_model_plan){ .objective = lt_settings_objective(s),
		.batch = (size_t)s->train.micro_batch,
		.context = (size_t)s->train.context,
		.mode = LT_MODEL_TRAIN,
		.recompute = s->parallel.recompute,
		.attention = s->train.attention,
		.fast = s->parallel.equality == LT_EQUAL_FAST,
		.slots = slots,
		.tp = l->group[LT_TP],
		.sequence = l->sequence };
	return 0;
}

/* The schedule of a number of micro-batches, made and checked at its first use. */
static int find_pipeline(struct lt_step *e, size_t micros, const struct lt_pipeline **out,
		struct lu_err *err)
{
	struct lt_pipeline p;

	for (size_t i = 0; i < e->pipeline.n; i++) {
		*out = &e->pipeline.p[i];
		if ((*out)->micros == micros)
			return 0;
	}
	if (lt_pipeline_make(&p, e->layout->mesh.size[LT_PP], e->layout->v, micros, err) < 0)
		return -1;
	if (lt_pipeline_check(&p, NULL, err) < 0) {
		lt_pipeline_release(&p);
		return -1;
	}
	if (!lu_vec_push(&e->pipeline, p)) {
		lt_pipeline_release(&p);
		return lu_err_nomem(err);
	}
	*out = &e->pipeline.p[e->pipeline.n - 1];
	return 0;
}

/* --- opening ----------------------------------------------------------------------------------- */

static int open_ring(struct lt_step *e, size_t n, size_t sequences, struct lu_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct loaded l = { .micro = SIZE_MAX };

		if (lt_micro_open(&l.m, &e->want, e->rows, sequences, err) < 0)
			return -1;
		if (!lu_vec_push(&e->loaded, l)) {
			lt_micro_release(&l.m);
			return lu_err_nomem(err);
		}
	}
	return 0;
}

static int open_buffers(struct lt_step *e, const struct lt_schedule *schedule,
		const struct lt_settings *s, struct lu_err *err)
{
	size_t v = e->layout->v, in_flight = 1;

	for (size_t c = 0; c < v; c++) {
		e->most_slots = e->slots[c] > e->most_slots ? e->slots[c] : e->most_slots;
		in_flight += e->slots[c];
	}
	e->out = calloc(v * e->most_slots, sizeof(*e->out));
	if (!e->out)
		return lu_err_nomem(err);
	e->micros_max = (size_t)(schedule->batch / s->train.micro_batch);
	e->sums = e->w->ops->alloc(e->q, LK_SUMS * e->micros_max * sizeof(*e->sums));
	if (!e->sums)
		return lt_queue_err(e->w->ops, e->q, err);
	return open_ring(e, in_flight, (size_t)s->train.micro_batch, err);
}

int lt_step_open(struct lt_step **out, const struct lt_layout *layout, struct lt_weights *w,
		const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_micro_want *want, lt_load_fn *load, void *ctx, struct lu_err *err)
{
	struct lt_groups groups = lt_layout_groups(layout);
	struct lt_step *e = calloc(1, sizeof(*e));
	struct lt_model_hooks hooks;
	struct lt_model_plan plan;

	*out = NULL;
	if (!e)
		return lu_err_nomem(err);
	e->layout = layout;
	e->w = w;
	e->q = w->q;
	e->load = load;
	e->ctx = ctx;
	e->want = *want;
	e->rows = (size_t)(s->train.micro_batch * s->train.context);
	e->slots = calloc(layout->v + 1, sizeof(*e->slots));
	if (!e->slots) {
		lu_err_nomem(err);
		goto fail;
	}
	if (lt_step_plan(layout, s, schedule, e->slots, &plan, err) < 0)
		goto fail;
	plan.head_rows = lt_backend_head_rows(w->ops);
	if (lt_model_open(&e->model, w, &plan, err) < 0 ||
			lt_optimizer_open(&e->optimizer, w, &groups, err) < 0 ||
			open_buffers(e, schedule, s, err) < 0)
		goto fail;
	e->width = lt_model_rows(e->model) * w->table.shape.hidden;
	hooks = (struct lt_model_hooks){ e->optimizer, lt_optimizer_need, lt_optimizer_ready };
	lt_model_hook(e->model, &hooks);
	*out = e;
	return 0;
fail:
	lt_step_close(e);
	return -1;
}

void lt_step_close(struct lt_step *e)
{
	if (!e)
		return;
	/* After a failure activations and gradients may still be on their way. */
	lt_comm_settle(e->layout->comm);
	for (size_t i = 0; i < e->pipeline.n; i++)
		lt_pipeline_release(&e->pipeline.p[i]);
	lu_vec_release(&e->pipeline);
	for (size_t i = 0; i < e->loaded.n; i++)
		lt_micro_release(&e->loaded.p[i].m);
	lu_vec_release(&e->loaded);
	lt_optimizer_close(e->optimizer);
	lt_model_close(e->model);
	if (e->sums)
		e->w->ops->free(e->q, e->sums);
	free(e->slots);
	free(e->out);
	free(e);
}

/* --- a micro-batch ----------------------------------------------------------------------------- */

static struct lt_batch batch_of(const struct lt_step *e, const struct lt_micro *m)
{
	return (struct lt_batch){ .ids = m->ids,
		.labels = m->labels,
		.weight = m->weight,
		.places = m->places,
		.reference = m->reference,
		.top = m->top,
		.top_logp = m->top_logp,
		.top_n = e->want.top_n };
}

/* The host's copy of this rank's i-th micro-batch of the step. They are loaded in order, and the ring
 * has room for all that are between their first forward and their last backward pass. */
static int fetch(struct lt_step *e, size_t i, struct lt_batch *batch, struct lu_err *err)
{
	size_t vocab = e->w->table.shape.vocab;
	double start = lu_clock();
	struct loaded *l;

	for (size_t k = 0; k < e->loaded.n; k++) {
		*batch = batch_of(e, &e->loaded.p[k].m);
		if (e->loaded.p[k].micro == i)
			return 0;
	}
	l = &e->loaded.p[e->turn++ % e->loaded.n];
	l->micro = SIZE_MAX;
	*batch = batch_of(e, &l->m);
	if (e->load(e->ctx, &l->m, err) < 0 ||
			lt_batch_check(batch, e->rows, SIZE_MAX, vocab, err) < 0)
		return -1;
	l->micro = i;
	e->data_seconds += lu_clock() - start;
	return 0;
}

/* True if a pass of a chunk reads the micro-batch: ids at the embedding, places in every forward pass,
 * labels at the head. */
static bool reads(const struct lt_step *e, const struct lt_action *a)
{
	size_t last = e->layout->mesh.size[LT_PP] * e->layout->v - 1;

	if (a->kind == LT_BACKWARD)
		return a->chunk == last;
	return e->want.places || a->chunk == 0;
}

/* --- actions ----------------------------------------------------------------------------------- */

static struct lt_pending **output_of(struct lt_step *e, size_t chunk, size_t slot)
{
	return &e->out[chunk * e->most_slots + slot];
}

/* Take the next buffer for gradients; those before may still be on their way. */
static int next_gradient(struct lt_step *e, size_t *i, struct lu_err *err)
{
	*i = ++e->taken % LT_MODEL_GRADIENTS;
	return lt_comm_wait(e->layout->comm, e->q, &e->back[*i], err);
}

/* Receive what a chunk takes in, into its slot. */
static int receive_input(struct lt_step *e, const struct lt_action *a, struct lt_pending **pending,
		struct lu_err *err)
{
	size_t chunk = a->chunk / e->layout->mesh.size[LT_PP];

	return lt_recv(e->layout->group[LT_PP], e->q, a->peer,
			lt_model_input(e->model, chunk, a->slot), e->width, LT_ACTS, pending, err);
}

/* Receive the gradient of what a chunk put out, into buffer *i. */
static int receive_gradient(struct lt_step *e, const struct lt_action *a, size_t *i,
		struct lt_pending **pending, struct lu_err *err)
{
	if (next_gradient(e, i, err) < 0)
		return -1;
	return lt_recv(e->layout->group[LT_PP], e->q, a->peer, lt_model_gradient(e->model, *i),
			e->width, LT_ACTS, pending, err);
}

static bool is_pass(const struct lt_action *a)
{
	return a->kind == LT_FORWARD || a->kind == LT_BACKWARD;
}

/*
 * Before the device begins pass i, let it begin to receive what is needed after the pass, unless that
 * goes where the pass works. Each direction between two stages has its own order, which stays.
 */
static int receive_early(
		struct lt_step *e, const struct lt_actions *list, size_t i, struct lu_err *err)
{
	const struct lt_action *pass = &list->p[i];

	if (!lt_comm_overlaps(e->layout->comm))
		return 0;
	for (size_t k = i + 1; k < list->n && !is_pass(&list->p[k]) && e->earlies < EARLY; k++) {
		const struct lt_action *a = &list->p[k];
		struct early *early = &e->early[e->earlies];
		int rc;

		if (a->kind != LT_RECV_FORWARD && a->kind != LT_RECV_BACKWARD)
			continue;
		if (a->kind == LT_RECV_FORWARD && a->chunk == pass->chunk && a->slot == pass->slot)
			break;
		*early = (struct early){ .action = a };
		if (a->kind == LT_RECV_FORWARD)
			rc = receive_input(e, a, &early->pending, err);
		else
			rc = receive_gradient(e, a, &early->gradient, &early->pending, err);
		if (rc < 0)
			return -1;
		e->earlies++;
	}
	return 0;
}

/* A message whose turn it is: 1 if it was received early and is there, 0 if not. */
static int take_early(struct lt_step *e, const struct lt_action *a, struct lu_err *err)
{
	for (size_t i = 0; i < e->earlies; i++) {
		struct early *early = &e->early[i];

		if (early->action != a)
			continue;
		if (lt_comm_wait(e->layout->comm, e->q, &early->pending, err) < 0)
			return -1;
		if (a->kind == LT_RECV_BACKWARD)
			e->gradient = early->gradient;
		*early = e->early[--e->earlies];
		return 1;
	}
	return 0;
}

static int forward(struct lt_step *e, const struct lt_action *a, size_t chunk, struct lu_err *err)
{
	struct lt_batch batch = { 0 };

	if (reads(e, a) && fetch(e, (size_t)a->micro, &batch, err) < 0)
		return -1;
	if (lt_comm_wait(e->layout->comm, e->q, output_of(e, chunk, a->slot), err) < 0)
		return -1;
	return lt_model_forward(e->model, chunk, a->slot, &batch, err);
}

static int backward(struct lt_step *e, const struct lt_action *a, size_t chunk, struct lu_err *err)
{
	size_t lanes = e->w->holding.lanes, i = (size_t)a->micro;
	struct lt_pass pass = { .lane = i % lanes,
		.micro = lt_layout_micro(e->layout, i),
		.first = i < lanes,
		.last = i + 1 == e->micros,
		.sums = e->sums + lt_layout_micro(e->layout, i),
		.stride = e->what->micros };
	size_t chunks = e->layout->mesh.size[LT_PP] * e->layout->v;
	struct lt_batch batch = { 0 };

	if (reads(e, a) && fetch(e, i, &batch, err) < 0)
		return -1;
	/* Elsewhere the gradient has been received into the buffer. */
	if (a->chunk + 1 == chunks && next_gradient(e, &e->gradient, err) < 0)
		return -1;
	return lt_model_backward(e->model, chunk, a->slot, &batch,
			lt_model_gradient(e->model, e->gradient), &pass, err);
}

static int act(struct lt_step *e, const struct lt_action *a, struct lu_err *err)
{
	struct lt_group *pp = e->layout->group[LT_PP];
	size_t chunk = a->chunk / e->layout->mesh.size[LT_PP];
	lk_act *dx;
	int there;

	switch (a->kind) {
	case LT_RECV_FORWARD:
		there = take_early(e, a, err);
		return there ? (there < 0 ? -1 : 0) : receive_input(e, a, NULL, err);
	case LT_FORWARD: return forward(e, a, chunk, err);
	case LT_SEND_FORWARD:
		return lt_send(pp, e->q, a->peer, lt_model_output(e->model, chunk, a->slot),
				e->width, LT_ACTS, output_of(e, chunk, a->slot), err);
	case LT_RECV_BACKWARD:
		there = take_early(e, a, err);
		return there ? (there < 0 ? -1 : 0)
			     : receive_gradient(e, a, &e->gradient, NULL, err);
	case LT_BACKWARD: return backward(e, a, chunk, err);
	case LT_SEND_BACKWARD:
		dx = lt_model_gradient(e->model, e->gradient);
		return lt_send(pp, e->q, a->peer, dx, e->width, LT_ACTS, &e->back[e->gradient],
				err);
	}
	return lu_err_set(err, "an action of unknown kind");
}

/* Wait for everything that is being sent. */
static int drain(struct lt_step *e, struct lu_err *err)
{
	for (size_t i = 0; i < e->layout->v * e->most_slots; i++) {
		if (lt_comm_wait(e->layout->comm, e->q, &e->out[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < LT_MODEL_GRADIENTS; i++) {
		if (lt_comm_wait(e->layout->comm, e->q, &e->back[i], err) < 0)
			return -1;
	}
	return 0;
}

static int run(struct lt_step *e, const struct lt_actions *list, struct lu_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		char text[160];

		lt_action_text(&list->p[i], text, sizeof(text));
		lt_comm_at(e->layout->comm, "step %llu, %s", (unsigned long long)e->what->number,
				text);
		e->w->ops->range_begin(e->q, text);
		if ((is_pass(&list->p[i]) && receive_early(e, list, i, err) < 0) ||
				act(e, &list->p[i], err) < 0)
			return -1;
		e->w->ops->range_end(e->q);
	}
	return drain(e, err);
}

int lt_step_train(struct lt_step *e, const struct lt_hyper *h, const struct lt_step_what *what,
		struct lt_update *update, struct lu_err *err)
{
	const struct lk_ops *ops = e->w->ops;
	const struct lt_pipeline *p = NULL;
	int rc;

	LU_ASSERT(what->micros <= e->micros_max);
	e->what = what;
	e->micros = lt_layout_micros(e->layout, what->micros);
	e->data_seconds = 0;
	for (size_t i = 0; i < e->loaded.n; i++)
		e->loaded.p[i].micro = SIZE_MAX;
	if (find_pipeline(e, e->micros, &p, err) < 0 ||
			lt_optimizer_begin(e->optimizer, h, what->lr, what->updates + 1, e->micros,
					err) < 0)
		return -1;
	if (ops->zero(e->q, e->sums, LK_SUMS * what->micros * sizeof(*e->sums)) < 0)
		return lt_queue_err(ops, e->q, err);
	ops->range_begin(e->q, "step");
	if (run(e, &p->stage[e->layout->at[LT_PP]], err) < 0)
		return -1;
	lt_comm_at(e->layout->comm, "step %llu, update", (unsigned long long)what->number);
	ops->range_begin(e->q, "update");
	rc = lt_optimizer_update(e->optimizer, h, e->sums, what->micros, update, err);
	ops->range_end(e->q);
	ops->range_end(e->q);
	return rc;
}

/* --- forward only ------------------------------------------------------------------------------ */

int lt_step_score(struct lt_step *e, const struct lt_batch *batch, lk_real *log_p, bool *here,
		struct lu_err *err)
{
	const struct lt_layout *l = e->layout;
	size_t pp = l->mesh.size[LT_PP], at = l->at[LT_PP], chunks = pp * l->v;

	*here = false;
	for (size_t c = 0; c < l->v; c++) {
		size_t chunk = c * pp + at;
		lk_act *in = lt_model_input(e->model, c, 0);
		lk_act *out = lt_model_output(e->model, c, 0);

		lt_comm_at(l->comm, "validation, chunk %zu", chunk);
		if (chunk > 0 && pp > 1 &&
				lt_recv(l->group[LT_PP], e->q, (at + pp - 1) % pp, in, e->width,
						LT_ACTS, NULL, err) < 0)
			return -1;
		if (lt_comm_wait(l->comm, e->q, output_of(e, c, 0), err) < 0 ||
				lt_model_forward(e->model, c, 0, batch, err) < 0)
			return -1;
		*here = chunk + 1 == chunks;
		if (*here)
			return lt_model_log_p(e->model, c, 0, batch, log_p, err);
		if (lt_send(l->group[LT_PP], e->q, (at + 1) % pp, out, e->width, LT_ACTS,
				    output_of(e, c, 0), err) < 0)
			return -1;
	}
	return 0;
}

int lt_step_score_again(struct lt_step *e, const struct lt_batch *batch, lk_real *log_p, bool *here,
		struct lu_err *err)
{
	const struct lt_layout *l = e->layout;

	*here = l->at[LT_PP] + 1 == l->mesh.size[LT_PP];
	return *here ? lt_model_log_p(e->model, l->v - 1, 0, batch, log_p, err) : 0;
}

int lt_step_sum(struct lt_step *e, double *x, size_t n, struct lu_err *err)
{
	static const enum lt_axis axes[] = { LT_DP, LT_PP };
	const struct lk_ops *ops = e->w->ops;
	size_t bytes = n * sizeof(*x);
	double *device = ops->alloc(e->q, bytes);
	int rc = device && ops->copy(e->q, device, x, bytes, LK_H2D) == 0
			? 0
			: lt_queue_err(ops, e->q, err);

	for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]) && rc == 0; i++) {
		struct lt_group *g = e->layout->group[axes[i]];

		if (g)
			rc = lt_all_reduce(g, e->q, device, n, LT_DOUBLES, NULL, err);
	}
	/* x is read before it is written. */
	if (rc == 0 &&
			(ops->sync(e->q) < 0 || ops->copy(e->q, x, device, bytes, LK_D2H) < 0 ||
					ops->sync(e->q) < 0))
		rc = lt_queue_err(ops, e->q, err);
	ops->free(e->q, device);
	return rc < 0 ? -1 : lt_comm_check(e->layout->comm, err);
}

int lt_step_settle(struct lt_step *e, struct lu_err *err)
{
	if (drain(e, err) < 0)
		return -1;
	return lt_optimizer_settle(e->optimizer, err);
}

double lt_step_data_seconds(const struct lt_step *e)
{
	return e->data_seconds;
}
