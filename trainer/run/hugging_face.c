#include "trainer/run/hugging_face.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/sys/file.h"
#include "trainer/run/json_members.h"

#define CONFIG_MAX ((size_t)1 << 20)

/* --- reading ---------------------------------------------------------------------------------- */

/* True if the member is the string `text`, which has no escapes. */
static bool is_string(const struct lu_json_member *m, const char *text)
{
	size_t n = strlen(text);

	return m->type == LU_JSON_STRING && m->value.n == n + 2 &&
			memcmp(m->value.p + 1, text, n) == 0;
}

/* Read rope_theta, a member of its own or of rope_parameters (transformers 5). Returns false for
 * scaled rotary positions. */
static bool read_rope(const struct lu_json_obj *o, struct lu_arena *arena, struct lt_shape *s)
{
	const struct lu_json_member *v = lu_json_get(o, "rope_parameters"), *type;
	struct lu_json_fault fault;
	struct lu_json_obj rope;

	s->rope_theta = 10000;
	if (v && v->type == LU_JSON_OBJECT) {
		if (lu_json_object(v->value, arena, &rope, &fault) < 0)
			return false;
		type = lu_json_get(&rope, "rope_type");
		if (type && !is_string(type, "default"))
			return false;
		lt_json_get_double(&rope, "rope_theta", &s->rope_theta);
	}
	lt_json_get_double(o, "rope_theta", &s->rope_theta);
	v = lu_json_get(o, "rope_scaling");
	return !v || v->type == LU_JSON_NULL;
}

static int read_shape(const char *path, const struct lu_json_obj *o, struct lu_arena *arena,
		struct lt_shape *s, uint64_t *context, struct lu_err *err)
{
	const struct lu_json_member *type = lu_json_get(o, "model_type");

	*s = (struct lt_shape){ .norm_eps = 1e-6, .init_std = 0.02 };
	if (!type || !is_string(type, "llama"))
		return lu_err_set(err, "%s: not a Llama model", path);
	if (lt_json_is_true(o, "attention_bias") || lt_json_is_true(o, "mlp_bias"))
		return lu_err_set(err, "%s: models with biases are not supported", path);
	if (!lt_json_get_size(o, "vocab_size", &s->vocab) ||
			!lt_json_get_size(o, "hidden_size", &s->hidden) ||
			!lt_json_get_size(o, "num_hidden_layers", &s->layers) ||
			!lt_json_get_size(o, "num_attention_heads", &s->heads) ||
			!lt_json_get_size(o, "intermediate_size", &s->ffn) || !s->heads)
		return lu_err_set(err, "%s: a size is missing", path);
	if (!lt_json_get_size(o, "num_key_value_heads", &s->kv_heads))
		s->kv_heads = s->heads;
	if (!lt_json_get_size(o, "head_dim", &s->dim))
		s->dim = s->hidden / s->heads;
	if (s->kv_heads == 0 || s->heads % s->kv_heads || s->dim == 0 || s->dim % 2)
		return lu_err_set(err,
				"%s: %zu heads of %zu and %zu key heads are not a valid model",
				path, s->heads, s->dim, s->kv_heads);
	*context = 2048;
	lt_json_get_u64(o, "max_position_embeddings", context);
	lt_json_get_double(o, "rms_norm_eps", &s->norm_eps);
	s->tied = lt_json_is_true(o, "tie_word_embeddings");
	if (!read_rope(o, arena, s))
		return lu_err_set(err, "%s: scaled rotary positions are not supported", path);
	return 0;
}

/* True for an id of the vocabulary, or a list of them that is not empty. */
static bool is_id(struct lu_str value, enum lu_json_type type, size_t vocab)
{
	struct lu_json_member number = { .value = value, .type = type };
	struct lu_json_iter it = lu_json_iter(value);
	size_t n = 0;
	uint64_t id;

	if (type != LU_JSON_ARRAY)
		return lu_json_u64(&number, &id) && id < vocab;
	while (lu_json_next(&it)) {
		if (it.type == LU_JSON_ARRAY || !is_id(it.value, it.type, vocab))
			return false;
		n++;
	}
	return n > 0;
}

