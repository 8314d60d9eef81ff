/* lucie-export: writes a model as a Hugging Face folder. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/modeldir.h"
#include "trainer/run/runfolder.h"

struct config {
	struct lu_std std;
	const char *tokenizer;
	uint64_t step, shard;
	int dtype;
	bool init;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct config, tokenizer, "FILE", "tokenizer.json to copy"),
	LU_OPT_CHOICE(0, "dtype", struct config, dtype, "bf16|f32", "type of the weights"),
	LU_OPT_SIZE(0, "max-shard", struct config, shard, "SIZE", "largest file of weights"),
	LU_OPT_U64(0, "from-step", struct config, step, "N", "the checkpoint of this step"),
	LU_OPT_FLAG(0, "init", struct config, init, "the run's weights before its first step"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-export", "writes a model as a Hugging Face folder",
	"RUN", opts, LU_STD_OUTNAME, offsetof(struct config, std) };

/* Token ids that generation needs. Lucie-7B's where there is no tokenizer to ask. */
struct ids {
	uint32_t bos, eos, pad;
};

/* A number that readers of typed JSON take for a float: 10000.0. */
static void float_text(double v, char out[40])
{
	lu_num_format(v, out);
	if (!strpbrk(out, ".e"))
		strncat(out, ".0", 3);
}

static void config_json(const struct lt_opened *m, const struct ids *ids, enum lu_st_type type,
		struct lu_buf *b)
{
	const struct lt_shape *s = &m->w->table.shape;
	const char *dtype = type == LU_ST_BF16 ? "bfloat16" : "float32";
	char theta[40], eps[40], std[40];

	float_text(s->rope_theta, theta);
	float_text(s->norm_eps, eps);
	float_text(s->init_std, std);
	lu_buf_printf(b,
			"{\n  \"architectures\": [\n    \"LlamaForCausalLM\"\n  ],\n"
			"  \"attention_bias\": false,\n  \"attention_dropout\": 0.0,\n"
			"  \"bos_token_id\": %u,\n  \"dtype\": \"%s\",\n  \"eos_token_id\": %u,\n"
			"  \"head_dim\": %zu,\n  \"hidden_act\": \"silu\",\n  \"hidden_size\": "
			"%zu,\n"
			"  \"initializer_range\": %s,\n  \"intermediate_size\": %zu,\n"
			"  \"max_position_embeddings\": %" PRIu64 ",\n  \"mlp_bias\": false,\n"
			"  \"model_type\": \"llama\",\n",
			ids->bos, dtype, ids->eos, s->dim, s->hidden, std, s->ffn, m->at.context);
	lu_buf_printf(b,
			"  \"num_attention_heads\": %zu,\n  \"num_hidden_layers\": %zu,\n"
			"  \"num_key_value_heads\": %zu,\n  \"pad_token_id\": %u,\n"
			"  \"pretraining_tp\": 1,\n  \"rms_norm_eps\": %s,\n"
			"  \"rope_parameters\": {\n    \"rope_theta\": %s,\n    \"rope_type\": "
			"\"default\"\n"
			"  },\n  \"rope_scaling\": null,\n  \"rope_theta\": %s,\n"
			"  \"tie_word_embeddings\": %s,\n  \"torch_dtype\": \"%s\",\n",
			s->heads, s->layers, s->kv_heads, ids->pad, eps, theta, theta,
			s->tied ? "true" : "false", dtype);
	lu_buf_printf(b,
			"  \"training_steps\": %" PRIu64 ",\n  \"training_tokens\": %" PRIu64 ",\n"
			"  \"use_cache\": true,\n  \"vocab_size\": %zu\n}\n",
			m->at.step, m->at.tokens, s->vocab);
}

static int write_text(const char *dir, const char *name, struct lu_buf *b, struct lu_err *err)
{
	char *path = lt_run_path(dir, name);
	struct lu_atomic f;
	int rc = path ? lu_buf_check(b, err) : lu_err_nomem(err);

	if (rc == 0)
		rc = lu_atomic_open(&f, path, err);
	if (rc == 0) {
		rc = lu_atomic_write(&f, b->p, b->n, err);
		if (rc == 0)
			rc = lu_atomic_commit(&f, err);
		else
			lu_atomic_abort(&f);
	}
	free(path);
	lu_buf_clear(b);
	return rc;
}

/* How many parameters from `first` fit a file of at most `limit` bytes (at least one). */
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

/* The weights in one file, or in several and an index. */
static int write_weights(const struct config *c, struct lt_opened *m, const char *dir,
		enum lu_st_type type, struct lu_err *err)
{
	const struct lt_table *t = &m->w->table;
	size_t files = count_files(t, type, c->shard), file = 0;
	struct lu_buf map = { 0 }, index = { 0 };
	uint64_t total = 0;
	int rc = 0;

	for (size_t i = 0, n; i < t->n && rc == 0; i += n) {
		struct lt_written written;
		char name[64], *path;

		n = fit(t, i, type, c->shard);
		snprintf(name, sizeof(name), "model.safetensors");
		if (files > 1)
			snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", ++file,
					files);
		path = lt_run_path(dir, name);
		rc = path ? lt_tensors_write(m->w, LT_VECTOR_P, i, n, type, path,
					    "{\"format\":\"pt\"}", &written, err)
			  : lu_err_nomem(err);
		free(path);
		for (size_t k = 0; k < n; k++) {
			lu_buf_printf(&map, "%s\n    \"%s\": \"%s\"", i + k ? "," : "",
					t->param[i + k].name, name);
			total += t->param[i + k].count * lu_st_width(type);
		}
	}
	if (rc == 0 && files > 1) {
		lu_buf_printf(&index,
				"{\n  \"metadata\": {\n    \"total_size\": %" PRIu64
				"\n  },\n  \"weight_map\": {",
				total);
		lu_buf_str(&index, lu_buf_slice(&map));
		lu_buf_puts(&index, "\n  }\n}\n");
		rc = lu_buf_check(&map, err);
		if (rc == 0)
			rc = write_text(dir, "model.safetensors.index.json", &index, err);
	}
	lu_buf_release(&map);
	lu_buf_release(&index);
	return rc;
}

