#include "trainer/export/gguf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/progress.h"
#include "trainer/export/gguf_pairs.h"
#include "trainer/export/gguf_tokenizer.h"
#include "trainer/model/rotary.h"
#include "trainer/model/tensorfile.h"

#define VERSION 3
#define ALIGNMENT 32
/* Elements converted at once, of matrices whose rows stay in place. */
#define CHUNK ((size_t)1 << 18)

/* --- pairs ------------------------------------------------------------------------------------ */

static void put_model(struct lt_gguf_pairs *p, const struct lt_gguf *g, const struct lt_shape *s)
{
	/* general.file_type: what most tensors are. */
	uint64_t type = g->type == LU_ST_F32 ? 0 : g->type == LU_ST_F16 ? 1 : 32;

	lt_gguf_string(p, "general.architecture", LU_STR("llama"));
	lt_gguf_string(p, "general.type", LU_STR("model"));
	if (g->name)
		lt_gguf_string(p, "general.name", lu_str_of(g->name));
	lt_gguf_u32(p, "general.file_type", type);
	lt_gguf_u32(p, "general.alignment", ALIGNMENT);
	lt_gguf_u32(p, "llama.vocab_size", s->vocab);
	lt_gguf_u32(p, "llama.context_length", g->context);
	lt_gguf_u32(p, "llama.embedding_length", s->hidden);
	lt_gguf_u32(p, "llama.block_count", s->layers);
	lt_gguf_u32(p, "llama.feed_forward_length", s->ffn);
	lt_gguf_u32(p, "llama.attention.head_count", s->heads);
	lt_gguf_u32(p, "llama.attention.head_count_kv", s->kv_heads);
	lt_gguf_u32(p, "llama.attention.key_length", s->dim);
	lt_gguf_u32(p, "llama.attention.value_length", s->dim);
	lt_gguf_f32(p, "llama.attention.layer_norm_rms_epsilon", s->norm_eps);
	lt_gguf_u32(p, "llama.rope.dimension_count", s->dim);
	lt_gguf_f32(p, "llama.rope.freq_base", s->rope_theta);
	if (s->rope_scaling == LT_ROPE_LINEAR) {
		lt_gguf_string(p, "llama.rope.scaling.type", LU_STR("linear"));
		lt_gguf_f32(p, "llama.rope.scaling.factor", s->rope_factor);
	}
}

/* --- tensors ---------------------------------------------------------------------------------- */

struct tensor {
	char name[64];
	const struct lt_param *param; /* NULL: rope_freqs */
	size_t heads;		      /* q, k: heads whose rows change places; 0: none do */
	size_t dims, dim[2];	      /* of the model, the slowest first */
	enum lu_st_type type;
	uint64_t at, bytes; /* in the data */
};

static void name_tensor(struct tensor *t, const struct lt_shape *s)
{
	static const struct {
		const char *ours, *theirs;
	} names[] = {
		{ "input_layernorm", "attn_norm" },
		{ "self_attn.q_proj", "attn_q" },
		{ "self_attn.k_proj", "attn_k" },
		{ "self_attn.v_proj", "attn_v" },
		{ "self_attn.o_proj", "attn_output" },
		{ "post_attention_layernorm", "ffn_norm" },
		{ "mlp.gate_proj", "ffn_gate" },
		{ "mlp.up_proj", "ffn_up" },
		{ "mlp.down_proj", "ffn_down" },
		{ "model.embed_tokens", "token_embd" },
		{ "model.norm", "output_norm" },
		{ "lm_head", "output" },
	};
	const char *name = t->param->name, *theirs = "";
	char part[96];
	long layer;

	if (sscanf(name, "model.layers.%ld.%95s", &layer, part) != 2) {
		layer = -1;
		snprintf(part, sizeof(part), "%s", name);
	}
	part[strlen(part) - strlen(".weight")] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(part, names[i].ours) == 0)
			theirs = names[i].theirs;
	}
	if (strcmp(theirs, "attn_q") == 0)
		t->heads = s->heads;
	if (strcmp(theirs, "attn_k") == 0)
		t->heads = s->kv_heads;
	if (layer < 0)
		snprintf(t->name, sizeof(t->name), "%s.weight", theirs);
	else
		snprintf(t->name, sizeof(t->name), "blk.%ld.%s.weight", layer, theirs);
}

