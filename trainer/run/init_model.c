#include "trainer/run/init_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/num.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/tool.h"
#include "trainer/model/filedigest.h"
#include "trainer/model/rotary.h"
#include "trainer/model/tensor_import.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/folder.h"
#include "trainer/run/hugging_face.h"

/* The model of a folder. */
struct init {
	char *dir;
	const char *file; /* that says what it is; NULL: nothing does */
	struct lt_shape shape;
	uint64_t context; /* the longest that it was trained on; 0: nothing says so */
};

static int read_config(struct init *in, struct lu_err *err)
{
	char *path = lu_concat(in->dir, "/", in->file);
	struct lu_arena arena = { 0 };
	struct lt_hf_ids ids;
	struct lt_hf_about about;
	int rc = path ? lt_hf_read_config(path, &in->shape, &about, &ids, &arena, err)
		      : lu_err_nomem(err);

	if (rc == 0)
		in->context = about.context;
	lu_arena_release(&arena);
	free(path);
	return rc;
}

/* Find the folder of train.init, and read what model it has. A folder that is gone is none: the run may
 * have begun long ago. */
static int open_init(struct init *in, const char *init, struct lu_err *err)
{
	struct lt_position pos = { 0 };
	int rc = 0;

	*in = (struct init){ 0 };
	if (lt_folder_has(init, "latest") &&
			lt_checkpoint_find(init, UINT64_MAX, &in->dir, err) < 0)
		return -1;
	if (!in->dir && !(in->dir = strdup(init)))
		return lu_err_nomem(err);
	if (lt_folder_has(in->dir, "manifest.json")) {
		in->file = "manifest.json";
		rc = lt_manifest_read(in->dir, &pos, &in->shape, err);
		in->context = pos.context;
	} else if (lt_folder_has(in->dir, "config.json")) {
		in->file = "config.json";
		rc = read_config(in, err);
	}
	return rc < 0 ? lu_err_wrap(err, "train.init") : 0;
}

static void close_init(struct init *in)
{
	free(in->dir);
}

/* --- settings --------------------------------------------------------------------------------- */

/* A key of [model] and what the folder says. */
struct pair {
	const char *key;
	bool of_preset; /* presets set it */
	uint64_t *u, u_said;
	double *d, d_said;
};

#define PAIRS 14

static void list_pairs(struct lt_settings *s, const struct lt_shape *m, struct pair pair[PAIRS])
{
	const struct pair list[PAIRS] = {
		{ "vocab", true, &s->model.vocab, m->vocab, NULL, 0 },
		{ "hidden", true, &s->model.hidden, m->hidden, NULL, 0 },
		{ "layers", true, &s->model.layers, m->layers, NULL, 0 },
		{ "heads", true, &s->model.heads, m->heads, NULL, 0 },
		{ "kv_heads", true, &s->model.kv_heads, m->kv_heads, NULL, 0 },
		{ "head_dim", false, &s->model.head_dim, m->dim, NULL, 0 },
		{ "ffn", true, &s->model.ffn, m->ffn, NULL, 0 },
		{ "rope_theta", true, NULL, 0, &s->model.rope_theta, m->rope_theta },
		{ "norm_eps", false, NULL, 0, &s->model.norm_eps, m->norm_eps },
		{ "rope_factor", false, NULL, 0, &s->model.rope_factor, m->rope_factor },
		{ "rope_original", false, &s->model.rope_original, m->rope_original, NULL, 0 },
		/* Of llama3 alone; otherwise the settings keep their defaults. */
		{ "rope_low", false, NULL, 0, &s->model.rope_low, m->rope_low },
		{ "rope_high", false, NULL, 0, &s->model.rope_high, m->rope_high },
		/* Nothing is drawn with it but the rows of new tokens. */
		{ "init_std", true, NULL, 0, &s->model.init_std, m->init_std },
	};

	memcpy(pair, list, sizeof(list));
}

static bool is_given(const bool *given, const char *key)
{
	struct lu_err ignored;
	size_t i;

	return lt_settings_find("model", key, &i, &ignored) == 0 && given[i];
}

/* True if the folder does not say anything of the key. */
static bool is_silent(const struct pair *p, const struct lt_shape *m)
{
	return m->rope_scaling != LT_ROPE_LLAMA3 &&
			(strcmp(p->key, "rope_low") == 0 || strcmp(p->key, "rope_high") == 0);
}

