#include "trainer/run/hugging_face.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lk.h"
#include "libcommon/sys/file.h"
#include "trainer/run/folder.h"
#include "trainer/run/json_members.h"

#define CONFIG_MAX ((size_t)1 << 20)
/* A tokenizer.json is looked through for its normalizer; the largest known have some 30 MB. */
#define TOKENIZER_MAX ((size_t)1 << 30)
/* Longest value that a message quotes. */
#define QUOTED 60

/* A file that is one JSON object. */
struct file {
	const char *path;
	char *owned; /* the path, if it is the file's to free */
	char *text;
	struct lu_json_obj o;
	struct lu_arena *arena;
};

static int open_file(struct file *f, const char *path, size_t max, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_json_fault fault;
	size_t n;

	*f = (struct file){ .path = path, .arena = arena };
	if (lu_read_file(path, max, &f->text, &n, err) < 0)
		return -1;
	if (lu_json_object((struct lu_str){ f->text, n }, arena, &f->o, &fault) == 0)
		return 0;
	lu_json_fail(&fault, err);
	free(f->text);
	f->text = NULL;
	return lu_err_wrap(err, "%s", path);
}

/* The member, or NULL if it is missing or null, which is the same to transformers. */
static const struct lu_json_member *get(const struct lu_json_obj *o, const char *key)
{
	const struct lu_json_member *m = lu_json_get(o, key);

	return m && m->type != LU_JSON_NULL ? m : NULL;
}

/* Say that a value cannot be followed, and what can. */
static int refuse(const struct file *f, const struct lu_json_member *m, const char *key,
		const char *what, struct lu_err *err)
{
	size_t n = m->value.n;

	/* Cut between characters. */
	for (n = n > QUOTED ? QUOTED : n;
			n < m->value.n && n > 0 && (m->value.p[n] & 0xc0) == 0x80;)
		n--;
	return lu_err_set(err, "%s: %s is %.*s%s: %s", f->path, key, (int)n, m->value.p,
			n < m->value.n ? "..." : "", what);
}

/* --- values of config.json -------------------------------------------------------------------- */

/* Read a whole number of 1 .. max; a missing one leaves *out alone. */
static int read_size(const struct file *f, const char *key, uint64_t max, bool needed, size_t *out,
		struct lu_err *err)
{
	const struct lu_json_member *m = get(&f->o, key);
	uint64_t v;

	if (!m)
		return needed ? lu_err_set(err, "%s: %s is missing", f->path, key) : 0;
	if (!lu_json_u64(m, &v) || v == 0 || v > max)
		return refuse(f, m, key, "not a whole number in range", err);
	*out = (size_t)v;
	return 0;
}

/* Read a number of min .. max; a missing one leaves *out alone. */
static int read_number(const struct file *f, const struct lu_json_obj *o, const char *key,
		double min, double max, double *out, struct lu_err *err)
{
	const struct lu_json_member *m = get(o, key);
	double v;

	if (!m)
		return 0;
	if (!lu_json_double(m, &v) || !(v >= min && v <= max))
		return refuse(f, m, key, "not a number in range", err);
	*out = v;
	return 0;
}

/* Read a truth value; a missing one leaves *out alone. */
static int read_bool(const struct file *f, const char *key, bool *out, struct lu_err *err)
{
	const struct lu_json_member *m = get(&f->o, key);

	if (!m)
		return 0;
	if (m->type != LU_JSON_TRUE && m->type != LU_JSON_FALSE)
		return refuse(f, m, key, "neither true nor false", err);
	*out = m->type == LU_JSON_TRUE;
	return 0;
}

/* --- what the model computes ------------------------------------------------------------------ */

static int check_architecture(const struct file *f, struct lu_err *err)
{
	static const char known[] =
			"this program computes LlamaForCausalLM, and MistralForCausalLM "
			"without a window, only";
	const struct lu_json_member *type = get(&f->o, "model_type");
	const struct lu_json_member *list = get(&f->o, "architectures");
	struct lu_json_iter it;
	size_t n = 0;

	if (!type)
		return lu_err_set(err, "%s: model_type is missing", f->path);
	if (!lt_json_is_text(type, "llama") && !lt_json_is_text(type, "mistral"))
		return refuse(f, type, "model_type", known, err);
	if (!list)
		return 0;
	if (list->type != LU_JSON_ARRAY)
		return refuse(f, list, "architectures", "not a list of names", err);
	for (it = lu_json_iter(list->value); lu_json_next(&it); n++) {
		struct lu_json_member m = { .value = it.value, .type = it.type };

		if (!lt_json_is_text(&m, "LlamaForCausalLM") &&
				!lt_json_is_text(&m, "MistralForCausalLM"))
			return refuse(f, list, "architectures", known, err);
	}
	return 0;
}

