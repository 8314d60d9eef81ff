/* lucie-eval: loss, perplexity and bits per byte of a model, by language. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/threads.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/data/languages_report.h"
#include "trainer/data/scoring.h"
#include "trainer/run/loaded_model.h"

struct options {
	struct lu_std std;
	const char *tokenizer;
	bool unigram, init, json;
	uint64_t step, context;
	int batch;
	enum lt_compute dtype;
	enum lt_device device;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE",
			"tokenizer.json for documents"),
	LU_OPT_FLAG(0, "unigram", struct options, unigram,
			"add the bits per byte of a unigram model"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON instead of a table"),
	LU_OPT_GONE("table", "a table is what is printed now"),
	LU_OPT_FLAG(0, "init", struct options, init, "use the initial weights of the run"),
	LU_OPT_U64(0, "from-step", struct options, step, "N",
			"use the checkpoint of step N (the last)"),
	LU_OPT_U64(0, "context", struct options, context, "N", "tokens per window (the run's)"),
	LU_OPT_INT(0, "batch", struct options, batch, "N", 1, 4096, "windows per forward pass"),
	LU_OPT_ENUM(0, "device", struct options, device, lt_devices, "what computes"),
	LU_OPT_ENUM(0, "dtype", struct options, dtype, lt_computes, "type of the activations"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-eval",
	"measures loss, perplexity and bits per byte by language", "RUN [FILE...]", opts,
	LU_STD_THREADS | LU_STD_FIELDS | LU_STD_RECORDS | LU_STD_STATS | LU_STD_PROGRESS,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	const char *path; /* of the model, as given */
	struct lt_loaded_model model;
	struct lt_languages languages;
	struct lt_corpus *corpus;
	struct lu_progress progress;
	size_t context;
	/* Documents, as opposed to shards: */
	struct lu_tok *tok;
	struct lu_ids ids; /* of all documents */
	uint32_t bos, eos;
	bool has_bos, has_eos;
};

/* --- documents ------------------------------------------------------------------------------- */

/* The state of a thread is a pointer to its encoder context. */
static int state_init(void *ctx, void *local, struct lu_err *err)
{
	struct lu_tok_state **state = local;

	*state = lu_tok_state_new(((const struct run *)ctx)->tok);
	return *state ? 0 : lu_err_nomem(err);
}

static void state_free(void *local)
{
	lu_tok_state_free(*(struct lu_tok_state **)local);
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct lu_ids ids = { 0 }, *kept;
	int rc = lu_tok_encode(r->tok, *(struct lu_tok_state **)local, doc->text,
			LU_TOK_SPECIAL_TEXT, &ids, err);

	kept = rc < 0 ? NULL : lu_arena_alloc(doc->arena, sizeof(*kept) + ids.n * sizeof(*ids.p));
	if (rc == 0 && !kept)
		rc = lu_err_nomem(err);
	if (rc == 0 && ids.n == 0) {
		/* lucie-shard leaves it out, too. */
		lu_doc_drop(doc, doc->text.n ? "no tokens" : "empty text", NULL);
	} else if (rc == 0) {
		*kept = (struct lu_ids){ .p = (uint32_t *)(void *)(kept + 1), .n = ids.n };
		if (ids.n)
			memcpy(kept->p, ids.p, ids.n * sizeof(*ids.p));
		doc->user = kept;
	}
	lu_ids_release(&ids);
	return rc;
}

static int collect(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	const struct lu_ids *ids = doc->user;
	struct lu_str lang = { "", 0 };
	size_t before = r->ids.n;

	if (doc->verdict != LU_KEEP)
		return 0;
	lu_doc_string(doc, "lang", &lang);
	if (lu_ids_reserve(&r->ids, ids->n + 2, err) < 0)
		return -1;
	if (r->has_bos)
		r->ids.p[r->ids.n++] = r->bos;
	for (size_t i = 0; i < ids->n; i++)
		r->ids.p[r->ids.n++] = ids->p[i];
	if (r->has_eos)
		r->ids.p[r->ids.n++] = r->eos;
	return lt_languages_add(&r->languages, lang, r->ids.n - before, doc->text.n, err);
}

