#include "trainer/model/model.h"
#include "trainer/model/low_memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trainer/model/ends.h"
#include "trainer/model/kv_cache.h"
#include "trainer/model/layer.h"
#include "trainer/model/rotary.h"
#include "trainer/model/upload.h"

/* Logits per block of the head: enough rows for products at full speed, in little memory. */
#define HEAD_LOGITS ((size_t)1 << 23)

/* Tokens that are decoded at once, unless the plan says: products of that many rows run at nearly full
 * speed, and activations stay small beside a cache. */
#define DECODE_ROWS 256

/* --- memory ------------------------------------------------------------------------------------ */

/* What pointers point to while memory is only counted. */
static _Alignas(64) char nowhere[64];

/* Allocate n elements; on failure returns NULL and sets m->failed. */
static void *alloc(struct lt_model *m, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		m->failed = true;
	if (m->failed)
		return NULL;
	m->bytes += bytes;
	if (m->count_only)
		return nowhere;
	LU_ASSERT(m->n_owned < m->max_owned);
	p = m->ops->alloc(m->q, bytes);
	if (!p)
		m->failed = true;
	else
		m->owned[m->n_owned++] = p;
	return p;
}

/* rows * width elements. */
static void *alloc_rows(struct lt_model *m, size_t rows, size_t width, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(rows, width, &n)) {
		m->failed = true;
		return NULL;
	}
	return alloc(m, n, size);
}

static lk_act *alloc_acts(struct lt_model *m, size_t rows, size_t width)
{
	return alloc_rows(m, rows, width, m->ops->act_size);
}

/* The outputs of the norms are shared by all layers if they are computed again. */
static void alloc_norms(struct lt_model *m, struct lt_acts *a, const struct lt_acts *shared)
{
	bool again = m->plan.recompute == LT_RECOMPUTE_NORMS;

	a->n1 = again && shared ? shared->n1 : alloc_acts(m, m->share, m->s.hidden);
	a->n2 = again ? a->n1 : alloc_acts(m, m->share, m->s.hidden);
}

static void alloc_layer(struct lt_model *m, struct lt_acts *a, const struct lt_acts *shared)
{
	const struct lt_shape *s = &m->s;

	alloc_norms(m, a, shared);
	a->qkv = alloc_acts(m, m->rows, m->qkv_width);
	a->o = alloc_acts(m, m->rows, s->heads * s->dim);
	a->gate_up = alloc_acts(m, m->rows, 2 * s->ffn);
	a->rstd1 = alloc_rows(m, m->share, 1, sizeof(lk_real));
	a->rstd2 = alloc_rows(m, m->share, 1, sizeof(lk_real));
	a->lse = alloc_rows(m, m->rows, s->heads, sizeof(lk_real));
}

/* Keys and values of a layer, for decoding. */
static lk_act *alloc_cache(struct lt_model *m)
{
	size_t tokens;

	if (__builtin_mul_overflow(m->plan.batch, m->plan.context, &tokens)) {
		m->failed = true;
		return NULL;
	}
	return alloc_acts(m, tokens, 2 * m->s.kv_heads * m->s.dim);
}

/*
 * TRAIN: every layer of a slot has its own activations, or with recomputation only its own x (LAYER)
 * or all but n1 and n2 (NORMS), and shares the rest with the first layer of all. SCORE and DECODE: all
 * layers share everything, x2 and the output being x; in DECODE each has a cache besides.
 */
static void alloc_slot(struct lt_model *m, struct lt_slot *slot, size_t layers,
		const struct lt_acts *shared)
{
	bool train = m->plan.mode == LT_MODEL_TRAIN;
	size_t h = m->s.hidden;

	for (size_t l = 0; l < layers; l++) {
		struct lt_acts *a = &slot->acts[l];
		bool own = !shared || (train && m->plan.recompute != LT_RECOMPUTE_LAYER);

		if (own)
			alloc_layer(m, a, shared);
		else
			*a = *shared;
		if (m->plan.mode == LT_MODEL_DECODE)
			a->kv = alloc_cache(m);
		if (train || !shared)
			a->x = alloc_acts(m, m->share, h);
		if (!train)
			a->x2 = a->x;
		else if (own)
			a->x2 = alloc_acts(m, m->share, h);
		if (!shared)
			shared = a;
	}
	slot->out = train ? alloc_acts(m, m->share, h) : slot->acts[0].x;
	slot->ids = alloc_rows(m, m->rows, 1, sizeof(*slot->ids));
	slot->places = alloc_rows(m, m->rows, 1, sizeof(*slot->places));
}