/* A window as wide as the context hides nothing. */
static int check_window(const struct file *f, uint64_t context, struct lu_err *err)
{
	const struct lu_json_member *m = get(&f->o, "sliding_window");
	uint64_t window;

	/* A Mistral without the key has the window of its configuration class. */
	if (!m && !lu_json_get(&f->o, "sliding_window") &&
			lt_json_is_text(get(&f->o, "model_type"), "mistral"))
		return lu_err_set(err,
				"%s: sliding_window is missing, which means 4096 in a Mistral; "
				"attention over a window is not supported",
				f->path);
	if (!m || (lu_json_u64(m, &window) && window >= context))
		return 0;
	return refuse(f, m, "sliding_window", "attention over a window is not supported", err);
}

/* Refuse what would add a part to the model, or change one. */
static int check_parts(const struct file *f, uint64_t context, struct lu_err *err)
{
	static const char *const biases[] = { "attention_bias", "mlp_bias" };
	const struct lu_json_member *m = get(&f->o, "hidden_act");
	double partial = 1;
	bool bias = false;

	for (size_t i = 0; i < 2; i++) {
		if (read_bool(f, biases[i], &bias, err) < 0)
			return -1;
		if (bias)
			return lu_err_set(err, "%s: %s is true: biases are not supported", f->path,
					biases[i]);
	}
	if (m && !lt_json_is_text(m, "silu") && !lt_json_is_text(m, "swish"))
		return refuse(f, m, "hidden_act", "the activation must be silu", err);
	m = get(&f->o, "quantization_config");
	if (m)
		return refuse(f, m, "quantization_config", "quantized weights are not supported",
				err);
	if (read_number(f, &f->o, "partial_rotary_factor", 0, 1, &partial, err) < 0)
		return -1;
	if (partial < 1)
		return refuse(f, get(&f->o, "partial_rotary_factor"), "partial_rotary_factor",
				"rotary positions of a part of a head are not supported", err);
	return check_window(f, context, err);
}

/* --- rotary positions ------------------------------------------------------------------------- */

/* What one spelling says. */
struct rope {
	bool said, has_theta;
	double theta;
	enum lt_rope_scaling scaling;
	double factor, low, high, original;
};

static int read_llama3(const struct file *f, const struct lu_json_obj *o, struct rope *r,
		struct lu_err *err)
{
	if (read_number(f, o, "low_freq_factor", 1e-6, 1e6, &r->low, err) < 0 ||
			read_number(f, o, "high_freq_factor", 1e-6, 1e6, &r->high, err) < 0 ||
			read_number(f, o, "original_max_position_embeddings", 1, 1 << 30,
					&r->original, err) < 0)
		return -1;
	if (r->low > 0 && r->high > r->low && r->original > 0 && r->original == floor(r->original))
		return 0;
	return lu_err_set(err,
			"%s: rope_type \"llama3\" needs low_freq_factor, a larger high_freq_factor "
			"and "
			"original_max_position_embeddings",
			f->path);
}

/* Read one of the spellings: rope_scaling of transformers 4, rope_parameters of 5, which also has the
 * base. */