static uint64_t padded(uint64_t n)
{
	return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* List the tensors and their places; *bytes are those of the data. */
static size_t list_tensors(const struct lt_table *table, enum lu_st_type type, struct tensor *list,
		uint64_t *bytes)
{
	const struct lt_shape *s = &table->shape;
	size_t n = 0;

	*bytes = 0;
	if (s->rope_scaling == LT_ROPE_LLAMA3)
		list[n++] = (struct tensor){ .name = "rope_freqs.weight",
			.dims = 1,
			.dim = { s->dim / 2 },
			.type = LU_ST_F32,
			.bytes = s->dim / 2 * sizeof(float) };
	for (size_t i = 0; i < table->n; i++) {
		const struct lt_param *p = &table->param[i];
		struct tensor *t = &list[n++];

		*t = (struct tensor){ .param = p,
			.dims = p->dims,
			.dim = { p->dim[0], p->dim[1] },
			.type = p->dims == 1 ? LU_ST_F32 : type };
		t->bytes = p->count * lu_st_width(t->type);
		name_tensor(t, s);
	}
	for (size_t i = 0; i < n; i++) {
		list[i].at = *bytes;
		*bytes += padded(list[i].bytes);
	}
	return n;
}

/* --- the file --------------------------------------------------------------------------------- */

struct writer {
	struct lu_atomic f;
	struct lu_progress progress;
	uint64_t tensors;	/* written */
	lk_real *host, *turned; /* rows of one head, or a chunk */
	unsigned char *bytes;
};

static int put(struct writer *out, const void *p, size_t n, struct lu_err *err)
{
	if (lu_atomic_write(&out->f, p, n, err) < 0)
		return -1;
	lu_progress_update(&out->progress, out->f.written, out->tensors);
	return 0;
}

static int put_reals(struct writer *out, const struct tensor *t, const lk_real *x, size_t n,
		struct lu_err *err)
{
	size_t k = lt_reals_to_bytes(x, n, t->type, out->bytes);

	return k ? put(out, out->bytes, k, err) : lt_too_large_for_f16(t->param->name, err);
}

static int put_padding(struct writer *out, uint64_t n, struct lu_err *err)
{
	static const char zeros[ALIGNMENT];

	return put(out, zeros, (size_t)(padded(n) - n), err);
}

/* Write the heads of q or k, row i + k dim / 2 as row 2 i + k. */
static int put_heads(struct writer *out, struct lt_weights *w, const struct tensor *t,
		struct lu_err *err)
{
	size_t dim = t->dim[0] / t->heads, cols = t->dim[1], half = dim / 2;

	for (size_t h = 0; h < t->heads; h++) {
		if (lt_weights_get(w, LT_VECTOR_P, t->param->offset + h * dim * cols, dim * cols,
				    out->host, err) < 0)
			return -1;
		for (size_t i = 0; i < half; i++) {
			for (size_t k = 0; k < 2; k++)
				memcpy(out->turned + (2 * i + k) * cols,
						out->host + (i + k * half) * cols,
						cols * sizeof(*out->host));
		}
		if (put_reals(out, t, out->turned, dim * cols, err) < 0)
			return -1;
	}
	return 0;
}

/* Write what the angles are divided by. */
static int put_factors(struct writer *out, const struct lt_shape *s, struct lu_err *err)
{
	struct lt_shape plain = *s;
	double *scaled = calloc(s->dim, sizeof(*scaled)), *w = scaled + s->dim / 2;
	struct lu_buf b = { 0 };
	int rc = -1;

	if (!scaled)
		return lu_err_nomem(err);
	plain.rope_scaling = LT_ROPE_NONE;
	lt_rope_frequencies(s, scaled);
	lt_rope_frequencies(&plain, w);
	for (size_t i = 0; i < s->dim / 2; i++)
		lt_gguf_put_f32(&b, w[i] / scaled[i]);
	if (lu_buf_check(&b, err) == 0)
		rc = put(out, b.p, b.n, err);
	lu_buf_release(&b);
	free(scaled);
	return rc;
}

static int put_tensor(struct writer *out, struct lt_weights *w, const struct tensor *t,
		struct lu_err *err)
{
	if (!t->param)
		return put_factors(out, &w->table.shape, err);
	if (t->heads)
		return put_heads(out, w, t, err);
	for (size_t first = 0, n; first < t->param->count; first += n) {
		n = t->param->count - first < CHUNK ? t->param->count - first : CHUNK;
		if (lt_weights_get(w, LT_VECTOR_P, t->param->offset + first, n, out->host, err) <
						0 ||
				put_reals(out, t, out->host, n, err) < 0)
			return -1;
	}
	return 0;
}

static int put_header(struct writer *out, const struct lt_gguf_pairs *pairs,
		const struct tensor *list, size_t n, struct lu_err *err)
{
	static const uint32_t types[] = { [LU_ST_F32] = 0, [LU_ST_F16] = 1, [LU_ST_BF16] = 30 };
	struct lu_buf b = { 0 };
	int rc;

	lu_buf_puts(&b, "GGUF");
	lu_buf_le32(&b, VERSION);
	lu_buf_le64(&b, n);
	lu_buf_le64(&b, pairs->n);
	lu_buf_str(&b, lu_buf_slice(&pairs->b));
	for (size_t i = 0; i < n; i++) {
		lt_gguf_put_string(&b, lu_str_of(list[i].name));
		lu_buf_le32(&b, (uint32_t)list[i].dims);
		for (size_t k = list[i].dims; k-- > 0;)
			lu_buf_le64(&b, list[i].dim[k]);
		lu_buf_le32(&b, types[list[i].type]);
		lu_buf_le64(&b, list[i].at);
	}
	rc = lu_buf_check(&pairs->b, err);
	if (rc == 0)
		rc = lu_buf_check(&b, err);
	if (rc == 0)
		rc = put(out, b.p, b.n, err);
	if (rc == 0)
		rc = put_padding(out, b.n, err);
	lu_buf_release(&b);
	return rc;
}

static int put_all(struct writer *out, const struct lt_gguf *g, struct lt_weights *w,
		const struct lt_gguf_pairs *pairs, struct lu_err *err)
{
	const struct lt_shape *s = &w->table.shape;
	size_t head = s->dim * s->hidden, room = head > CHUNK ? head : CHUNK, n;
	struct tensor *list = calloc(w->table.n + 1, sizeof(*list));
	uint64_t bytes;
	int rc = -1;

	out->host = malloc(room * sizeof(*out->host));
	out->turned = malloc(head * sizeof(*out->turned));
	out->bytes = malloc(room * sizeof(double));
	if (!list || !out->host || !out->turned || !out->bytes) {
		lu_err_nomem(err);
		goto done;
	}
	n = list_tensors(&w->table, g->type, list, &bytes);
	lu_progress_start(&out->progress, g->tool, g->progress, bytes);
	out->progress.unit = "tensors";
	rc = put_header(out, pairs, list, n, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = put_tensor(out, w, &list[i], err);
		if (rc == 0)
			rc = put_padding(out, list[i].bytes, err);
		out->tensors++;
	}
	lu_progress_end(&out->progress);
done:
	free(out->bytes);
	free(out->turned);
	free(out->host);
	free(list);
	return rc;
}

int lt_gguf_write(
		const struct lt_gguf *g, struct lt_weights *w, const char *path, struct lu_err *err)
{
	struct lt_gguf_pairs pairs = { 0 };
	struct writer out = { .f = LU_ATOMIC_NONE };
	int rc = 0;

	put_model(&pairs, g, &w->table.shape);
	if (g->tok)
		rc = lt_gguf_tokenizer(&pairs, g, w->table.shape.vocab, err);
	else
		lt_gguf_string(&pairs, "tokenizer.ggml.model", LU_STR("none"));
	if (rc == 0)
		rc = lu_atomic_open(&out.f, path, err);
	if (rc == 0) {
		rc = put_all(&out, g, w, &pairs, err);
		if (rc == 0)
			rc = lu_atomic_commit(&out.f, err);
		else
			lu_atomic_abort(&out.f);
	}
	lu_buf_release(&pairs.b);
	return rc;
}