static int disagree(const struct init *in, const char *key, const char *now, const char *said,
		struct lu_err *err)
{
	return lu_err_set(err,
			"model.%s is %s, and %s in the model that train.init names (%s/%s); leave "
			"it "
			"out, or change it in a phase if it is to change",
			key, now, said, in->dir, in->file);
}

static int compare(const struct init *in, const struct pair *p, struct lu_err *err)
{
	char now[40], said[40];

	if (p->u) {
		if (*p->u == p->u_said)
			return 0;
		if (strcmp(p->key, "vocab") == 0 && *p->u > p->u_said)
			return 0;
		snprintf(now, sizeof(now), "%" PRIu64, *p->u);
		snprintf(said, sizeof(said), "%" PRIu64, p->u_said);
	} else {
		if (*p->d == p->d_said)
			return 0;
		lu_num_format(*p->d, now);
		lu_num_format(p->d_said, said);
	}
	return disagree(in, p->key, now, said, err);
}

/* The two keys that are no numbers. */
static int match_words(
		struct lt_settings *s, const struct init *in, const bool *given, struct lu_err *err)
{
	static const char *const ropes[] = { "none", "linear", "llama3" };

	if (!is_given(given, "tied"))
		s->model.tied = in->shape.tied;
	if (!is_given(given, "rope_scaling"))
		s->model.rope_scaling = in->shape.rope_scaling;
	if (s->model.tied != in->shape.tied)
		return disagree(in, "tied", s->model.tied ? "yes" : "no",
				in->shape.tied ? "yes" : "no", err);
	if (s->model.rope_scaling != in->shape.rope_scaling)
		return disagree(in, "rope_scaling", ropes[s->model.rope_scaling],
				ropes[in->shape.rope_scaling], err);
	return 0;
}

static int match(
		struct lt_settings *s, const struct init *in, const bool *given, struct lu_err *err)
{
	struct pair pair[PAIRS];
	bool preset = *s->model.preset != '\0';

	list_pairs(s, &in->shape, pair);
	for (size_t i = 0; i < PAIRS; i++) {
		const struct pair *p = &pair[i];

		/* A preset has no vocabulary of its own, or sets it afterwards. */
		if (is_silent(p, &in->shape) || is_given(given, p->key) ||
				(preset && p->of_preset && strcmp(p->key, "vocab") != 0))
			continue;
		if (p->u)
			*p->u = p->u_said;
		else
			*p->d = p->d_said;
	}
	if (lt_settings_preset(s, given, err) < 0 || match_words(s, in, given, err) < 0)
		return -1;
	for (size_t i = 0; i < PAIRS; i++) {
		if (!is_silent(&pair[i], &in->shape) && strcmp(pair[i].key, "init_std") != 0 &&
				compare(in, &pair[i], err) < 0)
			return -1;
	}
	return 0;
}

/* True if every key of [model] is given but the name of a preset, which then says nothing. */
static bool all_given(const bool *given)
{
	const char *section;
	const struct lu_opt *key;

	for (size_t i = 0; (key = lt_settings_key(i, &section)) && strcmp(section, "model") == 0;
			i++) {
		if (!given[i] && strcmp(key->name, "preset") != 0)
			return false;
	}
	return true;
}

int lt_init_settings(struct lt_settings *s, const char *init, const bool *given, struct lu_err *err)
{
	struct init in;
	int rc;

	if (all_given(given))
		return 0;
	rc = open_init(&in, init, err);

	if (rc == 0 && in.file)
		rc = match(s, &in, given, err);
	else if (rc == 0 && s->model.hidden == 0 && !*s->model.preset)
		rc = lu_err_set(err,
				"train.init: %s has no config.json that says what the model is, "
				"and "
				"[model] does not either",
				in.dir);
	close_init(&in);
	return rc;
}

/* --- weights ---------------------------------------------------------------------------------- */

/* Compare all keys, whoever set them. */
static int match_all(const struct lt_settings *s, const struct init *in, struct lu_err *err)
{
	bool *given = malloc(lt_settings_keys());
	struct lt_settings copy = *s;
	int rc;

	if (!given)
		return lu_err_nomem(err);
	memset(given, true, lt_settings_keys());
	rc = match(&copy, in, given, err);
	free(given);
	return rc;
}

