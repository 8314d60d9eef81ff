/* lucie-export: exports a model in Hugging Face format. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/folder.h"
#include "trainer/run/hugging_face.h"
#include "trainer/run/loaded_model.h"

struct options {
	struct lu_std std;
	const char *tokenizer;
	uint64_t step, max_shard;
	enum lu_st_type dtype;
	bool init;
};

static const struct lu_enum dtypes[] = {
	{ "bf16", LU_ST_BF16 },
	{ "f32", LU_ST_F32 },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json to copy"),
	LU_OPT_ENUM(0, "dtype", struct options, dtype, dtypes, "type of the weights"),
	LU_OPT_SIZE(0, "max-shard", struct options, max_shard, "SIZE",
			"maximum size of a weights file"),
	LU_OPT_U64(0, "from-step", struct options, step, "N",
			"export the checkpoint of step N (the last)"),
	LU_OPT_FLAG(0, "init", struct options, init, "export the initial weights of the run"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-export", "exports a model in Hugging Face format",
	"RUN", opts, LU_STD_DIR | LU_STD_PROGRESS, offsetof(struct options, std) };

/* Write a file, and clear the buffer. */
static int write_text(const char *dir, const char *name, struct lu_buf *b, struct lu_err *err)
{
	int rc = lu_buf_check(b, err);

	if (rc == 0)
		rc = lt_folder_write(dir, name, lu_buf_slice(b), err);
	lu_buf_clear(b);
	return rc;
}

/* --- weights --------------------------------------------------------------------------------- */

/* Number of parameters from `first` on that fit in a file of at most `limit` bytes, at least one. */
static size_t fit(const struct lt_table *t, size_t first, enum lu_st_type type, uint64_t limit)
{
	uint64_t bytes = 0;
	size_t n = 0;

	while (first + n < t->n) {
		bytes += t->param[first + n].count * lu_st_width(type);
		if (n > 0 && bytes > limit)
			break;
		n++;
	}
	return n;
}

static size_t count_files(const struct lt_table *t, enum lu_st_type type, uint64_t limit)
{
	size_t files = 0;

	for (size_t i = 0; i < t->n; i += fit(t, i, type, limit))
		files++;
	return files;
}

/* Progress over all files. */
struct shown {
	struct lu_progress progress;
	uint64_t before; /* bytes of the files that are complete */
	size_t file;
};

static void show(void *ctx, uint64_t bytes)
{
	struct shown *s = ctx;

	lu_progress_update(&s->progress, s->before + bytes, s->file);
}

/* Write n parameters to a file, and their lines of the weight map. */
static int write_file(struct lt_weights *w, size_t first, size_t n, enum lu_st_type type,
		const char *dir, const char *name, struct lu_buf *map, struct shown *shown,
		struct lu_err *err)
{
	char *path = lu_concat(dir, "/", name);
	struct lt_digest digest = { 0 };
	int rc = path ? lt_tensors_write(w, LT_VECTOR_P, first, n, type, path,
					"{\"format\":\"pt\"}", &digest, show, shown, err)
		      : lu_err_nomem(err);

	free(path);
	shown->before += digest.bytes;
	shown->file++;
	for (size_t i = first; i < first + n; i++)
		lt_hf_put_tensor(map, w->table.param[i].name, name);
	return rc;
}

static int write_index(
		const char *dir, uint64_t bytes, const struct lu_buf *map, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc = lu_buf_check(map, err);

	lt_hf_index(bytes, map, &b);
	if (rc == 0)
		rc = write_text(dir, "model.safetensors.index.json", &b, err);
	lu_buf_release(&b);
	return rc;
}

/* Write the weights to one file, or to several and an index. */
static int write_weights(
		const struct options *o, struct lt_weights *w, const char *dir, struct lu_err *err)
{
	const struct lt_table *t = &w->table;
	size_t files = count_files(t, o->dtype, o->max_shard), file = 0;
	uint64_t bytes = (uint64_t)t->total * lu_st_width(o->dtype);
	struct shown shown = { 0 };
	struct lu_buf map = { 0 };
	int rc = 0;

	lu_progress_start(&shown.progress, tool.name, o->std.progress, bytes);
	shown.progress.unit = "files";
	lu_json_open_object(&map, NULL);
	for (size_t i = 0, n; i < t->n && rc == 0; i += n) {
		char name[64] = "model.safetensors";

		n = fit(t, i, o->dtype, o->max_shard);
		if (files > 1)
			snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", ++file,
					files);
		rc = write_file(w, i, n, o->dtype, dir, name, &map, &shown, err);
	}
	if (rc == 0 && files > 1)
		rc = write_index(dir, bytes, &map, err);
	lu_progress_end(&shown.progress);
	lu_buf_release(&map);
	return rc;
}