static int read_spelling(const struct file *f, const char *key, struct rope *r, struct lu_err *err)
{
	const struct lu_json_member *m = get(&f->o, key), *type;
	struct lu_json_fault fault;
	struct lu_json_obj o;

	*r = (struct rope){ .scaling = LT_ROPE_NONE };
	if (!m)
		return 0;
	r->said = true;
	if (m->type != LU_JSON_OBJECT)
		return refuse(f, m, key, "not an object", err);
	if (lu_json_object(m->value, f->arena, &o, &fault) < 0) {
		lu_json_fail(&fault, err);
		return lu_err_wrap(err, "%s: %s", f->path, key);
	}
	r->has_theta = get(&o, "rope_theta") != NULL;
	if (read_number(f, &o, "rope_theta", 1, 1e12, &r->theta, err) < 0)
		return -1;
	type = get(&o, "rope_type");
	/* Its name before transformers 4.43. */
	if (!type)
		type = get(&o, "type");
	if (!type || lt_json_is_text(type, "default"))
		return 0;
	if (!lt_json_is_text(type, "linear") && !lt_json_is_text(type, "llama3"))
		return refuse(f, type, "rope_type",
				"rotary positions can be default, linear or llama3", err);
	r->scaling = lt_json_is_text(type, "linear") ? LT_ROPE_LINEAR : LT_ROPE_LLAMA3;
	if (read_number(f, &o, "factor", 1, 1e6, &r->factor, err) < 0)
		return -1;
	if (r->factor < 1)
		return lu_err_set(err, "%s: %s has no factor", f->path, key);
	return r->scaling == LT_ROPE_LLAMA3 ? read_llama3(f, &o, r, err) : 0;
}

static bool same_scaling(const struct rope *a, const struct rope *b)
{
	return a->scaling == b->scaling && a->factor == b->factor && a->low == b->low &&
			a->high == b->high && a->original == b->original;
}

static int read_rope(const struct file *f, struct lt_shape *s, struct lu_err *err)
{
	struct rope four, five;
	double theta = 0;

	if (read_number(f, &f->o, "rope_theta", 1, 1e12, &theta, err) < 0 ||
			read_spelling(f, "rope_scaling", &four, err) < 0 ||
			read_spelling(f, "rope_parameters", &five, err) < 0)
		return -1;
	if (theta > 0 && five.has_theta && theta != five.theta)
		return lu_err_set(err, "%s: rope_theta is %g, and %g in rope_parameters", f->path,
				theta, five.theta);
	if (four.said && five.said && !same_scaling(&four, &five))
		return lu_err_set(err, "%s: rope_scaling and rope_parameters do not say the same",
				f->path);
	if (!five.said)
		five = four;
	s->rope_theta = theta > 0 ? theta : five.has_theta ? five.theta : 10000;
	s->rope_scaling = five.scaling;
	s->rope_factor = five.factor;
	s->rope_low = five.low;
	s->rope_high = five.high;
	s->rope_original = (size_t)five.original;
	return 0;
}

/* --- config.json ------------------------------------------------------------------------------ */

static int read_sizes(
		const struct file *f, struct lt_shape *s, uint64_t *context, struct lu_err *err)
{
	size_t positions = 2048;

	if (read_size(f, "vocab_size", (uint64_t)1 << 31, true, &s->vocab, err) < 0 ||
			read_size(f, "hidden_size", 1u << 24, true, &s->hidden, err) < 0 ||
			read_size(f, "num_hidden_layers", 100000, true, &s->layers, err) < 0 ||
			read_size(f, "num_attention_heads", 1u << 20, true, &s->heads, err) < 0 ||
			read_size(f, "intermediate_size", 1u << 28, true, &s->ffn, err) < 0 ||
			read_size(f, "max_position_embeddings", 1u << 30, false, &positions, err) <
					0)
		return -1;
	*context = positions;
	s->kv_heads = s->heads;
	s->dim = s->hidden / s->heads;
	if (read_size(f, "num_key_value_heads", 1u << 20, false, &s->kv_heads, err) < 0 ||
			read_size(f, "head_dim", 1u << 24, false, &s->dim, err) < 0)
		return -1;
	if (s->heads % s->kv_heads)
		return lu_err_set(err,
				"%s: num_key_value_heads is %zu, which does not divide "
				"num_attention_heads, %zu",
				f->path, s->kv_heads, s->heads);
	if (s->dim == 0 || s->dim % 2 || s->dim > LK_ATTN_MAX_DIM)
		return lu_err_set(err, "%s: head_dim is %zu, not an even number up to %d", f->path,
				s->dim, LK_ATTN_MAX_DIM);
	return 0;
}

