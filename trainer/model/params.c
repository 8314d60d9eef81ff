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

/* Append a tensor and return its offset. cols 0: a vector. layer < 0: not part of a layer. */
static size_t add(struct builder *b, long layer, const char *name, size_t rows, size_t cols,
		enum lt_split split, double std)
{
	struct lt_param *p = &b->t->param[b->t->n++];
	size_t bytes;

	if (layer >= 0)
		snprintf(p->name, sizeof(p->name), "model.layers.%ld.%s.weight", layer, name);
	else
		snprintf(p->name, sizeof(p->name), "%s.weight", name);
	p->dims = cols ? 2 : 1;
	p->dim[0] = rows;
	p->dim[1] = cols;
	p->split = split;
	p->std = std;
	p->decay = cols != 0;
	p->offset = b->t->total;
	if (!lu_mul_size(rows, cols ? cols : 1, &p->count) ||
			!lu_add_size(b->t->total, p->count, &b->t->total) ||
			!lu_mul_size(b->t->total, sizeof(double), &bytes))
		b->overflow = true;
	return p->offset;
}

static void add_layer(struct builder *b, size_t l, const struct lt_shape *s)
{
	double out_std = s->init_std / sqrt(2.0 * (double)s->layers);
	struct lt_layer_offsets *at = &b->t->layer[l];
	size_t q = s->heads * s->dim, kv = s->kv_heads * s->dim;
	long n = (long)l;

	at->norm1 = add(b, n, "input_layernorm", s->hidden, 0, LT_SPLIT_NONE, 0);
	at->qkv = add(b, n, "self_attn.q_proj", q, s->hidden, LT_SPLIT_ROWS, s->init_std);
	add(b, n, "self_attn.k_proj", kv, s->hidden, LT_SPLIT_ROWS, s->init_std);
	add(b, n, "self_attn.v_proj", kv, s->hidden, LT_SPLIT_ROWS, s->init_std);
	at->o = add(b, n, "self_attn.o_proj", s->hidden, q, LT_SPLIT_COLS, out_std);
	at->norm2 = add(b, n, "post_attention_layernorm", s->hidden, 0, LT_SPLIT_NONE, 0);
	at->gate_up = add(b, n, "mlp.gate_proj", s->ffn, s->hidden, LT_SPLIT_ROWS, s->init_std);
	add(b, n, "mlp.up_proj", s->ffn, s->hidden, LT_SPLIT_ROWS, s->init_std);
	at->down = add(b, n, "mlp.down_proj", s->hidden, s->ffn, LT_SPLIT_COLS, out_std);
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

int lt_table_build(struct lt_table *t, const struct lt_shape *shape, struct lu_err *err)
{
	struct builder b = { .t = t };

	*t = (struct lt_table){ .shape = *shape };
	if (check_limits(shape, err) < 0)
		return -1;
	t->param = calloc(9 * shape->layers + 3, sizeof(*t->param));
	t->layer = calloc(shape->layers + 1, sizeof(*t->layer));
	if (!t->param || !t->layer) {
		lt_table_release(t);
		return lu_err_nomem(err);
	}
	t->embed = add(&b, -1, "model.embed_tokens", shape->vocab, shape->hidden, LT_SPLIT_ROWS,
			shape->init_std);
	for (size_t l = 0; l < shape->layers; l++)
		add_layer(&b, l, shape);
	t->norm = add(&b, -1, "model.norm", shape->hidden, 0, LT_SPLIT_NONE, 0);
	t->head = t->embed;
	if (!shape->tied)
		t->head = add(&b, -1, "lm_head", shape->vocab, shape->hidden, LT_SPLIT_ROWS,
				shape->init_std);
	if (b.overflow) {
		lt_table_release(t);
		return lu_err_set(err, "the model is too large: its size in bytes overflows");
	}
	return 0;
}

void lt_table_release(struct lt_table *t)
{
	free(t->param);
	free(t->layer);
	*t = (struct lt_table){ 0 };
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
		if (t->param[i].dims == 2 && (t->param[i].offset != t->embed || t->shape.tied))
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
