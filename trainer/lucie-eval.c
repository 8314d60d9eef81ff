/* lucie-eval: loss, perplexity and bits per byte of a model, by language. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/data/languages.h"
#include "trainer/data/scoring.h"
#include "trainer/run/modeldir.h"

struct config {
	struct lu_std std;
	const char *tokenizer;
	bool unigram, init, table;
	uint64_t step, context;
	int batch;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct config, tokenizer, "FILE",
			"tokenizer.json for documents"),
	LU_OPT_FLAG(0, "unigram", struct config, unigram, "token frequencies' bits per byte too"),
	LU_OPT_FLAG(0, "table", struct config, table, "a table in place of JSON"),
	LU_OPT_FLAG(0, "init", struct config, init, "the run's weights before its first step"),
	LU_OPT_U64(0, "from-step", struct config, step, "N", "the checkpoint of this step"),
	LU_OPT_U64(0, "context", struct config, context, "N", "tokens of a window"),
	LU_OPT_INT(0, "batch", struct config, batch, "N", 1, 4096, "windows computed at once"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-eval",
	"measures loss, perplexity and bits per byte by language", "RUN [FILE...]", opts,
	LU_STD_THREADS | LU_STD_RECORDS, offsetof(struct config, std) };

/* Documents that were read with -t. */
struct documents {
	struct lu_tok *tok;
	struct lt_languages *languages;
	struct lu_ids ids; /* all of them */
	uint32_t bos, eos;
	bool has_bos, has_eos;
};

/* A thread's state is the pointer to the encoder's. */
static int state_init(void *ctx, void *local, struct lu_err *err)
{
	struct lu_tok_state **state = local;

	*state = lu_tok_state_new(((const struct documents *)ctx)->tok);
	return *state ? 0 : lu_err_nomem(err);
}

static void state_free(void *local)
{
	lu_tok_state_free(*(struct lu_tok_state **)local);
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct documents *d = ctx;
	struct lu_ids ids = { 0 }, *kept;
	int rc = lu_tok_encode(d->tok, *(struct lu_tok_state **)local, doc->text,
			LU_TOK_SPECIAL_TEXT, &ids, err);

	kept = rc < 0 ? NULL : lu_arena_alloc(doc->arena, sizeof(*kept) + ids.n * sizeof(*ids.p));
	if (rc == 0 && !kept)
		rc = lu_err_nomem(err);
	if (rc == 0) {
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
	struct documents *d = ctx;
	const struct lu_ids *ids = doc->user;
	struct lu_str lang = { "", 0 };
	size_t before = d->ids.n;

	if (doc->verdict != LU_KEEP)
		return 0;
	lu_doc_string(doc, "lang", &lang);
	if (lu_ids_reserve(&d->ids, ids->n + 2, err) < 0)
		return -1;
	if (d->has_bos)
		d->ids.p[d->ids.n++] = d->bos;
	for (size_t i = 0; i < ids->n; i++)
		d->ids.p[d->ids.n++] = ids->p[i];
	if (d->has_eos)
		d->ids.p[d->ids.n++] = d->eos;
	return lt_languages_document(d->languages, lang, d->ids.n - before, doc->text.n, err);
}

static int read_documents(struct documents *d, const struct config *c, const char *tokenizer,
		const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = d,
		.map = encode,
		.decide = collect,
		.flags = LU_DOCSTREAM_SILENT,
		.local_size = sizeof(struct lu_tok_state *),
		.local_init = state_init,
		.local_free = state_free };

	if (!tokenizer)
		return lu_err_set(err, "there is no tokenizer.json with the model: give -t FILE");
	if (lu_tok_load(&d->tok, tokenizer, err) < 0)
		return -1;
	d->has_bos = lu_tok_role(d->tok, LU_TOK_BOS, &d->bos);
	d->has_eos = lu_tok_role(d->tok, LU_TOK_EOS, &d->eos);
	return lu_docstream_run(&ds, &c->std, args, err);
}

