/* lucie-export: exports a model in the form of Hugging Face, or as GGUF. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "libcommon/sys/tool.h"
#include "trainer/export/gguf.h"
#include "trainer/export/hf_files.h"
#include "trainer/export/hf_weights.h"
#include "trainer/export/model_card.h"
#include "trainer/run/folder.h"
#include "trainer/run/init_model.h"
#include "trainer/run/loaded_model.h"

#define CHAT_MAX ((size_t)1 << 20)

struct options {
	struct lu_std std;
	const char *tokenizer, *chat, *gguf, *name;
	struct lu_list results;
	uint64_t step, max_shard;
	enum lu_st_type dtype;
	bool init, no_tokenizer, max_shard_given;
};

static const struct lu_enum dtypes[] = {
	{ "bf16", LU_ST_BF16 },
	{ "f16", LU_ST_F16 },
	{ "f32", LU_ST_F32 },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json to copy"),
	LU_OPT_FLAG(0, "no-tokenizer", struct options, no_tokenizer, "export no tokenizer"),
	LU_OPT_STR(0, "chat-template", struct options, chat, "FILE", "chat template (the model's)"),
	LU_OPT_STR(0, "gguf", struct options, gguf, "FILE", "write a GGUF file, for llama.cpp"),
	LU_OPT_ENUM(0, "dtype", struct options, dtype, dtypes, "type of the weights"),
	LU_OPT_SIZE_GIVEN(0, "max-shard", struct options, max_shard, max_shard_given, "SIZE",
			"maximum size of a weights file"),
	LU_OPT_STR(0, "name", struct options, name, "NAME", "the model's name, for card and GGUF"),
	LU_OPT_LIST(0, "results", struct options, results, "FILE",
			"results of lucie-eval for the model card"),
	LU_OPT_U64(0, "from-step", struct options, step, "N",
			"export the checkpoint of step N (the last)"),
	LU_OPT_FLAG(0, "init", struct options, init, "export the initial weights of the run"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-export",
	"exports a model in the form of Hugging Face, or as GGUF", "RUN", opts,
	LU_STD_DIR | LU_STD_PROGRESS, offsetof(struct options, std) };

/* What is exported. */
struct model {
	struct lt_loaded_model m;
	struct lu_tok *tok; /* NULL: none */
	struct lu_buf chat; /* empty: none */
};

/* Write a file, and clear the buffer. */
static int write_text(const char *dir, const char *name, struct lu_buf *b, struct lu_err *err)
{
	int rc = lu_buf_check(b, err);

	if (rc == 0)
		rc = lt_folder_write(dir, name, lu_buf_slice(b), err);
	lu_buf_clear(b);
	return rc;
}

/* --- the model -------------------------------------------------------------------------------- */

static int read_chat(const struct options *o, const char *path, struct model *x, struct lu_err *err)
{
	char *text;
	size_t n;

	if (!o->chat)
		return lt_init_chat(path, &x->chat, err);
	if (lu_read_input(o->chat, CHAT_MAX, &text, &n, err) < 0)
		return -1;
	lu_buf_append(&x->chat, text, n);
	free(text);
	return lu_buf_check(&x->chat, err);
}

static int open_model(
		const struct options *o, const char *path, struct model *x, struct lu_err *err)
{
	struct lt_model_spec spec = { .path = path,
		.step = o->step,
		.tokenizer = o->tokenizer,
		.init = o->init,
		/* Nothing is computed. */
		.compute = LT_COMPUTE_FP32,
		.device = LT_DEVICE_CPU };

	if (lt_loaded_model_open(&x->m, &spec, err) < 0 || read_chat(o, path, x, err) < 0)
		return -1;
	if (!x->m.tokenizer || o->no_tokenizer)
		return 0;
	if (lt_loaded_model_tokenizer(&x->m, &x->tok, err) < 0)
		return -1;
	return lt_hf_tokenizer_ids(x->tok, lu_buf_slice(&x->chat), &x->m.ids, &x->m.arena, err);
}

static void close_model(struct model *x)
{
	lu_tok_free(x->tok);
	lu_buf_release(&x->chat);
	lt_loaded_model_close(&x->m);
}

/* --- the folder ------------------------------------------------------------------------------ */

/* Write tokenizer.json, tokenizer_config.json and chat_template.jinja. */
static int write_tokenizer(const struct model *x, const char *dir, struct lu_err *err)
{
	struct lu_str chat = lu_buf_slice(&x->chat);
	struct lu_buf b = { 0 };
	int rc;

	lt_hf_tokenizer_config(x->tok, x->m.pos.context, chat, &b);
	rc = write_text(dir, "tokenizer_config.json", &b, err);
	if (rc == 0)
		rc = lt_folder_copy(x->m.tokenizer, dir, "tokenizer.json", err);
	if (rc == 0 && chat.n)
		rc = lt_folder_write(dir, "chat_template.jinja", chat, err);
	lu_buf_release(&b);
	return rc;
}