/* The sorted ids of a slot of the chunk with the embedding. */
static void alloc_sorted(struct lt_model *m, struct lt_slot *slot)
{
	size_t n = 3 * m->rows + 1;
	uint32_t *device = alloc(m, n, sizeof(*device));

	slot->sorted = (struct lk_ids){ device, device + m->rows, device + 2 * m->rows + 1, 0,
		m->rows };
}

/* What the head needs besides logits and log p. */
static void alloc_objective(struct lt_model *m, size_t block)
{
	const struct lt_objective *o = &m->plan.objective;
	size_t width = 3 + o->top, real = sizeof(lk_real);

	if (m->tp > 1 || o->top)
		m->stats = alloc_rows(m, m->tp * width, block, real);
	/* dpo() needs all rows of log p before the first gradient. */
	if (m->tp > 1)
		m->merged = alloc_rows(m, width, o->dpo ? m->rows : block, real);
	else
		m->merged = m->stats;
	if (o->dpo)
		m->reference = alloc(m, m->plan.batch, sizeof(*m->reference));
	if (o->top) {
		m->top = alloc_rows(m, m->rows, o->top, sizeof(*m->top));
		m->top_logp = alloc_rows(m, m->rows, o->top, real);
	}
}

static void alloc_common(struct lt_model *m)
{
	const struct lt_shape *s = &m->s;
	const struct lt_table *t = &m->w->table;
	size_t r = m->rows, block = m->plan.head_rows, real = sizeof(lk_real);
	bool train = m->plan.mode == LT_MODEL_TRAIN;

	m->rope = alloc_rows(m, m->plan.context, s->dim, real);
	m->t = alloc_acts(m, r, s->hidden);
	if (m->tp > 1 && m->plan.sequence)
		m->full = alloc_acts(m, r, s->hidden);
	m->y = alloc_acts(m, r, s->ffn);
	if (lt_table_has_head(t)) {
		m->labels = alloc_rows(m, r, 1, sizeof(*m->labels));
		m->weight = alloc_rows(m, r, 1, real);
		m->log_p = alloc_rows(m, r, 1, real);
		m->rstd = alloc_rows(m, m->share, 1, real);
		m->n = alloc_acts(m, m->share, s->hidden);
		m->logits = alloc_rows(m, block, s->vocab, real);
		m->dlogits = m->logits;
		if (m->ops->act == LK_BF16)
			m->dlogits = alloc_acts(m, block, s->vocab);
		alloc_objective(m, block);
	}
	if (!train)
		return;
	m->dqkv = alloc_acts(m, r, m->qkv_width);
	m->dout = alloc_acts(m, r, s->heads * s->dim);
	for (size_t i = 0; i < LT_MODEL_GRADIENTS; i++)
		m->gradient[i] = alloc_acts(m, m->share, s->hidden);
}

static size_t slots_of(const struct lt_model *m, size_t chunk)
{
	return m->plan.slots ? m->plan.slots[chunk] : 1;
}

/* Arrays on the host that the allocations are noted in. */
static int make_lists(struct lt_model *m)
{
	const struct lt_table *t = &m->w->table;

	m->max_owned = 40;
	m->slot = calloc(t->chunks + 1, sizeof(*m->slot));
	m->bound = calloc(m->tp + 1, sizeof(*m->bound));
	m->stats_bound = calloc(m->tp + 1, sizeof(*m->stats_bound));
	if (!m->slot || !m->bound || !m->stats_bound)
		return -1;
	for (size_t c = 0; c < t->chunks; c++) {
		m->slot[c] = calloc(slots_of(m, c) + 1, sizeof(**m->slot));
		if (!m->slot[c])
			return -1;
		for (size_t i = 0; i < slots_of(m, c); i++) {
			m->slot[c][i].acts = calloc(t->chunk[c].n + 1, sizeof(struct lt_acts));
			if (!m->slot[c][i].acts)
				return -1;
			m->max_owned += 10 * t->chunk[c].n + 10;
		}
	}
	m->owned = calloc(m->max_owned, sizeof(*m->owned));
	for (size_t i = 0; i <= m->tp; i++)
		m->bound[i] = i * (m->rows / m->tp) * m->s.hidden;
	return m->owned ? 0 : -1;
}