static int read_id(const struct lu_json_obj *o, const char *name, size_t vocab,
		struct lu_arena *arena, struct lu_str *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(o, name);

	*out = (struct lu_str){ NULL, 0 };
	if (!m || !is_id(m->value, m->type, vocab))
		return 0;
	*out = lu_arena_str(arena, m->value);
	return out->p ? 0 : lu_err_nomem(err);
}

int lt_hf_read_config(const char *path, struct lt_shape *shape, uint64_t *context,
		struct lt_hf_ids *ids, struct lu_arena *arena, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj o;
	char *text;
	size_t n;
	int rc;

	if (lu_read_file(path, CONFIG_MAX, &text, &n, err) < 0)
		return -1;
	if (lu_json_object((struct lu_str){ text, n }, arena, &o, &fault) < 0)
		rc = lu_err_set(err, "%s: %s", path, lu_json_fault_text(fault.kind));
	else
		rc = read_shape(path, &o, arena, shape, context, err);
	if (rc == 0 &&
			(read_id(&o, "bos_token_id", shape->vocab, arena, &ids->bos, err) < 0 ||
					read_id(&o, "eos_token_id", shape->vocab, arena, &ids->eos,
							err) < 0 ||
					read_id(&o, "pad_token_id", shape->vocab, arena, &ids->pad,
							err) < 0))
		rc = -1;
	free(text);
	return rc;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void start_line(struct lu_buf *b, int depth)
{
	lu_buf_printf(b, "\n%*s", 2 * depth, "");
}

/* Write the key of a member on a line of its own; the value follows. */
static void key(struct lu_buf *b, int depth, const char *name)
{
	if (b->n && b->p[b->n - 1] != '{')
		lu_buf_putc(b, ',');
	start_line(b, depth);
	lu_json_quote(b, lu_str_of(name));
	lu_buf_puts(b, ": ");
}

static void put_u64(struct lu_buf *b, const char *name, uint64_t v)
{
	key(b, 1, name);
	lu_json_put_u64(b, NULL, v);
}

static void put_cstr(struct lu_buf *b, const char *name, const char *s)
{
	key(b, 1, name);
	lu_json_put_cstr(b, NULL, s);
}

static void put_bool(struct lu_buf *b, const char *name, bool v)
{
	key(b, 1, name);
	lu_json_put_bool(b, NULL, v);
}

/* Write a number that typed readers of JSON take for a float: 10000.0. */
static void put_float(struct lu_buf *b, int depth, const char *name, double v)
{
	char text[40];

	lu_num_format(v, text);
	if (!strpbrk(text, ".e"))
		strncat(text, ".0", 3);
	key(b, depth, name);
	lu_buf_puts(b, text);
}

/* Write an id that may not exist. */
static void put_id(struct lu_buf *b, const char *name, struct lu_str id)
{
	key(b, 1, name);
	lu_json_put_raw(b, NULL, id.n ? id : LU_STR("null"));
}

static void close_object(struct lu_buf *b, int depth)
{
	start_line(b, depth);
	lu_json_close_object(b);
}

/* Close the object that is the file. */
static void close_file(struct lu_buf *b)
{
	close_object(b, 0);
	lu_buf_putc(b, '\n');
}

void lt_hf_config(const struct lt_shape *s, const struct lt_position *pos,
		const struct lt_hf_ids *ids, enum lu_st_type type, struct lu_buf *b)
{
	const char *dtype = type == LU_ST_BF16 ? "bfloat16" : "float32";

	lu_json_open_object(b, NULL);
	key(b, 1, "architectures");
	lu_json_open_array(b, NULL);
	start_line(b, 2);
	lu_json_put_cstr(b, NULL, "LlamaForCausalLM");
	start_line(b, 1);
	lu_json_close_array(b);
	put_bool(b, "attention_bias", false);
	put_float(b, 1, "attention_dropout", 0);
	put_id(b, "bos_token_id", ids->bos);
	put_cstr(b, "dtype", dtype);
	put_id(b, "eos_token_id", ids->eos);
	put_u64(b, "head_dim", s->dim);
	put_cstr(b, "hidden_act", "silu");
	put_u64(b, "hidden_size", s->hidden);
	put_float(b, 1, "initializer_range", s->init_std);
	put_u64(b, "intermediate_size", s->ffn);
	put_u64(b, "max_position_embeddings", pos->context);
	put_bool(b, "mlp_bias", false);
	put_cstr(b, "model_type", "llama");
	put_u64(b, "num_attention_heads", s->heads);
	put_u64(b, "num_hidden_layers", s->layers);
	put_u64(b, "num_key_value_heads", s->kv_heads);
	put_id(b, "pad_token_id", ids->pad);
	put_u64(b, "pretraining_tp", 1);
	put_float(b, 1, "rms_norm_eps", s->norm_eps);
	key(b, 1, "rope_parameters");
	lu_json_open_object(b, NULL);
	put_float(b, 2, "rope_theta", s->rope_theta);
	key(b, 2, "rope_type");
	lu_json_put_cstr(b, NULL, "default");
	close_object(b, 1);
	key(b, 1, "rope_scaling");
	lu_json_put_null(b, NULL);
	put_float(b, 1, "rope_theta", s->rope_theta);
	put_bool(b, "tie_word_embeddings", s->tied);
	put_cstr(b, "torch_dtype", dtype);
	put_u64(b, "training_steps", pos->step);
	put_u64(b, "training_tokens", pos->tokens);
	put_bool(b, "use_cache", true);
	put_u64(b, "vocab_size", s->vocab);
	close_file(b);
}

void lt_hf_generation_config(
		const struct lt_position *pos, const struct lt_hf_ids *ids, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	put_id(b, "bos_token_id", ids->bos);
	put_bool(b, "do_sample", true);
	put_id(b, "eos_token_id", ids->eos);
	put_u64(b, "max_length", pos->context);
	put_id(b, "pad_token_id", ids->pad);
	put_float(b, 1, "temperature", 0.6);
	put_float(b, 1, "top_p", 0.9);
	close_file(b);
}

static int id_of(const struct lu_tok *tok, enum lu_tok_role role, struct lu_str *out,
		struct lu_arena *arena, struct lu_err *err)
{
	char text[16];
	uint32_t id;

	*out = (struct lu_str){ NULL, 0 };
	if (!lu_tok_role(tok, role, &id))
		return 0;
	snprintf(text, sizeof(text), "%u", id);
	*out = lu_arena_str(arena, lu_str_of(text));
	return out->p ? 0 : lu_err_nomem(err);
}

int lt_hf_tokenizer_ids(const struct lu_tok *tok, struct lt_hf_ids *ids, struct lu_arena *arena,
		struct lu_err *err)
{
	if (id_of(tok, LU_TOK_BOS, &ids->bos, arena, err) < 0 ||
			id_of(tok, LU_TOK_EOS, &ids->eos, arena, err) < 0)
		return -1;
	return id_of(tok, LU_TOK_PAD, &ids->pad, arena, err);
}

static void put_token(
		struct lu_buf *b, const char *name, const struct lu_tok *tok, enum lu_tok_role role)
{
	uint32_t id;

	if (!lu_tok_role(tok, role, &id))
		return;
	key(b, 1, name);
	lu_json_put_str(b, NULL, lu_tok_piece(tok, id));
}

void lt_hf_tokenizer_config(const struct lu_tok *tok, uint64_t context, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	put_token(b, "bos_token", tok, LU_TOK_BOS);
	put_token(b, "eos_token", tok, LU_TOK_EOS);
	put_token(b, "unk_token", tok, LU_TOK_UNK);
	put_token(b, "pad_token", tok, LU_TOK_PAD);
	put_bool(b, "clean_up_tokenization_spaces", false);
	put_u64(b, "model_max_length", context);
	put_cstr(b, "tokenizer_class", "PreTrainedTokenizerFast");
	close_file(b);
}

void lt_hf_put_tensor(struct lu_buf *map, const char *tensor, const char *file)
{
	key(map, 2, tensor);
	lu_json_put_cstr(map, NULL, file);
}

void lt_hf_index(uint64_t bytes, const struct lu_buf *map, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	key(b, 1, "metadata");
	lu_json_open_object(b, NULL);
	key(b, 2, "total_size");
	lu_json_put_u64(b, NULL, bytes);
	close_object(b, 1);
	key(b, 1, "weight_map");
	lu_buf_str(b, lu_buf_slice(map));
	close_object(b, 1);
	close_file(b);
}
