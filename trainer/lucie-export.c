/* lucie-export: exports a model in Hugging Face format. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/folder.h"
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
	LU_OPT_U64(0, "from-step", struct options, step, "N", "export the checkpoint of step N"),
	LU_OPT_FLAG(0, "init", struct options, init, "export the initial weights of the run"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-export", "exports a model in Hugging Face format",
	"RUN", opts, LU_STD_OUTNAME, offsetof(struct options, std) };

/* Ids of the tokens that generation needs. */
struct special_ids {
	uint32_t bos, eos, pad;
};

/* --- JSON, laid out like that of Hugging Face ------------------------------------------------ */

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

static void close_object(struct lu_buf *b, int depth)
{
	start_line(b, depth);
	lu_json_close_object(b);
}

/* Close the top-level object, write the file, and clear the buffer. */
static int finish_file(const char *dir, const char *name, struct lu_buf *b, struct lu_err *err)
{
	int rc;

	close_object(b, 0);
	lu_buf_putc(b, '\n');
	rc = lu_buf_check(b, err);
	if (rc == 0)
		rc = lt_folder_write(dir, name, lu_buf_slice(b), err);
	lu_buf_clear(b);
	return rc;
}

/* --- config.json, generation_config.json ----------------------------------------------------- */

static void format_config(const struct lt_loaded_model *m, const struct special_ids *ids,
		enum lu_st_type type, struct lu_buf *b)
{
	const struct lt_shape *s = &m->w->table.shape;
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
	put_u64(b, "bos_token_id", ids->bos);
	put_cstr(b, "dtype", dtype);
	put_u64(b, "eos_token_id", ids->eos);
	put_u64(b, "head_dim", s->dim);
	put_cstr(b, "hidden_act", "silu");
	put_u64(b, "hidden_size", s->hidden);
	put_float(b, 1, "initializer_range", s->init_std);
	put_u64(b, "intermediate_size", s->ffn);
	put_u64(b, "max_position_embeddings", m->pos.context);
	put_bool(b, "mlp_bias", false);
	put_cstr(b, "model_type", "llama");
	put_u64(b, "num_attention_heads", s->heads);
	put_u64(b, "num_hidden_layers", s->layers);
	put_u64(b, "num_key_value_heads", s->kv_heads);
	put_u64(b, "pad_token_id", ids->pad);
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
	put_u64(b, "training_steps", m->pos.step);
	put_u64(b, "training_tokens", m->pos.tokens);
	put_bool(b, "use_cache", true);
	put_u64(b, "vocab_size", s->vocab);
}

static void format_generation(
		const struct lt_loaded_model *m, const struct special_ids *ids, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	put_u64(b, "bos_token_id", ids->bos);
	put_bool(b, "do_sample", true);
	put_u64(b, "eos_token_id", ids->eos);
	put_u64(b, "max_length", m->pos.context);
	put_u64(b, "pad_token_id", ids->pad);
	put_float(b, 1, "temperature", 0.6);
	put_float(b, 1, "top_p", 0.9);
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

/* Write n parameters to a file, and their lines of the weight map. */
static int write_file(struct lt_weights *w, size_t first, size_t n, enum lu_st_type type,
		const char *dir, const char *name, struct lu_buf *map, struct lu_err *err)
{
	char *path = lu_concat(dir, "/", name);
	struct lt_digest digest;
	int rc = path ? lt_tensors_write(w, LT_VECTOR_P, first, n, type, path,
					"{\"format\":\"pt\"}", &digest, err)
		      : lu_err_nomem(err);

	free(path);
	for (size_t i = first; i < first + n; i++) {
		key(map, 2, w->table.param[i].name);
		lu_json_put_cstr(map, NULL, name);
	}
	return rc;
}

static int write_index(
		const char *dir, uint64_t bytes, const struct lu_buf *map, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc = lu_buf_check(map, err);

	lu_json_open_object(&b, NULL);
	key(&b, 1, "metadata");
	lu_json_open_object(&b, NULL);
	key(&b, 2, "total_size");
	lu_json_put_u64(&b, NULL, bytes);
	close_object(&b, 1);
	key(&b, 1, "weight_map");
	lu_buf_str(&b, lu_buf_slice(map));
	close_object(&b, 1);
	if (rc == 0)
		rc = finish_file(dir, "model.safetensors.index.json", &b, err);
	lu_buf_release(&b);
	return rc;
}

/* Write the weights to one file, or to several and an index. */
static int write_weights(
		const struct options *o, struct lt_weights *w, const char *dir, struct lu_err *err)
{
	const struct lt_table *t = &w->table;
	size_t files = count_files(t, o->dtype, o->max_shard), file = 0;
	struct lu_buf map = { 0 };
	int rc = 0;

	lu_json_open_object(&map, NULL);
	for (size_t i = 0, n; i < t->n && rc == 0; i += n) {
		char name[64] = "model.safetensors";

		n = fit(t, i, o->dtype, o->max_shard);
		if (files > 1)
			snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", ++file,
					files);
		rc = write_file(w, i, n, o->dtype, dir, name, &map, err);
	}
	if (rc == 0 && files > 1)
		rc = write_index(dir, (uint64_t)t->total * lu_st_width(o->dtype), &map, err);
	lu_buf_release(&map);
	return rc;
}