static void alloc_all(struct lt_model *m)
{
	const struct lt_table *t = &m->w->table;
	const struct lt_acts *shared = NULL;

	for (size_t c = 0; c < t->chunks; c++) {
		for (size_t i = 0; i < slots_of(m, c); i++) {
			alloc_slot(m, &m->slot[c][i], t->chunk[c].n, shared);
			if (t->chunk[c].first == 0 && m->plan.mode == LT_MODEL_TRAIN)
				alloc_sorted(m, &m->slot[c][i]);
			if (t->chunk[c].n)
				shared = &m->slot[0][0].acts[0];
		}
	}
	alloc_common(m);
}

static int set_sizes(struct lt_model *m, struct lt_weights *w, const struct lt_model_plan *plan,
		struct lu_err *err)
{
	m->w = w;
	m->ops = w->ops;
	m->q = w->q;
	m->plan = *plan;
	m->s = lt_table_local(&w->table);
	m->tp = w->table.tp_size;
	m->tp_rank = w->table.tp_rank;
	m->plan.sequence = plan->sequence && m->tp > 1;
	if (__builtin_mul_overflow(plan->batch, plan->context, &m->rows))
		return lu_err_set(err, "%zu x %zu tokens are too many", plan->batch, plan->context);
	if (plan->mode == LT_MODEL_DECODE)
		m->rows = plan->rows ? plan->rows : m->rows < DECODE_ROWS ? m->rows : DECODE_ROWS;
	m->share = m->plan.sequence ? m->rows / m->tp : m->rows;
	if (m->plan.sequence && m->rows % m->tp)
		return lu_err_set(err,
				"parallel.sequence: a micro-batch of %zu x %zu tokens is not a "
				"multiple of parallel.tp = %zu",
				plan->batch, plan->context, m->tp);
	m->share_at = m->plan.sequence ? m->tp_rank * m->share : 0;
	m->qkv_width = (m->s.heads + 2 * m->s.kv_heads) * m->s.dim;
	if (m->plan.head_rows == 0)
		/* Cuts the sum of the head's gradient: a function of the vocabulary only. */
		m->plan.head_rows = HEAD_LOGITS / w->table.shape.vocab / 64 * 64;
	if (m->plan.head_rows == 0)
		m->plan.head_rows = 64;
	if (m->plan.head_rows > m->rows)
		m->plan.head_rows = m->rows;
	return 0;
}

/* Let every operation of a step note the work space it needs. */
static int measure(struct lt_model *m, struct lu_err *err)
{
	const struct lt_pass pass = { .first = true, .sums = (double *)nowhere };
	const struct lt_batch none = { 0 };
	int rc = 0;

	m->measuring = true;
	if (m->ops->measure(m->q, 1) < 0)
		return lt_queue_err(m->ops, m->q, err);
	for (size_t c = 0; c < m->w->table.chunks && rc == 0; c++) {
		rc = lt_model_forward(m, c, 0, &none, err);
		if (rc == 0)
			rc = lt_model_backward(m, c, 0, &none, (lk_act *)nowhere, &pass, err);
	}
	m->measuring = false;
	return rc;
}

static void close_lists(struct lt_model *m)
{
	for (size_t c = 0; m->slot && m->slot[c]; c++) {
		for (size_t i = 0; m->slot[c][i].acts; i++) {
			free(m->slot[c][i].acts);
		}
		free(m->slot[c]);
	}
	free(m->slot);
	free(m->bound);
	free(m->stats_bound);
	free(m->owned);
}

