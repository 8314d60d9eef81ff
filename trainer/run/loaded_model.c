#include "trainer/run/loaded_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/file.h"
#include "libcommon/sys/tool.h"
#include "trainer/model/tensor_import.h"
#include "trainer/run/backend.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/config.h"
#include "trainer/run/folder.h"
#include "trainer/run/init_model.h"

const struct lu_enum lt_computes[] = {
	{ "run", LT_COMPUTE_AS_TRAINED },
	{ "fp32", LT_COMPUTE_FP32 },
	{ "bf16", LT_COMPUTE_BF16 },
	LU_ENUM_END,
};

/* --- weights ---------------------------------------------------------------------------------- */

static int open_weights(struct lt_loaded_model *m, const struct lt_shape *shape,
		enum lt_dtype trained, struct lu_err *err)
{
	const struct lt_holding holding = { .dp_size = 1, .packed = m->generate };
	struct lt_backend b;
	struct lk_err kerr;

	if (m->compute != LT_COMPUTE_AS_TRAINED)
		trained = m->compute == LT_COMPUTE_BF16 ? LT_BF16 : LT_FP32;
	if (lt_backend_choose(&b, m->device, trained, err) < 0)
		return -1;
	m->ops = b.ops;
	if (m->ops->open(&m->q, 0, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	return lt_weights_open(&m->w, m->ops, m->q, shape, NULL, &holding, err);
}

static int open_checkpoint(struct lt_loaded_model *m, const char *dir, struct lu_err *err)
{
	struct lt_shape shape;

	if (lt_manifest_read(dir, &m->pos, &shape, err) < 0 ||
			open_weights(m, &shape, lt_dtype_of(m->pos.by.dtype), err) < 0)
		return -1;
	return lt_checkpoint_load(dir, m->w, err);
}

/* Read the configuration of a run, and the settings of its first phase. */
static int read_settings(
		const char *run, struct lt_config *c, struct lt_settings *s, struct lu_err *err)
{
	char *path = lu_concat(run, "/", "config.ini");
	int rc = path ? lt_config_init(c, err) : lu_err_nomem(err);

	if (rc == 0)
		rc = lt_config_read(c, path, err);
	if (rc == 0)
		rc = lt_config_check(c, err);
	if (rc == 0)
		rc = lt_config_phase(c, 0, s, err);
	free(path);
	return rc;
}

/* Compute the initial weights of a run again. */
static int open_initial(struct lt_loaded_model *m, const char *run, struct lu_err *err)
{
	struct lt_config c = { 0 };
	struct lt_settings s;
	struct lt_shape shape;
	uint64_t context = 0;
	int rc = read_settings(run, &c, &s, err);

	if (rc == 0) {
		lt_settings_shape(&s, &shape);
		rc = open_weights(m, &shape, s.train.dtype, err);
	}
	if (rc == 0) {
		rc = *s.train.init ? lt_init_load(&s, m->w, &context, err)
				   : lt_weights_init(m->w, s.train.seed, err);
		m->pos.context = s.train.context > context ? s.train.context : context;
	}
	lt_config_release(&c);
	return rc;
}

static int open_hugging_face(struct lt_loaded_model *m, const char *dir, struct lu_err *err)
{
	char *path = lu_concat(dir, "/", "config.json");
	struct lt_hf_about about = { 0 };
	struct lu_buf note = { 0 };
	struct lt_shape shape;
	int rc = path ? lt_hf_read_config(path, &shape, &about, &m->ids, &m->arena, err)
		      : lu_err_nomem(err);

	m->pos.context = about.context;
	m->pos.step = about.steps;
	m->pos.tokens = about.tokens;
	/* Before memory is taken for what the file says. */
	if (rc == 0 &&
			(lt_hf_read_generation(dir, shape.vocab, &m->ids, &m->arena, err) < 0 ||
					lt_import_check(&shape, dir, NULL, err) < 0 ||
					lt_hf_tokenizer_class(dir, &note, err) < 0))
		rc = -1;
	if (rc == 0 && note.n)
		lu_note("%s", note.p);
	if (rc == 0)
		rc = open_weights(m, &shape, LT_FP32, err);
	if (rc == 0)
		rc = lt_tensors_import(m->w, dir, NULL, err);
	lu_buf_release(&note);
	free(path);
	return rc;
}

/* --- tokenizer -------------------------------------------------------------------------------- */

/* Note the tokenizer that the model or the data must have; `name` is what says so. */
static int expect(struct lt_loaded_model *m, const char *name, const char *hash, struct lu_err *err)
{
	free(m->expected_by);
	m->expected_by = strdup(name);
	snprintf(m->expected, sizeof(m->expected), "%s", hash);
	return m->expected_by ? 0 : lu_err_nomem(err);
}

/* Fail if `name` has or was made with another tokenizer than what was noted, if anything was. */
static int compare(const struct lt_loaded_model *m, const char *name, const char *verb,
		const char *hash, struct lu_err *err)
{
	if (!m->expected[0] || strcmp(m->expected, hash) == 0)
		return 0;
	return lu_err_set(err, "%s: %s another tokenizer than %s (XXH3-128 %s, not %s)", name, verb,
			m->expected_by, hash, m->expected);
}

/* Find the tokenizer of the folder or, for a checkpoint, of its run. */
static int find_tokenizer(struct lt_loaded_model *m, const char *folder, struct lu_err *err)
{
	const char *name = lt_folder_has(folder, "tokenizer.json") ? "tokenizer.json"
			: lt_folder_has(folder, "manifest.json") &&
					lt_folder_has(folder, "../tokenizer.json")
			? "../tokenizer.json"
			: NULL;
	struct lt_digest digest;

	if (!name)
		return 0;
	m->tokenizer = lu_concat(folder, "/", name);
	if (!m->tokenizer)
		return lu_err_nomem(err);
	if (lt_file_digest(m->tokenizer, &digest, err) < 0)
		return -1;
	return expect(m, m->tokenizer, digest.hash, err);
}

/* Note the tokenizer of a shard, unless it has no manifest or the manifest does not say. */
static int expect_of_shard(struct lt_loaded_model *m, const char *prefix, struct lu_err *err)
{
	char *path = lu_concat(prefix, ".json", NULL);
	struct lu_manifest manifest = { 0 };
	struct lu_err why;
	int rc = path ? 0 : lu_err_nomem(err);

	if (rc == 0 && lu_manifest_read(&manifest, path, &why) == 0 && manifest.tokenizer)
		rc = expect(m, prefix, manifest.tokenizer, err);
	lu_manifest_release(&manifest);
	free(path);
	return rc;
}

/* A run without a tokenizer was trained on shards of one. They may have moved since. */
static int find_training_shard(struct lt_loaded_model *m, const char *folder, struct lu_err *err)
{
	static const char blanks[] = " \t";
	struct lt_config c = { 0 };
	struct lt_settings s;
	struct lu_err why;
	int rc = 0;

	if (lt_folder_has(folder, "config.ini") && read_settings(folder, &c, &s, &why) == 0) {
		const char *p = s.data.train + strspn(s.data.train, blanks);

		for (; rc == 0 && *p && !m->expected[0]; p += strspn(p, blanks)) {
			size_t n = strcspn(p, blanks);
			char *prefix = strndup(p, n);

			rc = prefix ? expect_of_shard(m, prefix, err) : lu_err_nomem(err);
			free(prefix);
			p += n;
		}
	}
	lt_config_release(&c);
	return rc;
}

/* Take the given tokenizer if it is the model's. */
static int take_tokenizer(struct lt_loaded_model *m, const char *path, struct lu_err *err)
{
	struct lt_digest digest;

	if (lt_file_digest(path, &digest, err) < 0 ||
			compare(m, path, "is", digest.hash, err) < 0 ||
			expect(m, path, digest.hash, err) < 0)
		return -1;
	free(m->tokenizer);
	m->tokenizer = strdup(path);
	return m->tokenizer ? 0 : lu_err_nomem(err);
}

static int open_tokenizer(
		struct lt_loaded_model *m, const struct lt_model_spec *spec, struct lu_err *err)
{
	if (find_tokenizer(m, spec->path, err) < 0)
		return -1;
	if (!m->tokenizer && find_training_shard(m, spec->path, err) < 0)
		return -1;
	return spec->tokenizer ? take_tokenizer(m, spec->tokenizer, err) : 0;
}

int lt_loaded_model_tokenizer(
		const struct lt_loaded_model *m, struct lu_tok **tok, struct lu_err *err)
{
	size_t vocab = m->w->table.shape.vocab;

	*tok = NULL;
	if (!m->tokenizer)
		return lu_err_set(err, "the model has no tokenizer.json: give -t FILE");
	if (lu_tok_load(tok, m->tokenizer, err) < 0)
		return -1;
	if (lu_tok_size(*tok) <= vocab)
		return 0;
	lu_err_set(err, "%s: %u tokens, more than the %zu of the model", m->tokenizer,
			lu_tok_size(*tok), vocab);
	lu_tok_free(*tok);
	*tok = NULL;
	return -1;
}

int lt_loaded_model_check_shard(
		struct lt_loaded_model *m, const struct lu_shard *shard, struct lu_err *err)
{
	const struct lu_manifest *manifest = lu_shard_manifest(shard);
	const char *prefix = lu_shard_prefix(shard);

	if (!manifest || !manifest->tokenizer)
		return 0;
	if (compare(m, prefix, "was made with", manifest->tokenizer, err) < 0)
		return -1;
	return m->expected[0] ? 0 : expect(m, prefix, manifest->tokenizer, err);
}

/* --- the model -------------------------------------------------------------------------------- */

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
	*m = (struct lt_loaded_model){
		.generate = spec->generate, .compute = spec->compute, .device = spec->device
	};
	if (open_folder(m, spec, err) < 0 || open_tokenizer(m, spec, err) < 0) {
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
	free(m->expected_by);
	lu_arena_release(&m->arena);
	*m = (struct lt_loaded_model){ 0 };
}