/* One member of tokenizer_config.json for a special token. */
static void token_member(
		const struct lu_tok *tok, enum lu_tok_role role, const char *key, struct lu_buf *b)
{
	uint32_t id;

	if (!lu_tok_role(tok, role, &id))
		return;
	lu_buf_printf(b, "  \"%s\": ", key);
	lu_json_quote(b, lu_tok_piece(tok, id));
	lu_buf_puts(b, ",\n");
}

static int write_tokenizer(
		const struct lt_opened *m, const char *dir, struct ids *ids, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	struct lu_tok *tok;
	int rc;

	if (lu_tok_load(&tok, m->tokenizer, err) < 0)
		return -1;
	lu_tok_role(tok, LU_TOK_BOS, &ids->bos);
	lu_tok_role(tok, LU_TOK_EOS, &ids->eos);
	lu_tok_role(tok, LU_TOK_PAD, &ids->pad);
	lu_buf_puts(&b, "{\n");
	token_member(tok, LU_TOK_BOS, "bos_token", &b);
	token_member(tok, LU_TOK_EOS, "eos_token", &b);
	token_member(tok, LU_TOK_UNK, "unk_token", &b);
	token_member(tok, LU_TOK_PAD, "pad_token", &b);
	lu_buf_printf(&b,
			"  \"clean_up_tokenization_spaces\": false,\n  \"model_max_length\": "
			"%" PRIu64 ",\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n",
			m->at.context);
	rc = write_text(dir, "tokenizer_config.json", &b, err);
	if (rc == 0)
		rc = lt_run_copy(m->tokenizer, dir, "tokenizer.json", err);
	lu_buf_release(&b);
	lu_tok_free(tok);
	return rc;
}

static int write_all(
		const struct config *c, struct lt_opened *m, const char *dir, struct lu_err *err)
{
	enum lu_st_type type = c->dtype == 0 ? LU_ST_BF16 : LU_ST_F32;
	struct ids ids = { 0, 1, 3 };
	struct lu_buf b = { 0 };
	int rc = 0;

	if (m->tokenizer)
		rc = write_tokenizer(m, dir, &ids, err);
	if (rc == 0)
		rc = write_weights(c, m, dir, type, err);
	if (rc == 0) {
		config_json(m, &ids, type, &b);
		rc = write_text(dir, "config.json", &b, err);
	}
	if (rc == 0) {
		lu_buf_printf(&b,
				"{\n  \"bos_token_id\": %u,\n  \"do_sample\": true,\n"
				"  \"eos_token_id\": %u,\n  \"max_length\": %" PRIu64 ",\n"
				"  \"pad_token_id\": %u,\n  \"temperature\": 0.6,\n  \"top_p\": "
				"0.9\n}\n",
				ids.bos, ids.eos, m->at.context, ids.pad);
		rc = write_text(dir, "generation_config.json", &b, err);
	}
	lu_buf_release(&b);
	return rc;
}

/* The folder beside the target, so that it appears whole: "dir/.name.lu-tmp". */
static char *beside(const char *target)
{
	const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
	char *path;

	return asprintf(&path, "%.*s.%s.lu-tmp", (int)(name - target), target, name) < 0 ? NULL
											 : path;
}

static int run(const struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lt_which which = {
		.path = args->file[0], .step = c->step, .token = c->tokenizer, .init = c->init
	};
	char *target = strdup(c->std.output), *temp = NULL;
	struct lt_opened m = { 0 };
	struct lu_err ignored;
	int rc = -1;

	for (size_t n = target ? strlen(target) : 0; n > 1 && target[n - 1] == '/'; n--)
		target[n - 1] = '\0';
	temp = target ? beside(target) : NULL;
	if (!temp) {
		lu_err_nomem(err);
		goto out;
	}
	if (access(target, F_OK) == 0) {
		lu_err_set(err, "%s: is there already; remove it, or give another name", target);
		goto out;
	}
	if (lt_opened_open(&m, &which, err) < 0)
		goto out;
	if (lt_folder_remove(temp, err) < 0 || lu_make_folders(temp, err) < 0)
		goto out;
	rc = write_all(c, &m, temp, err);
	if (rc == 0 && rename(temp, target) < 0)
		rc = lu_err_sys(err, errno, "%s", target);
	if (rc == 0)
		rc = lu_sync_folder(target, err);
	/* The first failure is the one to report. */
	if (rc < 0)
		(void)lt_folder_remove(temp, &ignored);
out:
	lt_opened_close(&m);
	free(temp);
	free(target);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = {
		.std = LU_STD_DEFAULTS, .step = UINT64_MAX, .shard = (uint64_t)5000000000
	};
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	if (args.files != 1 || args.file[0][0] == '-')
		lu_usage_error("give one model");
	if (!c.std.output)
		lu_usage_error("no folder: give -o DIR");
	if (c.init && c.step != UINT64_MAX)
		lu_usage_error("--init and --from-step exclude each other");
	return lu_tool_finish(run(&c, &args, &err), &err);
}