static int read_shape(const struct file *f, struct lt_shape *s, struct lt_hf_about *about,
		struct lu_err *err)
{
	*s = (struct lt_shape){ .norm_eps = 1e-6, .init_std = 0.02 };
	*about = (struct lt_hf_about){ 0 };
	if (check_architecture(f, err) < 0 || read_sizes(f, s, &about->context, err) < 0 ||
			check_parts(f, about->context, err) < 0 ||
			read_bool(f, "tie_word_embeddings", &s->tied, err) < 0 ||
			read_number(f, &f->o, "rms_norm_eps", 0, 1, &s->norm_eps, err) < 0 ||
			read_number(f, &f->o, "initializer_range", 0, 10, &s->init_std, err) < 0)
		return -1;
	lt_json_get_u64(&f->o, "training_steps", &about->steps);
	lt_json_get_u64(&f->o, "training_tokens", &about->tokens);
	return read_rope(f, s, err);
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

static int read_id(const struct file *f, const char *name, size_t vocab, struct lu_str *out,
		struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&f->o, name);

	*out = (struct lu_str){ NULL, 0 };
	if (!m || !is_id(m->value, m->type, vocab))
		return 0;
	*out = lu_arena_str(f->arena, m->value);
	return out->p ? 0 : lu_err_nomem(err);
}

int lt_hf_read_config(const char *path, struct lt_shape *shape, struct lt_hf_about *about,
		struct lt_hf_ids *ids, struct lu_arena *arena, struct lu_err *err)
{
	struct file f;
	int rc;

	*ids = (struct lt_hf_ids){ 0 };
	if (open_file(&f, path, CONFIG_MAX, arena, err) < 0)
		return -1;
	rc = read_shape(&f, shape, about, err);
	if (rc == 0 &&
			(read_id(&f, "bos_token_id", shape->vocab, &ids->bos, err) < 0 ||
					read_id(&f, "eos_token_id", shape->vocab, &ids->eos, err) <
							0 ||
					read_id(&f, "pad_token_id", shape->vocab, &ids->pad, err) <
							0))
		rc = -1;
	free(f.text);
	return rc;
}

/* --- the files beside it ---------------------------------------------------------------------- */

/* Open DIR/name. Returns 1; 0 if there is none; -1 on failure. The path is malloc'd. */
static int open_beside(struct file *f, const char *dir, const char *name, size_t max,
		struct lu_arena *arena, struct lu_err *err)
{
	char *path;

	*f = (struct file){ 0 };
	if (!lt_folder_has(dir, name))
		return 0;
	path = lu_concat(dir, "/", name);
	if (!path)
		return lu_err_nomem(err);
	if (open_file(f, path, max, arena, err) < 0) {
		free(path);
		return -1;
	}
	f->owned = path;
	return 1;
}

static void close_beside(struct file *f)
{
	free(f->owned);
	free(f->text);
}

int lt_hf_read_generation(const char *dir, size_t vocab, struct lt_hf_ids *ids,
		struct lu_arena *arena, struct lu_err *err)
{
	struct file f;
	int rc = open_beside(&f, dir, "generation_config.json", CONFIG_MAX, arena, err);

	if (rc == 1)
		rc = read_id(&f, "eos_token_id", vocab, &ids->stop, err);
	close_beside(&f);
	return rc < 0 ? -1 : 0;
}

/* Append a string of the file. */
static int put_string(
		struct lu_str value, struct lu_arena *arena, struct lu_buf *out, struct lu_err *err)
{
	struct lu_str text;

	if (lu_json_decode(value, arena, &text) < 0)
		return lu_err_nomem(err);
	lu_buf_str(out, text);
	return lu_buf_check(out, err) < 0 ? -1 : 1;
}

/* Of a list of {"name", "template"}, append the one named "default". */
static int put_default(const struct file *f, const struct lu_json_member *list, struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_json_iter it = lu_json_iter(list->value);

	while (lu_json_next(&it)) {
		const struct lu_json_member *name, *text;
		struct lu_json_fault fault;
		struct lu_json_obj o;

		if (it.type != LU_JSON_OBJECT || lu_json_object(it.value, f->arena, &o, &fault) < 0)
			break;
		name = lu_json_get(&o, "name");
		text = lu_json_get(&o, "template");
		if (name && lt_json_is_text(name, "default") && text &&
				text->type == LU_JSON_STRING)
			return put_string(text->value, f->arena, out, err);
	}
	return refuse(f, list, "chat_template", "a list without a template named default", err);
}