/* The documents of a shard, by its ledger; without one, the shard as one document. */
static int read_ledger(struct lt_languages *languages, const char *prefix, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_ledger *ledger = NULL;
	struct lu_ledger_doc doc;
	struct lu_shard *shard;
	int rc;

	if (lu_shard_open(&shard, prefix, err) < 0)
		return -1;
	if (!lu_shard_manifest(shard)) {
		rc = lt_languages_document(languages, (struct lu_str){ "", 0 },
				lu_shard_tokens(shard), 0, err);
		lu_shard_close(shard);
		lu_detail("%s has no ledger: bytes and languages of its documents are not known",
				prefix);
		return rc;
	}
	rc = lu_ledger_open(&ledger, shard, err);
	while (rc == 0 && (rc = lu_ledger_next(ledger, &doc, err)) > 0) {
		struct lu_str lang = { "", 0 };

		rc = 0;
		if (doc.lang.n && doc.lang.p[0] == '"' &&
				lu_json_decode(doc.lang, &arena, &lang) < 0)
			rc = lu_err_nomem(err);
		if (rc == 0)
			rc = lt_languages_document(languages, lang, doc.tokens, doc.bytes, err);
		lu_arena_reset(&arena);
	}
	lu_ledger_close(ledger);
	lu_shard_close(shard);
	lu_arena_release(&arena);
	return rc;
}

static bool is_shard(const char *name)
{
	static const char *const ends[] = { ".idx", "-00000.idx" };
	bool is = false;

	for (int i = 0; i < 2 && !is; i++) {
		char *path;

		if (asprintf(&path, "%s%s", name, ends[i]) < 0)
			return false;
		is = access(path, F_OK) == 0;
		free(path);
	}
	return is;
}

/* 1 all operands are shards, 0 all are documents, -1 both kinds. */
static int all_shards(const struct lu_args *args, struct lu_err *err)
{
	size_t shards = 0;

	for (size_t i = 0; i < args->files; i++)
		shards += is_shard(args->file[i]);
	if (shards && shards < args->files)
		return lu_err_set(err, "shards and documents cannot be scored together");
	return shards > 0;
}

static int open_shards(struct lt_corpus **corpus, struct lt_languages *languages,
		const struct lu_args *args, size_t context, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	int rc = 0;

	for (size_t i = 0; i < args->files && rc == 0; i++) {
		lu_buf_printf(&list, "%s%s", i ? " " : "", args->file[i]);
		rc = read_ledger(languages, args->file[i], err);
	}
	if (rc == 0)
		rc = lu_buf_check(&list, err);
	if (rc == 0)
		rc = lt_corpus_open(corpus, list.p, context, 0, false, err);
	lu_buf_release(&list);
	return rc;
}

static void number(struct lu_buf *b, const char *key, double v)
{
	lu_buf_printf(b, ",\"%s\":", key);
	lu_json_number(b, v);
}

/* What a row says, as numbers. */
struct figures {
	double mean, bits, unigram; /* a token, and a byte */
};

static struct figures figures(const struct lt_language *r)
{
	double bits = r->bytes ? 1 / ((double)r->bytes * M_LN2) : (double)NAN;

	return (struct figures){ r->scored ? r->loss / (double)r->scored : 0, r->loss * bits,
		r->unigram * bits };
}

static void row_json(const struct lt_language *r, bool unigram, struct lu_buf *b)
{
	struct figures f = figures(r);

	lu_json_quote(b, r->name);
	lu_buf_printf(b, ":{\"documents\":%llu,\"scored\":%llu,\"bytes\":%llu",
			(unsigned long long)r->documents, (unsigned long long)r->scored,
			(unsigned long long)r->bytes);
	number(b, "loss", f.mean);
	number(b, "perplexity", exp(f.mean));
	number(b, "bits_per_byte", f.bits);
	if (unigram)
		number(b, "unigram_bits_per_byte", f.unigram);
	lu_buf_putc(b, '}');
}

static void row_text(const struct lt_language *r, bool unigram, struct lu_buf *b)
{
	struct figures f = figures(r);

	lu_buf_printf(b, "%-8.*s %8llu %10llu %11llu %8.4f %10.2f %9.4f", LU_STR_ARG(r->name),
			(unsigned long long)r->documents, (unsigned long long)r->scored,
			(unsigned long long)r->bytes, f.mean, exp(f.mean), f.bits);
	if (unigram)
		lu_buf_printf(b, " %9.4f", f.unigram);
	lu_buf_putc(b, '\n');
}

static struct lt_language add_up(const struct lt_languages *l)
{
	struct lt_language all = { .name = LU_STR("all") };

	for (size_t i = 0; i < l->rows; i++) {
		all.documents += l->row[i].documents;
		all.scored += l->row[i].scored;
		all.bytes += l->row[i].bytes;
		all.loss += l->row[i].loss;
		all.unigram += l->row[i].unigram;
	}
	return all;
}

