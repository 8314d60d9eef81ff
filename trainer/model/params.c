#include "trainer/model/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"

struct builder {
	struct lt_table *t;
	bool overflow;
};

/* Number of partial sums of squares. */
static size_t norm_sums(size_t count)
{
	return (count + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK;
}

/* Append a tensor and return its offset. cols 0: a vector. layer < 0: not part of a layer. */
static size_t add(struct builder *b, long layer, const char *name, size_t rows, size_t cols,
		enum lt_split split, double std, bool held)
{
	struct lt_table *t = b->t;
	struct lt_param *p = &t->param[t->n++];
	size_t bytes;

	if (layer >= 0)
		snprintf(p->name, sizeof(p->name), "model.layers.%ld.%s.weight", layer, name);
	else
		snprintf(p->name, sizeof(p->name), "%s.weight", name);
	p->dims = cols ? 2 : 1;
	p->dim[0] = p->local[0] = rows;
	p->dim[1] = p->local[1] = cols;
	if (split == LT_SPLIT_ROWS)
		p->local[0] /= t->tp_size;
	else if (split == LT_SPLIT_COLS)
		p->local[1] /= t->tp_size;
	p->split = split;
	p->std = std;
	p->decay = cols != 0;
	p->offset = held ? t->total : LT_ELSEWHERE;
	p->norm = t->norms;
	if (!lu_mul_size(rows, cols ? cols : 1, &p->count) ||
			!lu_add_size(t->all, p->count, &t->all) ||
			!lu_mul_size(t->all, sizeof(double), &bytes))
		b->overflow = true;
	p->local_count = p->local[0] * (cols ? p->local[1] : 1);
	t->norms += norm_sums(p->local_count);
	if (held)
		t->total += p->local_count;
	return p->offset;
}

static bool holds_layer(const struct lt_table *t, size_t l)
{
	for (size_t i = 0; i < t->chunks; i++) {
		if (l >= t->chunk[i].first && l < t->chunk[i].first + t->chunk[i].n)
			return true;
	}
	return false;
}

static void add_layer(struct builder *b, size_t l, const struct lt_shape *s)
{
	double out_std = s->init_std / sqrt(2.0 * (double)s->layers);
	struct lt_layer_offsets *at = &b->t->layer[l];
	size_t q = s->heads * s->dim, kv = s->kv_heads * s->dim;
	bool held = holds_layer(b->t, l);
	long n = (long)l;

	at->norm1 = add(b, n, "input_layernorm", s->hidden, 0, LT_SPLIT_NONE, 0, held);
	at->qkv = add(b, n, "self_attn.q_proj", q, s->hidden, LT_SPLIT_ROWS, s->init_std, held);
	add(b, n, "self_attn.k_proj", kv, s->hidden, LT_SPLIT_ROWS, s->init_std, held);
	add(b, n, "self_attn.v_proj", kv, s->hidden, LT_SPLIT_ROWS, s->init_std, held);
	at->o = add(b, n, "self_attn.o_proj", s->hidden, q, LT_SPLIT_COLS, out_std, held);
	at->norm2 = add(b, n, "post_attention_layernorm", s->hidden, 0, LT_SPLIT_NONE, 0, held);
	at->gate_up = add(
			b, n, "mlp.gate_proj", s->ffn, s->hidden, LT_SPLIT_ROWS, s->init_std, held);
	add(b, n, "mlp.up_proj", s->ffn, s->hidden, LT_SPLIT_ROWS, s->init_std, held);
	at->down = add(b, n, "mlp.down_proj", s->hidden, s->ffn, LT_SPLIT_COLS, out_std, held);
}

/* Limits far beyond any model, so that products of two sizes cannot overflow. */
static int check_limits(const struct lt_shape *s, struct lu_err *err)
{
	const struct {
		const char *name;
		size_t value, limit;
	} sizes[] = {
		{ "vocab", s->vocab, (size_t)1 << 31 },
		{ "hidden", s->hidden, 1u << 24 },
		{ "layers", s->layers, 100000 },
		{ "heads", s->heads, 1u << 20 },
		{ "head_dim", s->dim, LK_ATTN_MAX_DIM },
		{ "ffn", s->ffn, 1u << 28 },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].value > sizes[i].limit)
			return lu_err_set(err, "the model is too large: %s = %zu, at most %zu",
					sizes[i].name, sizes[i].value, sizes[i].limit);
	}
	return 0;
}

/* Fail if the sizes do not divide by the number of tensor-parallel ranks. */
static int check_split(const struct lt_shape *s, size_t tp, struct lu_err *err)
{
	const struct {
		const char *name;
		size_t value;
	} sizes[] = {
		{ "heads", s->heads },
		{ "kv_heads", s->kv_heads },
		{ "ffn", s->ffn },
		{ "vocab", s->vocab },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].value % tp)
			return lu_err_set(err,
					"model.%s = %zu is not a multiple of parallel.tp = %zu",
					sizes[i].name, sizes[i].value, tp);
	}
	return 0;
}

static int copy_place(struct lt_table *t, const struct lt_place *place, struct lu_err *err)
{
	const struct lt_chunk all = { 0, t->shape.layers };
	const struct lt_place whole = { 0, 1, &all, 1 };

	if (!place)
		place = &whole;
	t->tp_rank = place->tp_rank;
	t->tp_size = place->tp_size;
	t->chunk = calloc(place->chunks + 1, sizeof(*t->chunk));
	if (!t->chunk)
		return lu_err_nomem(err);
	for (size_t i = 0; i < place->chunks; i++)
		t->chunk[t->chunks++] = place->chunk[i];
	return check_split(&t->shape, t->tp_size, err);
}