int lt_hf_chat_template(const char *dir, struct lu_buf *out, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_arena arena = { 0 };
	struct file f;
	int rc;

	if (lt_folder_has(dir, "chat_template.jinja")) {
		char *path = lu_concat(dir, "/", "chat_template.jinja"), *text = NULL;
		size_t n = 0;

		rc = path ? lu_read_file(path, CONFIG_MAX, &text, &n, err) : lu_err_nomem(err);
		if (rc == 0)
			lu_buf_append(out, text, n);
		free(text);
		free(path);
		return rc < 0 || lu_buf_check(out, err) < 0 ? -1 : 1;
	}
	rc = open_beside(&f, dir, "tokenizer_config.json", CONFIG_MAX, &arena, err);
	m = rc == 1 ? get(&f.o, "chat_template") : NULL;
	if (rc == 1 && !m)
		rc = 0;
	else if (rc == 1 && m->type == LU_JSON_STRING)
		rc = put_string(m->value, &arena, out, err);
	else if (rc == 1 && m->type == LU_JSON_ARRAY)
		rc = put_default(&f, m, out, err);
	else if (rc == 1)
		rc = refuse(&f, m, "chat_template", "neither a text nor a list", err);
	close_beside(&f);
	lu_arena_release(&arena);
	return rc;
}

/* --- classes of tokenizers --------------------------------------------------------------------- */

/* True for a step of the normalizer that the class has too: a prefix, or spaces as U+2581. */
static bool is_of_class(struct lu_str step, struct lu_arena *arena)
{
	const struct lu_json_member *type, *pattern;
	struct lu_json_fault fault;
	struct lu_json_obj o, p;

	if (lu_json_object(step, arena, &o, &fault) < 0 || !(type = lu_json_get(&o, "type")))
		return false;
	if (lt_json_is_text(type, "Prepend"))
		return true;
	pattern = lu_json_get(&o, "pattern");
	return lt_json_is_text(type, "Replace") && pattern && pattern->type == LU_JSON_OBJECT &&
			lu_json_object(pattern->value, arena, &p, &fault) == 0 &&
			(pattern = lu_json_get(&p, "String")) && lt_json_is_text(pattern, " ");
}

/* True if the class would normalize as the file does. */
static bool class_follows(const struct lu_json_member *normalizer, struct lu_arena *arena)
{
	const struct lu_json_member *type, *list;
	struct lu_json_fault fault;
	struct lu_json_iter it;
	struct lu_json_obj o;

	if (!normalizer)
		return true;
	if (normalizer->type != LU_JSON_OBJECT ||
			lu_json_object(normalizer->value, arena, &o, &fault) < 0)
		return false;
	type = lu_json_get(&o, "type");
	list = lu_json_get(&o, "normalizers");
	if (!type || !lt_json_is_text(type, "Sequence") || !list || list->type != LU_JSON_ARRAY)
		return is_of_class(normalizer->value, arena);
	for (it = lu_json_iter(list->value); lu_json_next(&it);) {
		if (it.type != LU_JSON_OBJECT || !is_of_class(it.value, arena))
			return false;
	}
	return true;
}

int lt_hf_tokenizer_class(const char *dir, struct lu_buf *note, struct lu_err *err)
{
	const struct lu_json_member *m = NULL;
	struct lu_arena arena = { 0 };
	struct file f, tokenizer = { 0 };
	int rc = open_beside(&f, dir, "tokenizer_config.json", CONFIG_MAX, &arena, err);

	if (rc == 1)
		m = get(&f.o, "tokenizer_class");
	/* transformers 5 builds these two from vocabulary and merges alone. */
	if (m && !lt_json_is_text(m, "LlamaTokenizer") && !lt_json_is_text(m, "LlamaTokenizerFast"))
		m = NULL;
	if (m)
		rc = open_beside(&tokenizer, dir, "tokenizer.json", TOKENIZER_MAX, &arena, err);
	if (m && rc == 1 && !class_follows(get(&tokenizer.o, "normalizer"), &arena)) {
		lu_buf_printf(note,
				"%s: transformers 5 does not follow the normalizer of "
				"tokenizer.json "
				"with tokenizer_class %.*s, and gives other ids than this program "
				"and transformers 4; write \"PreTrainedTokenizerFast\" there, as "
				"lucie-export does",
				f.path, (int)m->value.n, m->value.p);
		rc = lu_buf_check(note, err) < 0 ? -1 : 1;
	} else if (rc == 1) {
		rc = 0;
	}
	close_beside(&tokenizer);
	close_beside(&f);
	lu_arena_release(&arena);
	return rc;
}