/* Tell the queue of a GPU which attention to use. */
static int choose(const struct lt_weights *w, const struct lt_model_plan *plan, struct lu_err *err)
{
	if (!lt_model_on_gpu(w->ops) || lk_cuda_choose(w->q, plan->attention, !plan->fast) == 0)
		return 0;
	return lt_queue_err(w->ops, w->q, err);
}

int lt_model_count(const struct lt_table *t, const struct lk_ops *ops, int device,
		const struct lt_model_plan *plan, uint64_t *bytes, uint64_t *workspace,
		struct lu_err *err)
{
	struct lt_matrix *matrix = calloc(t->shape.layers * LT_LAYER_MATRICES + 1, sizeof(*matrix));
	struct lt_weights w = { .ops = ops, .table = *t, .matrix = matrix, .act = nowhere };
	struct lt_model m = { .count_only = true };
	struct lk_err kerr;
	int rc = -1;

	for (int i = 0; i < LT_VECTORS; i++)
		w.vector[i] = (lk_real *)nowhere;
	w.grad = (lk_real *)nowhere;
	*workspace = 0;
	if (!matrix) {
		lu_err_nomem(err);
	} else if (ops->open && ops->open(&w.q, device, &kerr) < 0) {
		lu_err_set(err, "%s", kerr.msg);
	} else if (choose(&w, plan, err) == 0 && set_sizes(&m, &w, plan, err) == 0) {
		lt_weights_list(&w);
		if (make_lists(&m) < 0)
			lu_err_nomem(err);
		else
			rc = 0;
	}
	if (rc == 0) {
		alloc_all(&m);
		if (m.failed)
			rc = lu_err_set(err, "%zu x %zu tokens are too many", plan->batch,
					plan->context);
		else if (plan->mode == LT_MODEL_TRAIN && ops->open)
			rc = measure(&m, err);
		*bytes = m.bytes;
		if (ops->open)
			*workspace = ops->workspace(w.q);
	}
	close_lists(&m);
	if (ops->open)
		ops->close(w.q);
	free(matrix);
	return rc;
}

static int open_rope(struct lt_model *m, struct lu_err *err)
{
	size_t half = m->s.dim / 2;
	double *freq = malloc((half + 1) * sizeof(*freq));
	int rc;

	if (!freq)
		return lu_err_nomem(err);
	lt_rope_frequencies(&m->s, freq);
	rc = m->ops->rope_table(m->q, m->rope, 0, m->plan.context, m->s.dim, freq);
	free(freq);
	return rc < 0 ? lt_queue_err(m->ops, m->q, err) : 0;
}

int lt_model_open(struct lt_model **out, struct lt_weights *w, const struct lt_model_plan *plan,
		struct lu_err *err)
{
	struct lt_model *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return lu_err_nomem(err);
	if (choose(w, plan, err) < 0 || set_sizes(m, w, plan, err) < 0)
		goto fail;
	if (make_lists(m) < 0) {
		lu_err_nomem(err);
		goto fail;
	}
	alloc_all(m);
	if (m->failed) {
		lu_err_nomem(err);
		lu_err_wrap(err, "activations of %zu x %zu tokens: %" PRIu64 " bytes", plan->batch,
				plan->context, m->bytes);
		goto fail;
	}
	if (lt_staging_open(&m->staging, m->ops, m->q, lt_upload_bytes(m)) < 0) {
		lt_queue_err(m->ops, m->q, err);
		goto fail;
	}
	if (open_rope(m, err) < 0 || (plan->mode == LT_MODEL_DECODE && lt_decode_open(m, err) < 0))
		goto fail;
	if (plan->mode == LT_MODEL_TRAIN) {
		if (measure(m, err) < 0)
			goto fail;
		if (m->ops->measure(m->q, 0) < 0) {
			lt_queue_err(m->ops, m->q, err);
			goto fail;
		}
	}
	*out = m;
	return 0;
fail:
	lt_model_close(m);
	return -1;
}

void lt_model_close(struct lt_model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_owned; i++)
		m->ops->free(m->q, m->owned[i]);
	lt_staging_close(&m->staging);
	lt_decode_close(m);
	close_lists(m);
	free(m);
}

void lt_model_hook(struct lt_model *m, const struct lt_model_hooks *hooks)
{
	m->hooks = *hooks;
}