static void add_bucket(struct lt_table *t, size_t param, size_t params)
{
	struct lt_bucket *b = &t->bucket[t->buckets];

	*b = (struct lt_bucket){ .param = param };
	for (size_t i = param; i < param + params; i++) {
		if (t->param[i].offset == LT_ELSEWHERE)
			continue;
		if (b->params++ == 0)
			b->offset = t->param[i].offset;
		b->count += t->param[i].local_count;
	}
	if (b->params)
		t->buckets++;
}

static void add_buckets(struct lt_table *t)
{
	size_t layers = t->shape.layers;

	add_bucket(t, 0, 1);
	for (size_t l = 0; l < layers; l++)
		add_bucket(t, 1 + 9 * l, 9);
	add_bucket(t, 1 + 9 * layers, t->shape.tied ? 1 : 2);
}

int lt_table_build(struct lt_table *t, const struct lt_shape *shape, const struct lt_place *place,
		struct lu_err *err)
{
	struct builder b = { .t = t };
	bool embed, head;

	*t = (struct lt_table){ .shape = *shape };
	if (check_limits(shape, err) < 0 || copy_place(t, place, err) < 0) {
		lt_table_release(t);
		return -1;
	}
	t->param = calloc(9 * shape->layers + 3, sizeof(*t->param));
	t->layer = calloc(shape->layers + 1, sizeof(*t->layer));
	t->bucket = calloc(shape->layers + 2, sizeof(*t->bucket));
	if (!t->param || !t->layer || !t->bucket) {
		lt_table_release(t);
		return lu_err_nomem(err);
	}
	embed = lt_table_has_embed(t);
	head = lt_table_has_head(t);
	t->embed = add(&b, -1, "model.embed_tokens", shape->vocab, shape->hidden, LT_SPLIT_ROWS,
			shape->init_std, embed);
	for (size_t l = 0; l < shape->layers; l++)
		add_layer(&b, l, shape);
	t->norm = add(&b, -1, "model.norm", shape->hidden, 0, LT_SPLIT_NONE, 0, head);
	t->head = t->embed;
	if (!shape->tied)
		t->head = add(&b, -1, "lm_head", shape->vocab, shape->hidden, LT_SPLIT_ROWS,
				shape->init_std, head);
	if (b.overflow) {
		lt_table_release(t);
		return lu_err_set(err, "the model is too large: its size in bytes overflows");
	}
	if (shape->tied && embed != head) {
		lt_table_release(t);
		return lu_err_set(err,
				"model.tied needs the embedding and the head on one stage: set "
				"parallel.pp = 1");
	}
	add_buckets(t);
	return 0;
}

void lt_table_release(struct lt_table *t)
{
	free(t->chunk);
	free(t->param);
	free(t->layer);
	free(t->bucket);
	*t = (struct lt_table){ 0 };
}

static size_t bucket_with(const struct lt_table *t, size_t offset)
{
	size_t i = 0;

	while (i < t->buckets && t->bucket[i].offset + t->bucket[i].count <= offset)
		i++;
	LU_ASSERT(i < t->buckets);
	return i;
}

size_t lt_bucket_of_layer(const struct lt_table *t, size_t layer)
{
	return bucket_with(t, t->layer[layer].norm1);
}

size_t lt_bucket_of_embed(const struct lt_table *t)
{
	return bucket_with(t, t->embed);
}

size_t lt_bucket_of_head(const struct lt_table *t)
{
	return bucket_with(t, t->norm);
}

struct lt_shape lt_table_local(const struct lt_table *t)
{
	struct lt_shape s = t->shape;

	s.heads /= t->tp_size;
	s.kv_heads /= t->tp_size;
	s.ffn /= t->tp_size;
	s.vocab /= t->tp_size;
	return s;
}

size_t lt_param_run(const struct lt_table *t, const struct lt_param *p, size_t at, size_t *first)
{
	size_t cols = p->local[1];

	if (p->split != LT_SPLIT_COLS || t->tp_size == 1) {
		*first = at + (p->split == LT_SPLIT_ROWS ? t->tp_rank * p->local_count : 0);
		return p->local_count - at;
	}
	*first = at / cols * p->dim[1] + t->tp_rank * cols + at % cols;
	return cols - at % cols;
}

const struct lt_param *lt_table_find(const struct lt_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->param[i].name, name) == 0)
			return &t->param[i];
	}
	return NULL;
}

void lt_param_init(const struct lt_param *p, uint64_t seed, size_t first, size_t n, lk_real *out)
{
	uint64_t stream = lu_rand_stream(p->name, 0);

	for (size_t i = 0; i < n; i++)
		out[i] = 1;
	if (p->std == 0)
		return;
	for (size_t i = 0; i < n;) {
		size_t element = first + i;
		double two[2];

		lu_rand_normal2(seed, stream, element / 2, two);
		for (size_t half = element % 2; half < 2 && i < n; half++)
			out[i++] = (lk_real)(two[half] * p->std);
	}
}

uint64_t lt_matrix_params(const struct lt_table *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->param[i].dims == 2 && (i != 0 || t->shape.tied))
			n += t->param[i].count;
	}
	return n;
}

double lt_flops_per_token(const struct lt_table *t, size_t context, bool causal)
{
	const struct lt_shape *s = &t->shape;
	double attention = 12.0 * (double)s->layers * (double)(s->heads * s->dim) * (double)context;

	return 6.0 * (double)lt_matrix_params(t) + (causal ? attention / 2 : attention);
}