/* --- tokenizer ------------------------------------------------------------------------------- */

static void put_token(
		struct lu_buf *b, const char *name, const struct lu_tok *tok, enum lu_tok_role role)
{
	uint32_t id;

	if (!lu_tok_role(tok, role, &id))
		return;
	key(b, 1, name);
	lu_json_put_str(b, NULL, lu_tok_piece(tok, id));
}

/* Write tokenizer.json and tokenizer_config.json, and look up the ids. */
static int write_tokenizer(const struct lt_loaded_model *m, const char *dir,
		struct special_ids *ids, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	struct lu_tok *tok;
	int rc;

	if (lu_tok_load(&tok, m->tokenizer, err) < 0)
		return -1;
	lu_tok_role(tok, LU_TOK_BOS, &ids->bos);
	lu_tok_role(tok, LU_TOK_EOS, &ids->eos);
	lu_tok_role(tok, LU_TOK_PAD, &ids->pad);
	lu_json_open_object(&b, NULL);
	put_token(&b, "bos_token", tok, LU_TOK_BOS);
	put_token(&b, "eos_token", tok, LU_TOK_EOS);
	put_token(&b, "unk_token", tok, LU_TOK_UNK);
	put_token(&b, "pad_token", tok, LU_TOK_PAD);
	put_bool(&b, "clean_up_tokenization_spaces", false);
	put_u64(&b, "model_max_length", m->pos.context);
	put_cstr(&b, "tokenizer_class", "PreTrainedTokenizerFast");
	rc = finish_file(dir, "tokenizer_config.json", &b, err);
	if (rc == 0)
		rc = lt_folder_copy(m->tokenizer, dir, "tokenizer.json", err);
	lu_buf_release(&b);
	lu_tok_free(tok);
	return rc;
}

/* --- the folder ------------------------------------------------------------------------------ */

static int write_all(const struct options *o, const struct lt_loaded_model *m, const char *dir,
		struct lu_err *err)
{
	/* Without a tokenizer, the ids of Lucie-7B. */
	struct special_ids ids = { 0, 1, 3 };
	struct lu_buf b = { 0 };
	int rc = 0;

	if (m->tokenizer)
		rc = write_tokenizer(m, dir, &ids, err);
	if (rc == 0)
		rc = write_weights(o, m->w, dir, err);
	if (rc == 0) {
		format_config(m, &ids, o->dtype, &b);
		rc = finish_file(dir, "config.json", &b, err);
	}
	if (rc == 0) {
		format_generation(m, &ids, &b);
		rc = finish_file(dir, "generation_config.json", &b, err);
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
static int write_folder(const struct options *o, const struct lt_loaded_model *m,
		const char *target, const char *temp, struct lu_err *err)
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
	struct lt_model_spec spec = {
		.path = args->file[0], .step = o->step, .tokenizer = o->tokenizer, .init = o->init
	};
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