size_t lt_model_rows(const struct lt_model *m)
{
	return m->share;
}

lk_act *lt_model_input(const struct lt_model *m, size_t chunk, size_t slot)
{
	return m->slot[chunk][slot].acts[0].x;
}

lk_act *lt_model_output(const struct lt_model *m, size_t chunk, size_t slot)
{
	return m->slot[chunk][slot].out;
}

lk_act *lt_model_gradient(const struct lt_model *m, size_t i)
{
	return m->gradient[i];
}

/* --- a micro-batch ----------------------------------------------------------------------------- */

/* The queue's message, unless communication has failed. Returns -1. */
int lt_model_failed(struct lt_model *m, struct lu_err *err)
{
	if (!*m->err.msg)
		return lt_queue_err(m->ops, m->q, err);
	*err = m->err;
	return -1;
}

static int need(struct lt_model *m, size_t bucket)
{
	if (!m->hooks.need || m->measuring)
		return 0;
	return m->hooks.need(m->hooks.ctx, bucket, &m->err);
}

/* The gradients of a bucket are there, of this micro-batch. */
static int ready(struct lt_model *m, const struct lt_pass *pass, size_t bucket)
{
	if (m->w->holding.low &&
			lt_low_keep(m->w, bucket, pass->lane, pass->micro, !pass->first) < 0)
		return -1;
	if (!pass->last || !m->hooks.ready || m->measuring)
		return 0;
	return m->hooks.ready(m->hooks.ctx, bucket, &m->err);
}

/* Embedding, if it is here, and the layers of a chunk, into slot->out. */
int lt_chunk_forward(
		struct lt_model *m, size_t chunk, struct lt_slot *slot, const struct lt_span *at)
{
	const struct lt_table *t = &m->w->table;
	const struct lt_chunk *c = &t->chunk[chunk];
	size_t rows = at->batch * at->t, share = m->tp == 1 ? rows : m->share;
	struct lt_acts *a = slot->acts;
	lk_act *d = NULL;

	if (c->first == 0 &&
			(need(m, lt_bucket_of_embed(t)) < 0 ||
					lt_embed_forward(m, slot->ids, a[0].x, rows) < 0))
		return -1;
	for (size_t i = 0; i < c->n; i++) {
		size_t l = c->first + i;

		lt_range_begin(m, "forward", l);
		if (need(m, lt_bucket_of_layer(t, l)) < 0 ||
				lt_layer_forward(m, l, &a[i], i ? &a[i - 1] : NULL, at) < 0 ||
				!(d = lt_layer_finish(m, l, &a[i], at)))
			return -1;
		m->ops->range_end(m->q);
	}
	return m->ops->add(m->q, slot->out, a[c->n - 1].x2, d, share * m->s.hidden);
}

static struct lt_span whole(const struct lt_model *m, const struct lt_slot *slot)
{
	return (struct lt_span){ .batch = m->plan.batch,
		.t = m->plan.context,
		.places = slot->documents ? slot->places : NULL };
}

int lt_model_forward(struct lt_model *m, size_t chunk, size_t slot, const struct lt_batch *batch,
		struct lu_err *err)
{
	struct lt_slot *s = &m->slot[chunk][slot];
	bool embed = m->w->table.chunk[chunk].first == 0;
	struct lt_span at;

	if (lt_upload_inputs(m, s, batch, embed, m->rows) < 0)
		return lt_model_failed(m, err);
	at = whole(m, s);
	return lt_chunk_forward(m, chunk, s, &at) < 0 ? lt_model_failed(m, err) : 0;
}

static bool has_head(const struct lt_model *m, size_t chunk)
{
	const struct lt_chunk *c = &m->w->table.chunk[chunk];

	return c->first + c->n == m->w->table.shape.layers;
}

static lk_real *gradient(const struct lt_model *m, const struct lt_pass *pass, size_t bucket)
{
	return lt_weights_gradient(m->w, pass->lane, bucket);
}