/* --- the folder ------------------------------------------------------------------------------ */

/* Write tokenizer.json and tokenizer_config.json, and look up the ids. */
static int write_tokenizer(struct lt_loaded_model *m, const char *dir, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	struct lu_tok *tok;
	int rc;

	if (lt_loaded_model_tokenizer(m, &tok, err) < 0)
		return -1;
	rc = lt_hf_tokenizer_ids(tok, &m->ids, &m->arena, err);
	if (rc == 0) {
		lt_hf_tokenizer_config(tok, m->pos.context, &b);
		rc = write_text(dir, "tokenizer_config.json", &b, err);
	}
	if (rc == 0)
		rc = lt_folder_copy(m->tokenizer, dir, "tokenizer.json", err);
	lu_buf_release(&b);
	lu_tok_free(tok);
	return rc;
}

static int write_all(const struct options *o, struct lt_loaded_model *m, const char *dir,
		struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc = 0;

	if (m->tokenizer)
		rc = write_tokenizer(m, dir, err);
	if (rc == 0)
		rc = write_weights(o, m->w, dir, err);
	if (rc == 0) {
		lt_hf_config(&m->w->table.shape, &m->pos, &m->ids, o->dtype, &b);
		rc = write_text(dir, "config.json", &b, err);
	}
	if (rc == 0) {
		lt_hf_generation_config(&m->pos, &m->ids, &b);
		rc = write_text(dir, "generation_config.json", &b, err);
	}
	lu_buf_release(&b);
	return rc;
}

/* "dir/.name.lu-tmp" for "dir/name"; NULL when memory is out. */
static char *temp_name(const char *target)
{
	const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
	char *path;

	return asprintf(&path, "%.*s.%s.lu-tmp", (int)(name - target), target, name) < 0 ? NULL
											 : path;
}

/* Write a temporary folder and rename it, so that the target appears whole. */
static int write_folder(const struct options *o, struct lt_loaded_model *m, const char *target,
		const char *temp, struct lu_err *err)
{
	struct lu_err ignored;
	int rc;

	if (lt_folder_remove(temp, err) < 0 || lu_make_folders(temp, err) < 0)
		return -1;
	rc = write_all(o, m, temp, err);
	if (rc == 0 && rename(temp, target) < 0)
		rc = lu_err_sys(err, errno, "%s", target);
	if (rc == 0)
		rc = lu_sync_folder(target, err);
	/* The first error is the one to report. */
	if (rc < 0)
		(void)lt_folder_remove(temp, &ignored);
	return rc;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct lt_model_spec spec = { .path = args->file[0],
		.step = o->step,
		.tokenizer = o->tokenizer,
		.init = o->init,
		/* Nothing is computed. */
		.compute = LT_COMPUTE_FP32,
		.device = LT_DEVICE_CPU };
	char *target = strdup(o->std.output), *temp = NULL;
	struct lt_loaded_model m = { 0 };
	int rc = -1;

	for (size_t n = target ? strlen(target) : 0; n > 1 && target[n - 1] == '/'; n--)
		target[n - 1] = '\0';
	temp = target ? temp_name(target) : NULL;
	if (!temp)
		lu_err_nomem(err);
	else if (access(target, F_OK) == 0)
		lu_err_set(err, "%s: exists; remove it, or give another folder", target);
	else if (lt_loaded_model_open(&m, &spec, err) == 0)
		rc = write_folder(o, &m, target, temp, err);
	lt_loaded_model_close(&m);
	free(temp);
	free(target);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS,
		.step = UINT64_MAX,
		.max_shard = (uint64_t)5000000000,
		.dtype = LU_ST_BF16 };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &o, &args);
	if (args.files != 1 || args.file[0][0] == '-')
		lu_usage_error("give one model");
	if (!o.std.output)
		lu_usage_error("no folder: give -o DIR");
	if (o.init && o.step != UINT64_MAX)
		lu_usage_error("--init and --from-step exclude each other");
	return lu_tool_finish(run(&o, &args, &err), &err);
}