static int open_documents(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = r,
		.map = encode,
		.decide = collect,
		.flags = LU_DOCSTREAM_SILENT,
		.local_size = sizeof(struct lu_tok_state *),
		.local_init = state_init,
		.local_free = state_free };

	if (lt_loaded_model_tokenizer(&r->model, &r->tok, err) < 0)
		return -1;
	r->has_bos = lu_tok_role(r->tok, LU_TOK_BOS, &r->bos);
	r->has_eos = lu_tok_role(r->tok, LU_TOK_EOS, &r->eos);
	if (lu_docstream_run(&ds, &r->o->std, args, err) < 0)
		return -1;
	return lt_corpus_memory(&r->corpus, r->ids.p, r->ids.n, r->context, err);
}

/* --- shards ---------------------------------------------------------------------------------- */

/* Add the documents of a shard from its ledger. */
static int add_ledger(struct lt_languages *l, const struct lu_shard *shard, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_ledger *ledger;
	struct lu_ledger_doc doc;
	int rc = lu_ledger_open(&ledger, shard, err);

	if (rc < 0)
		return -1;
	while (rc == 0 && (rc = lu_ledger_next(ledger, &doc, err)) > 0) {
		struct lu_str lang = { "", 0 };

		rc = 0;
		if (doc.lang.n && doc.lang.p[0] == '"' &&
				lu_json_decode(doc.lang, &arena, &lang) < 0)
			rc = lu_err_nomem(err);
		if (rc == 0)
			rc = lt_languages_add(l, lang, doc.tokens, doc.bytes, err);
		lu_arena_reset(&arena);
	}
	lu_ledger_close(ledger);
	lu_arena_release(&arena);
	return rc;
}

/* Add the documents of a shard. Without a ledger it counts as one document. */
static int add_shard(struct run *r, const char *prefix, struct lu_err *err)
{
	struct lt_languages *l = &r->languages;
	struct lu_shard *shard;
	int rc;

	if (lu_shard_open(&shard, prefix, err) < 0)
		return -1;
	rc = lt_loaded_model_check_shard(&r->model, shard, err);
	if (rc == 0 && lu_shard_manifest(shard)) {
		rc = add_ledger(l, shard, err);
	} else if (rc == 0) {
		lu_detail("%s: no ledger, bytes and languages of its documents are unknown",
				prefix);
		rc = lt_languages_add(l, LU_STR(""), lu_shard_tokens(shard), 0, err);
	}
	lu_shard_close(shard);
	return rc;
}

static int open_shards(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	const struct lu_std *std = &r->o->std;
	struct lu_buf names = { 0 };
	int rc;

	if (std->stats)
		return lu_err_set(
				err, "--stats counts documents, and %s is a shard", args->file[0]);
	if (std->text_field || std->map.n || std->rejects || std->max_bad_given)
		return lu_err_set(err,
				"%s is a shard, which has no records: --text-field, --map, "
				"--rejects and --max-bad have no effect",
				args->file[0]);
	rc = lu_shards_distinct(args->file, args->files, err);

	for (size_t i = 0; i < args->files && rc == 0; i++) {
		lu_buf_printf(&names, "%s%s", i ? " " : "", args->file[i]);
		rc = add_shard(r, args->file[i], err);
	}
	if (rc == 0)
		rc = lu_buf_check(&names, err);
	if (rc == 0)
		rc = lt_corpus_open(&r->corpus, names.p, r->context, 0, 0, err);
	lu_buf_release(&names);
	return rc;
}

static bool has_file(const char *prefix, const char *suffix)
{
	char *path = lu_concat(prefix, suffix, NULL);
	bool has = path && access(path, F_OK) == 0;

	free(path);
	return has;
}

/* Open the corpus: every operand is a shard, or none is. */
static int open_corpus(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	size_t shards = 0;

	for (size_t i = 0; i < args->files; i++)
		shards += has_file(args->file[i], ".idx") || has_file(args->file[i], "-00000.idx");
	if (shards == 0)
		return open_documents(r, args, err);
	if (shards < args->files)
		return lu_err_set(err, "shards and documents cannot be scored together");
	return open_shards(r, args, err);
}