static int chunk_backward(struct lt_model *m, size_t chunk, struct lt_slot *slot, lk_act *dx,
		const struct lt_pass *pass, bool weighted)
{
	const struct lt_table *t = &m->w->table;
	const struct lt_chunk *c = &t->chunk[chunk];
	struct lt_span at = whole(m, slot);
	/* In halves every micro-batch writes its gradients, and ready() adds them. */
	struct lt_pass own = *pass;

	own.first |= m->w->holding.low;

	if (has_head(m, chunk) &&
			(need(m, lt_bucket_of_head(t)) < 0 ||
					lt_head(m, slot->out, m->rows, dx, &own,
							gradient(m, pass, lt_bucket_of_head(t)),
							weighted) < 0 ||
					(!t->shape.tied &&
							ready(m, pass, lt_bucket_of_head(t)) < 0)))
		return -1;
	for (size_t i = c->n; i-- > 0;) {
		size_t l = c->first + i;

		lt_range_begin(m, "backward", l);
		if (m->plan.recompute == LT_RECOMPUTE_LAYER &&
				lt_layer_forward(m, l, &slot->acts[i], NULL, &at) < 0)
			return -1;
		if (lt_layer_backward(m, l, &slot->acts[i], &at, dx,
				    gradient(m, pass, lt_bucket_of_layer(t, l)), !own.first) < 0 ||
				ready(m, pass, lt_bucket_of_layer(t, l)) < 0)
			return -1;
		m->ops->range_end(m->q);
	}
	if (c->first > 0)
		return 0;
	if (lt_embed_backward(m, slot, dx, gradient(m, pass, lt_bucket_of_embed(t)), !own.first) <
			0)
		return -1;
	/* A shared matrix is complete only here; its norm is in another bucket. */
	if (t->shape.tied && ready(m, pass, lt_bucket_of_head(t)) < 0)
		return -1;
	return ready(m, pass, lt_bucket_of_embed(t));
}

int lt_model_backward(struct lt_model *m, size_t chunk, size_t slot, const struct lt_batch *batch,
		lk_act *dx, const struct lt_pass *pass, struct lu_err *err)
{
	struct lt_slot *s = &m->slot[chunk][slot];

	LU_ASSERT(m->plan.mode == LT_MODEL_TRAIN);
	if (has_head(m, chunk) && lt_upload_labels(m, batch, m->rows, pass) < 0)
		return lt_model_failed(m, err);
	if (chunk_backward(m, chunk, s, dx, pass, batch->weight != NULL) < 0)
		return lt_model_failed(m, err);
	return 0;
}

/* --- forward only ------------------------------------------------------------------------------ */

static int log_p(struct lt_model *m, struct lt_slot *s, const struct lt_batch *batch, size_t rows,
		lk_real *out)
{
	if (lt_upload_labels(m, batch, rows, NULL) < 0 ||
			need(m, lt_bucket_of_head(&m->w->table)) < 0 ||
			lt_head(m, s->out, rows, NULL, NULL, NULL, false) < 0 ||
			m->ops->copy(m->q, out, m->log_p, rows * sizeof(*out), LK_D2H) < 0)
		return -1;
	return m->ops->sync(m->q);
}

int lt_model_log_p(struct lt_model *m, size_t chunk, size_t slot, const struct lt_batch *batch,
		lk_real *out, struct lu_err *err)
{
	LU_ASSERT(has_head(m, chunk));
	return log_p(m, &m->slot[chunk][slot], batch, m->rows, out) < 0 ? lt_model_failed(m, err)
									: 0;
}

int lt_model_score(struct lt_model *m, const struct lt_batch *batch, size_t sequences, lk_real *out,
		struct lu_err *err)
{
	struct lt_slot *s = &m->slot[0][0];
	size_t rows = sequences * m->plan.context;
	struct lt_span at;

	LU_ASSERT(sequences <= m->plan.batch && m->plan.mode != LT_MODEL_DECODE && m->tp == 1);
	if (lt_upload_inputs(m, s, batch, true, rows) < 0)
		return lt_model_failed(m, err);
	at = whole(m, s);
	at.batch = sequences;
	if (lt_chunk_forward(m, 0, s, &at) < 0 || log_p(m, s, batch, rows, out) < 0)
		return lt_model_failed(m, err);
	return 0;
}