static int write_card(const struct options *o, const char *path, const struct model *x,
		const char *dir, struct lu_err *err)
{
	const struct lt_card card = { .run = path,
		.name = o->name,
		.table = &x->m.w->table,
		.pos = &x->m.pos,
		.type = o->dtype,
		.initial = o->init,
		.chat = x->chat.n > 0,
		.results = o->results.item,
		.n_results = o->results.n };
	struct lu_buf b = { 0 };
	int rc = lt_card_write(&card, &b, err);

	if (rc == 0)
		rc = write_text(dir, "README.md", &b, err);
	lu_buf_release(&b);
	return rc;
}

static int write_all(const struct options *o, const char *path, const struct model *x,
		const char *dir, struct lu_err *err)
{
	const struct lt_hf_weights weights = { .type = o->dtype,
		.shard_size = o->max_shard,
		.tool = tool.name,
		.progress = o->std.progress };
	struct lu_buf b = { 0 };
	int rc = 0;

	if (x->tok)
		rc = write_tokenizer(x, dir, err);
	if (rc == 0)
		rc = write_card(o, path, x, dir, err);
	if (rc == 0)
		rc = lt_hf_weights_write(&weights, x->m.w, dir, err);
	if (rc == 0) {
		lt_hf_config(&x->m.w->table.shape, &x->m.pos, &x->m.ids, o->dtype, &b);
		rc = write_text(dir, "config.json", &b, err);
	}
	if (rc == 0) {
		lt_hf_generation_config(&x->m.pos, &x->m.ids, &b);
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
static int write_folder(const struct options *o, const char *path, const struct model *x,
		const char *target, const char *temp, struct lu_err *err)
{
	struct lu_err ignored;
	int rc;

	if (lt_folder_remove(temp, err) < 0 || lu_make_folders(temp, err) < 0)
		return -1;
	rc = write_all(o, path, x, temp, err);
	if (rc == 0 && rename(temp, target) < 0)
		rc = lu_err_sys(err, errno, "%s", target);
	if (rc == 0)
		rc = lu_sync_folder(target, err);
	/* The first error is the one to report. */
	if (rc < 0)
		(void)lt_folder_remove(temp, &ignored);
	return rc;
}

static int write_gguf(const struct options *o, const struct model *x, struct lu_err *err)
{
	const struct lt_gguf g = { .type = o->dtype,
		.context = x->m.pos.context,
		.name = o->name,
		.tokenizer = x->m.tokenizer,
		.tok = x->tok,
		.chat = lu_buf_slice(&x->chat),
		.tool = tool.name,
		.progress = o->std.progress };

	return lt_gguf_write(&g, x->m.w, o->gguf, err);
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	char *target = strdup(o->std.output ? o->std.output : ""), *temp = NULL;
	struct model x = { 0 };
	int rc = -1;

	for (size_t n = target ? strlen(target) : 0; n > 1 && target[n - 1] == '/'; n--)
		target[n - 1] = '\0';
	temp = target ? temp_name(target) : NULL;
	if (!temp)
		lu_err_nomem(err);
	else if (o->std.output && access(target, F_OK) == 0)
		lu_err_set(err, "%s: exists; remove it, or give another folder", target);
	else
		rc = open_model(o, args->file[0], &x, err);
	if (rc == 0 && o->gguf)
		rc = write_gguf(o, &x, err);
	if (rc == 0 && o->std.output)
		rc = write_folder(o, args->file[0], &x, target, temp, err);
	close_model(&x);
	free(temp);
	free(target);
	return rc;
}

/* Refuse options that go with a folder, or do not go together. */
static void check(const struct options *o, const struct lu_args *args)
{
	if (args->files != 1 || args->file[0][0] == '-')
		lu_usage_error("give one model");
	if (!o->std.output && !o->gguf)
		lu_usage_error("no folder: give -o DIR");
	if (!o->std.output && o->results.n)
		lu_usage_error("--results is for the model card of a folder: give -o DIR");
	if (!o->std.output && o->max_shard_given)
		lu_usage_error("--max-shard is for the weight files of a folder: give -o DIR");
	if (o->max_shard_given && o->max_shard == 0)
		lu_usage_error("--max-shard 0 leaves no room for a tensor");
	if (o->std.output && o->gguf && strcmp(o->std.output, o->gguf) == 0)
		lu_usage_error("-o and --gguf name the same file");
	if (o->init && o->step != UINT64_MAX)
		lu_usage_error("--init and --from-step exclude each other");
	if (o->no_tokenizer && o->tokenizer)
		lu_usage_error("--no-tokenizer and -t exclude each other");
	if (o->no_tokenizer && o->chat)
		lu_usage_error("--no-tokenizer and --chat-template exclude each other");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS,
		.step = UINT64_MAX,
		.max_shard = (uint64_t)5000000000,
		.dtype = LU_ST_BF16 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	check(&o, &args);
	rc = run(&o, &args, &err);
	lu_list_release(&o.results);
	return lu_tool_finish(rc, &err);
}