/* --- report ---------------------------------------------------------------------------------- */

static int report(struct run *r, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc = 0;

	lt_languages_finish(&r->languages);
	if (r->o->json) {
		lu_json_open_object(&b, NULL);
		lu_json_put_cstr(&b, "model", r->path);
		lu_json_put_u64(&b, "step", r->model.pos.step);
		lu_json_put_cstr(&b, "dtype", r->model.ops->act == LK_BF16 ? "bf16" : "fp32");
		lt_languages_json(&r->languages, &b);
		lu_json_close_object(&b);
		lu_buf_putc(&b, '\n');
	} else {
		rc = lt_languages_table(&r->languages, &b, err);
	}
	if (rc == 0)
		rc = lu_buf_check(&b, err);
	if (rc == 0)
		fwrite(b.p, 1, b.n, stdout);
	lu_buf_release(&b);
	return rc;
}

/* --- the run --------------------------------------------------------------------------------- */

/* Add the losses of a window, an lt_score_fn. */
static int add_window(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err)
{
	struct run *r = ctx;

	lu_progress_update(&r->progress, offset + n, 0);
	return lt_languages_score(&r->languages, offset, n, label, loss, err);
}

static int score(struct run *r, struct lu_err *err)
{
	struct lt_weights *w = r->model.w;
	size_t batch = (size_t)r->o->batch;
	const struct lt_model_plan plan = {
		.batch = batch, .context = r->context, .mode = LT_MODEL_SCORE
	};
	struct lt_scorer scorer;
	struct lt_model *m;
	int rc;

	if (lt_corpus_tokens(r->corpus) < 2)
		return lu_err_set(err, "nothing to score: fewer than two tokens");
	if (lt_corpus_check(r->corpus, w->table.shape.vocab, "", err) < 0 ||
			lt_model_open(&m, w, &plan, err) < 0)
		return -1;
	lu_progress_start_units(&r->progress, tool.name, r->o->std.progress,
			lt_corpus_tokens(r->corpus), "tokens");
	scorer = lt_scorer_of(m, batch, r->context);
	rc = lt_score(&scorer, r->corpus, 0, add_window, r, err);
	lu_progress_end(&r->progress);
	lt_model_close(m);
	return rc;
}

/* A call of score() with the threads of -j. */
struct call {
	struct run *r;
	struct lu_err *err;
};

static int score_in_team(void *ctx)
{
	struct call *c = ctx;

	return score(c->r, c->err);
}

static int run(const struct options *o, const struct lu_args *all, struct lu_err *err)
{
	static char dash[] = "-", *standard_input[] = { dash, NULL };
	struct lt_model_spec spec = { .path = all->file[0],
		.step = o->step,
		.init = o->init,
		.tokenizer = o->tokenizer,
		.compute = o->dtype,
		.device = o->device };
	struct run r = { .o = o, .path = all->file[0] };
	struct call c = { &r, err };
	struct lu_args args = *all;
	int rc;

	args.file = all->files > 1 ? all->file + 1 : standard_input;
	args.files = all->files > 1 ? all->files - 1 : 1;
	if (lt_loaded_model_open(&r.model, &spec, err) < 0)
		return -1;
	r.context = o->context ? o->context : r.model.pos.context;
	r.languages.vocab = o->unigram ? r.model.w->table.shape.vocab : 0;
	rc = open_corpus(&r, &args, err);
	if (rc == 0)
		rc = lk_cpu_team(o->std.threads, score_in_team, &c);
	if (rc == 0)
		rc = report(&r, err);
	lt_corpus_close(r.corpus);
	lt_languages_release(&r.languages);
	lu_ids_release(&r.ids);
	lu_tok_free(r.tok);
	lt_loaded_model_close(&r.model);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .step = UINT64_MAX, .batch = 8 };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_threads_spin_briefly(argv);
	lu_tool_start(&tool, argc, argv, &o, &args);
	if (args.file[0][0] == '-')
		lu_usage_error("give a model, then files");
	if (o.init && o.step != UINT64_MAX)
		lu_usage_error("--init and --from-step exclude each other");
	return lu_tool_finish(run(&o, &args, &err), &err);
}
