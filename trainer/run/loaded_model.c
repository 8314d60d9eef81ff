#include "trainer/run/loaded_model.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/file.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/config.h"
#include "trainer/run/folder.h"
#include "trainer/run/json_members.h"

#define CONFIG_MAX ((size_t)1 << 20)

static int open_weights(struct lt_loaded_model *m, const struct lt_shape *shape, struct lu_err *err)
{
	struct lk_err kerr;

	m->ops = lk_cpu_ops();
	if (m->ops->open(&m->q, 0, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	return lt_weights_open(&m->w, m->ops, m->q, shape, 0, err);
}

static int open_checkpoint(struct lt_loaded_model *m, const char *dir, struct lu_err *err)
{
	struct lt_shape shape;

	if (lt_manifest_read(dir, &m->pos, &shape, err) < 0 || open_weights(m, &shape, err) < 0)
		return -1;
	return lt_checkpoint_load(dir, m->w, err);
}

/* Compute the initial weights of a run again. */
static int open_initial(struct lt_loaded_model *m, const char *run, struct lu_err *err)
{
	char *path = lu_concat(run, "/", "config.ini");
	struct lt_config c = { 0 };
	struct lt_settings s;
	struct lt_shape shape;
	int rc = -1;

	if (!path) {
		lu_err_nomem(err);
		goto out;
	}
	if (lt_config_init(&c, err) < 0 || lt_config_read(&c, path, err) < 0 ||
			lt_config_check(&c, err) < 0 || lt_config_phase(&c, 0, &s, err) < 0)
		goto out;
	lt_settings_shape(&s, &shape);
	if (open_weights(m, &shape, err) < 0)
		goto out;
	m->pos.context = s.train.context;
	rc = *s.train.init ? lt_tensors_import(m->w, s.train.init, err)
			   : lt_weights_init(m->w, s.train.seed, err);
out:
	lt_config_release(&c);
	free(path);
	return rc;
}

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

static int read_config(struct lt_loaded_model *m, const char *path, const struct lu_json_obj *o,
		struct lu_arena *arena, struct lt_shape *s, struct lu_err *err)
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
	m->pos.context = 2048;
	lt_json_get_u64(o, "max_position_embeddings", &m->pos.context);
	lt_json_get_double(o, "rms_norm_eps", &s->norm_eps);
	s->tied = lt_json_is_true(o, "tie_word_embeddings");
	if (!read_rope(o, arena, s))
		return lu_err_set(err, "%s: scaled rotary positions are not supported", path);
	return 0;
}

static int open_hugging_face(struct lt_loaded_model *m, const char *dir, struct lu_err *err)
{
	char *path = lu_concat(dir, "/", "config.json"), *text = NULL;
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj o;
	struct lt_shape shape;
	size_t n;
	int rc = path ? lu_read_file(path, CONFIG_MAX, &text, &n, err) : lu_err_nomem(err);

	if (rc == 0 && lu_json_object((struct lu_str){ text, n }, &arena, &o, &fault) < 0)
		rc = lu_err_set(err, "%s: %s", path, lu_json_fault_text(fault.kind));
	if (rc == 0)
		rc = read_config(m, path, &o, &arena, &shape, err);
	if (rc == 0)
		rc = open_weights(m, &shape, err);
	if (rc == 0)
		rc = lt_tensors_import(m->w, dir, err);
	lu_arena_release(&arena);
	free(text);
	free(path);
	return rc;
}

/* The given tokenizer, otherwise that of the folder or, for a checkpoint, of its run. */
static int find_tokenizer(
		struct lt_loaded_model *m, const struct lt_model_spec *spec, struct lu_err *err)
{
	static const char *const names[] = { "tokenizer.json", "../tokenizer.json" };

	if (spec->tokenizer) {
		m->tokenizer = strdup(spec->tokenizer);
		return m->tokenizer ? 0 : lu_err_nomem(err);
	}
	for (int i = 0; i < 2 && !m->tokenizer; i++) {
		if (lt_folder_has(spec->path, names[i]) &&
				!(m->tokenizer = lu_concat(spec->path, "/", names[i])))
			return lu_err_nomem(err);
	}
	return 0;
}

static int open_folder(
		struct lt_loaded_model *m, const struct lt_model_spec *spec, struct lu_err *err)
{
	char *dir;
	int rc;

	if (spec->init)
		return open_initial(m, spec->path, err);
	if (lt_checkpoint_find(spec->path, spec->step, &dir, err) < 0)
		return -1;
	if (dir)
		rc = open_checkpoint(m, dir, err);
	else if (lt_folder_has(spec->path, "config.json"))
		rc = open_hugging_face(m, spec->path, err);
	else
		rc = lu_err_set(err,
				"%s: not a run with a checkpoint, a checkpoint or a Hugging Face "
				"model",
				spec->path);
	free(dir);
	return rc;
}

int lt_loaded_model_open(
		struct lt_loaded_model *m, const struct lt_model_spec *spec, struct lu_err *err)
{
	*m = (struct lt_loaded_model){ 0 };
	if (open_folder(m, spec, err) < 0 || find_tokenizer(m, spec, err) < 0) {
		lt_loaded_model_close(m);
		return -1;
	}
	return 0;
}

void lt_loaded_model_close(struct lt_loaded_model *m)
{
	lt_weights_close(m->w);
	if (m->q)
		m->ops->close(m->q);
	free(m->tokenizer);
	*m = (struct lt_loaded_model){ 0 };
}
