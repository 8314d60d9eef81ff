#include "trainer/export/hf_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"

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

/* How rotary positions are scaled, in the words that both spellings share. */
static void put_scaling(struct lu_buf *b, const struct lt_shape *s)
{
	static const char *const types[] = {
		[LT_ROPE_NONE] = "default", [LT_ROPE_LINEAR] = "linear", [LT_ROPE_LLAMA3] = "llama3"
	};

	if (s->rope_scaling != LT_ROPE_NONE)
		put_float(b, 2, "factor", s->rope_factor);
	if (s->rope_scaling == LT_ROPE_LLAMA3) {
		put_float(b, 2, "high_freq_factor", s->rope_high);
		put_float(b, 2, "low_freq_factor", s->rope_low);
		key(b, 2, "original_max_position_embeddings");
		lu_json_put_u64(b, NULL, s->rope_original);
	}
	key(b, 2, "rope_type");
	lu_json_put_cstr(b, NULL, types[s->rope_scaling]);
}

void lt_hf_config(const struct lt_shape *s, const struct lt_position *pos,
		const struct lt_hf_ids *ids, enum lu_st_type type, struct lu_buf *b)
{
	const char *dtype = type == LU_ST_BF16 ? "bfloat16"
			: type == LU_ST_F16    ? "float16"
					       : "float32";

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
	put_scaling(b, s);
	put_float(b, 2, "rope_theta", s->rope_theta);
	close_object(b, 1);
	key(b, 1, "rope_scaling");
	if (s->rope_scaling == LT_ROPE_NONE) {
		lu_json_put_null(b, NULL);
	} else {
		lu_json_open_object(b, NULL);
		put_scaling(b, s);
		close_object(b, 1);
	}
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
	put_id(b, "eos_token_id", ids->stop.n ? ids->stop : ids->eos);
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

/* Tokens that end a turn of a conversation, by the names in use. One counts if the chat template
 * writes it out and the tokenizer has it. */
static const char *const turn_ends[] = { "<|eot_id|>", "<|im_end|>", "<end_of_turn>", "<|end|>",
	"<|eom_id|>", "<|end_of_turn|>", "<|endofturn|>", "<turn|>", "<|return|>" };

/* The ids that end a generation: eos, and the ends of turns; nothing if there is eos alone. */
static int stop_of(const struct lu_tok *tok, struct lu_str chat, struct lt_hf_ids *ids,
		struct lu_arena *arena, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	uint32_t eos = UINT32_MAX, id;
	size_t n = 0;
	int rc;

	lu_json_open_array(&list, NULL);
	if (lu_tok_role(tok, LU_TOK_EOS, &eos))
		lu_json_put_u64(&list, NULL, eos);
	for (size_t i = 0; i < sizeof(turn_ends) / sizeof(turn_ends[0]); i++) {
		struct lu_str end = lu_str_of(turn_ends[i]);

		if (!chat.n || !memmem(chat.p, chat.n, end.p, end.n) || !lu_tok_id(tok, end, &id) ||
				id == eos)
			continue;
		lu_json_put_u64(&list, NULL, id);
		n++;
	}
	lu_json_close_array(&list);
	rc = lu_buf_check(&list, err);
	ids->stop = (struct lu_str){ NULL, 0 };
	if (rc == 0 && n) {
		ids->stop = lu_arena_str(arena, lu_buf_slice(&list));
		if (!ids->stop.p)
			rc = lu_err_nomem(err);
	}
	lu_buf_release(&list);
	return rc;
}

int lt_hf_tokenizer_ids(const struct lu_tok *tok, struct lu_str chat, struct lt_hf_ids *ids,
		struct lu_arena *arena, struct lu_err *err)
{
	if (id_of(tok, LU_TOK_BOS, &ids->bos, arena, err) < 0 ||
			id_of(tok, LU_TOK_EOS, &ids->eos, arena, err) < 0 ||
			id_of(tok, LU_TOK_PAD, &ids->pad, arena, err) < 0)
		return -1;
	return stop_of(tok, chat, ids, arena, err);
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

void lt_hf_tokenizer_config(
		const struct lu_tok *tok, uint64_t context, struct lu_str chat, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	put_token(b, "bos_token", tok, LU_TOK_BOS);
	put_token(b, "eos_token", tok, LU_TOK_EOS);
	put_token(b, "unk_token", tok, LU_TOK_UNK);
	put_token(b, "pad_token", tok, LU_TOK_PAD);
	if (chat.n) {
		key(b, 1, "chat_template");
		lu_json_put_str(b, NULL, chat);
	}
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