static void report_json(const struct config *c, const char *model, uint64_t step,
		const struct lt_languages *l, struct lu_buf *b)
{
	struct lt_language all = add_up(l);

	lu_buf_puts(b, "{\"model\":");
	lu_json_quote(b, lu_str_of(model));
	lu_buf_printf(b, ",\"step\":%llu,\"languages\":{", (unsigned long long)step);
	for (size_t i = 0; i < l->rows; i++) {
		lu_buf_puts(b, i ? "," : "");
		row_json(&l->row[i], c->unigram, b);
	}
	lu_buf_puts(b, "},");
	row_json(&all, c->unigram, b);
	lu_buf_puts(b, "}\n");
}

static void report_table(const struct config *c, const struct lt_languages *l, struct lu_buf *b)
{
	struct lt_language all = add_up(l);

	lu_buf_printf(b, "%-8s %8s %10s %11s %8s %10s %9s%s\n", "language", "docs", "tokens",
			"bytes", "loss", "perplexity", "bits/byte", c->unigram ? "   unigram" : "");
	for (size_t i = 0; i < l->rows; i++)
		row_text(&l->row[i], c->unigram, b);
	row_text(&all, c->unigram, b);
}

static int report(const struct config *c, const char *model, uint64_t step, struct lt_languages *l,
		struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	lt_languages_finish(l);
	if (c->table)
		report_table(c, l, &b);
	else
		report_json(c, model, step, l, &b);
	rc = lu_buf_check(&b, err);
	if (rc == 0)
		fwrite(b.p, 1, b.n, stdout);
	lu_buf_release(&b);
	return rc;
}

static int score(const struct config *c, struct lt_opened *m, const struct lt_corpus *corpus,
		size_t context, struct lt_languages *l, struct lu_err *err)
{
	struct lt_model *model;
	int rc;

	if (lt_corpus_tokens(corpus) < 2)
		return lu_err_set(err, "there is nothing to score: fewer than two tokens");
	if (lt_corpus_check(corpus, m->w->table.shape.vocab, "", err) < 0 ||
			lt_model_open(&model, m->w, (size_t)c->batch, context, LT_MODEL_SCORE,
					false, err) < 0)
		return -1;
	rc = lt_score(model, (size_t)c->batch, context, corpus, 0, lt_languages_score, l, err);
	lt_model_close(model);
	return rc;
}

static int run(const struct config *c, const struct lu_args *all, struct lu_err *err)
{
	static char dash[] = "-", *standard_input[] = { dash, NULL };
	struct lt_which which = {
		.path = all->file[0], .step = c->step, .init = c->init, .token = c->tokenizer
	};
	struct lu_args args = *all;
	struct lt_languages l = { 0 };
	struct documents d = { .languages = &l };
	struct lt_corpus *corpus = NULL;
	struct lt_opened m;
	size_t context;
	int rc;

	args.file = all->files > 1 ? all->file + 1 : standard_input;
	args.files = all->files > 1 ? all->files - 1 : 1;
	omp_set_num_threads(c->std.threads);
	if (lt_opened_open(&m, &which, err) < 0)
		return -1;
	context = c->context ? c->context : m.at.context;
	l.vocab = c->unigram ? m.w->table.shape.vocab : 0;
	rc = all_shards(&args, err);
	if (rc == 0) {
		rc = read_documents(&d, c, m.tokenizer, &args, err);
		if (rc == 0)
			rc = lt_corpus_memory(&corpus, d.ids.p, d.ids.n, context, err);
	} else if (rc > 0) {
		rc = open_shards(&corpus, &l, &args, context, err);
	}
	if (rc == 0)
		rc = score(c, &m, corpus, context, &l, err);
	if (rc == 0)
		rc = report(c, all->file[0], m.at.step, &l, err);
	lt_corpus_close(corpus);
	lt_languages_release(&l);
	lu_ids_release(&d.ids);
	lu_tok_free(d.tok);
	lt_opened_close(&m);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .step = UINT64_MAX, .batch = 8 };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	if (args.file[0][0] == '-')
		lu_usage_error("give a model, then files");
	if (c.init && c.step != UINT64_MAX)
		lu_usage_error("--init and --from-step exclude each other");
	return lu_tool_finish(run(&c, &args, &err), &err);
}
