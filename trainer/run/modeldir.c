#include "trainer/run/modeldir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/runfolder.h"
#include "trainer/run/settings.h"

#define CONFIG_MAX ((size_t)1 << 20)

static int open_weights(struct lt_opened *m, const struct lt_shape *shape, struct lu_err *err)
{
	struct lk_err kerr;

	m->ops = lk_cpu_ops();
	if (m->ops->open(&m->q, 0, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	return lt_weights_open(&m->w, m->ops, m->q, shape, 0, err);
}

static int open_checkpoint(struct lt_opened *m, const char *dir, struct lu_err *err)
{
	struct lt_shape shape;

	if (lt_checkpoint_read(dir, &m->at, &shape, err) < 0 || open_weights(m, &shape, err) < 0)
		return -1;
	return lt_checkpoint_load(dir, m->w, err);
}

/* A run's weights before its first step, made again. */
static int open_initial(struct lt_opened *m, const char *run, struct lu_err *err)
{
	char *path = lt_run_path(run, "config.ini");
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
	m->at.context = s.train.context;
	rc = *s.train.init ? lt_tensors_import(m->w, s.train.init, err)
			   : lt_weights_init(m->w, s.train.seed, err);
out:
	lt_config_release(&c);
	free(path);
	return rc;
}

static bool number(const struct lu_json_obj *o, const char *key, size_t *out)
{
	const struct lu_json_member *v = lu_json_get(o, key);
	uint64_t n;

	if (!v || !lu_json_u64(v, &n))
		return false;
	*out = (size_t)n;
	return true;
}

static bool is_true(const struct lu_json_obj *o, const char *key)
{
	const struct lu_json_member *v = lu_json_get(o, key);

	return v && v->type == LU_JSON_TRUE;
}

static bool is_set(const struct lu_json_obj *o, const char *key)
{
	const struct lu_json_member *v = lu_json_get(o, key);

	return v && v->type != LU_JSON_NULL;
}

/* rope_theta stands alone, or in rope_parameters (transformers 5). 0, or -1 for a scaled one. */
static int read_rope(const struct lu_json_obj *o, struct lu_arena *arena, struct lt_shape *s)
{
	const struct lu_json_member *v = lu_json_get(o, "rope_parameters"), *type;
	struct lu_json_fault fault;
	struct lu_json_obj rope;

	s->rope_theta = 10000;
	if (v && v->type == LU_JSON_OBJECT) {
		if (lu_json_object(v->value, arena, &rope, &fault) < 0)
			return -1;
		type = lu_json_get(&rope, "rope_type");
		if (type && !lu_str_is(type->value, "\"default\""))
			return -1;
		v = lu_json_get(&rope, "rope_theta");
		if (v)
			lu_json_double(v, &s->rope_theta);
	}
	v = lu_json_get(o, "rope_theta");
	if (v)
		lu_json_double(v, &s->rope_theta);
	return is_set(o, "rope_scaling") ? -1 : 0;
}

static int read_config(struct lt_opened *m, const char *path, const struct lu_json_obj *o,
		struct lu_arena *arena, struct lt_shape *s, struct lu_err *err)
{
	const struct lu_json_member *v = lu_json_get(o, "model_type");
	size_t context = 2048;

	*s = (struct lt_shape){ .norm_eps = 1e-6, .init_std = 0.02 };
	if (!v || !lu_str_is(v->value, "\"llama\""))
		return lu_err_set(err, "%s: not a Llama model", path);
	if (is_true(o, "attention_bias") || is_true(o, "mlp_bias"))
		return lu_err_set(err, "%s: a model with biases is not read", path);
	if (!number(o, "vocab_size", &s->vocab) || !number(o, "hidden_size", &s->hidden) ||
			!number(o, "num_hidden_layers", &s->layers) ||
			!number(o, "num_attention_heads", &s->heads) ||
			!number(o, "intermediate_size", &s->ffn) || !s->heads)
		return lu_err_set(err, "%s: a size is missing", path);
	if (!number(o, "num_key_value_heads", &s->kv_heads))
		s->kv_heads = s->heads;
	if (!number(o, "head_dim", &s->dim))
		s->dim = s->hidden / s->heads;
	if (s->kv_heads == 0 || s->heads % s->kv_heads || s->dim == 0 || s->dim % 2)
		return lu_err_set(err, "%s: the heads do not fit together", path);
	number(o, "max_position_embeddings", &context);
	m->at.context = context;
	v = lu_json_get(o, "rms_norm_eps");
	if (v)
		lu_json_double(v, &s->norm_eps);
	s->tied = is_true(o, "tie_word_embeddings");
	if (read_rope(o, arena, s) < 0)
		return lu_err_set(err, "%s: scaled rotary positions are not read", path);
	return 0;
}

static int open_hugging_face(struct lt_opened *m, const char *dir, struct lu_err *err)
{
	char *path = lt_run_path(dir, "config.json"), *text = NULL;
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

/* -t, else the run's, else the one of the run above a checkpoint. */
static int find_tokenizer(struct lt_opened *m, const struct lt_which *which, struct lu_err *err)
{
	static const char *const names[] = { "tokenizer.json", "../tokenizer.json" };

	if (which->token) {
		m->tokenizer = strdup(which->token);
		return m->tokenizer ? 0 : lu_err_nomem(err);
	}
	for (int i = 0; i < 2 && !m->tokenizer; i++) {
		if (lt_run_has(which->path, names[i]) &&
				!(m->tokenizer = lt_run_path(which->path, names[i])))
			return lu_err_nomem(err);
	}
	return 0;
}

int lt_opened_open(struct lt_opened *m, const struct lt_which *which, struct lu_err *err)
{
	char *dir = NULL;
	int rc;

	*m = (struct lt_opened){ 0 };
	if (which->init) {
		rc = open_initial(m, which->path, err);
	} else {
		rc = lt_checkpoint_find(which->path, which->step, &dir, err);
		if (rc == 0 && dir)
			rc = open_checkpoint(m, dir, err);
		else if (rc == 0 && lt_run_has(which->path, "config.json"))
			rc = open_hugging_face(m, which->path, err);
		else if (rc == 0)
			rc = lu_err_set(err,
					"%s: neither a run with a checkpoint, nor a checkpoint, "
					"nor a Hugging Face model",
					which->path);
		free(dir);
	}
	if (rc == 0)
		rc = find_tokenizer(m, which, err);
	if (rc < 0)
		lt_opened_close(m);
	return rc;
}

void lt_opened_close(struct lt_opened *m)
{
	lt_weights_close(m->w);
	if (m->q)
		m->ops->close(m->q);
	free(m->tokenizer);
	*m = (struct lt_opened){ 0 };
}