/* Say that transformers 5 would read other ids than this program. */
static int speak_of_class(const struct init *in, struct lu_err *err)
{
	struct lu_buf note = { 0 };
	int rc = lt_hf_tokenizer_class(in->dir, &note, err);

	if (rc == 1)
		lu_note("%s", note.p);
	lu_buf_release(&note);
	return rc < 0 ? -1 : 0;
}

/* Say that the ids of the run are not those that the model was trained on, as far as files tell. */
static int speak_of_tokenizer(const struct lt_settings *s, const char *init, struct lu_err *err)
{
	struct lt_digest model, run;
	char *path;
	int rc = lt_init_tokenizer(init, &path, err);

	if (rc < 0 || !path || !*s->data.tokenizer)
		goto out;
	rc = lt_file_digest(path, &model, err);
	if (rc == 0)
		rc = lt_file_digest(s->data.tokenizer, &run, err);
	if (rc == 0 && strcmp(model.hash, run.hash) != 0)
		lu_note("%s: is another tokenizer than %s, which the run reads: an id must mean "
			"the same in both",
				path, s->data.tokenizer);
out:
	free(path);
	return rc;
}

int lt_init_check(const struct lt_settings *s, const char *init, bool speak, struct lu_err *err)
{
	struct lt_pad pad = { .seed = s->train.seed };
	struct lt_shape shape;
	struct init in;
	int rc = open_init(&in, init, err);

	if (rc == 0 && in.file)
		rc = match_all(s, &in, err);
	lt_settings_shape(s, &shape);
	pad.rows = in.shape.vocab;
	if (rc == 0 &&
			lt_import_check(&shape, in.dir,
					in.file && pad.rows < shape.vocab ? &pad : NULL, err) < 0)
		rc = lu_err_wrap(err, "train.init");
	if (rc == 0 && speak)
		rc = speak_of_class(&in, err);
	if (rc == 0 && speak)
		rc = speak_of_tokenizer(s, init, err);
	close_init(&in);
	return rc;
}

int lt_init_load(const struct lt_settings *s, struct lt_weights *w, uint64_t *context,
		struct lu_err *err)
{
	struct lt_pad pad = { .seed = s->train.seed };
	struct init in;
	int rc = open_init(&in, s->train.init, err);

	pad.rows = in.shape.vocab;
	*context = rc == 0 && lt_rope_same(&in.shape, &w->table.shape) ? in.context : 0;
	if (rc == 0 &&
			lt_tensors_import(w, in.dir,
					in.file && pad.rows < w->table.shape.vocab ? &pad : NULL,
					err) < 0)
		rc = lu_err_wrap(err, "train.init");
	close_init(&in);
	return rc;
}

/* Folders that may have the tokenizer and the chat template: the one named, and the run of a
 * checkpoint. */
static int find_beside(const char *init, const char *name, char **dir, struct lu_err *err)
{
	*dir = NULL;
	if (lt_folder_has(init, name)) {
		*dir = strdup(init);
	} else if (lt_folder_has(init, "manifest.json")) {
		*dir = lu_concat(init, "/", "..");
		if (*dir && !lt_folder_has(*dir, name)) {
			free(*dir);
			*dir = NULL;
			return 0;
		}
	} else {
		return 0;
	}
	return *dir ? 0 : lu_err_nomem(err);
}

int lt_init_tokenizer(const char *init, char **path, struct lu_err *err)
{
	char *dir;

	*path = NULL;
	if (find_beside(init, "tokenizer.json", &dir, err) < 0)
		return -1;
	if (!dir)
		return 0;
	*path = lu_concat(dir, "/", "tokenizer.json");
	free(dir);
	return *path ? 0 : lu_err_nomem(err);
}

int lt_init_chat(const char *init, struct lu_buf *out, struct lu_err *err)
{
	char *dir;
	int rc;

	if (lt_folder_has(init, "config.json"))
		return lt_hf_chat_template(init, out, err) < 0 ? -1 : 0;
	if (find_beside(init, "chat_template.jinja", &dir, err) < 0)
		return -1;
	rc = dir ? lt_hf_chat_template(dir, out, err) : 0;
	free(dir);
	return rc < 0 ? -1 : 0;
}
