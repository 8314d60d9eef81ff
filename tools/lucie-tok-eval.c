/* lucie-tok-eval: tells how well tokenizers fit texts, and what they lose. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/sys/progress.h"
#include "libcommon/tokaudit/compare.h"
#include "libcommon/tokaudit/dead.h"
#include "libcommon/tokaudit/fit.h"
#include "libcommon/tokaudit/lossless.h"

/* A thread's state. */
struct worker {
	struct lu_tok_state **st; /* one a tokenizer */
	struct lu_ids ids, ids2;
	size_t n;
};

/* What map() leaves of a document for decide(). */
struct counted {
	struct lu_eval_text text;
	bool differs;
	struct lu_eval_tokens tokens[]; /* one a tokenizer */
};

struct config {
	struct lu_std std;
	struct lu_list tokenizer;
	bool compare, lossless, dead, json, by_given, max_given;
	const char *by, *range;
	uint64_t max;

	struct lu_tok **tok;
	struct lu_eval eval;
	struct lu_diff diff;
	struct worker writer; /* decide()'s own */
	uint64_t docs, differing;
	uint64_t tokens[2];
	struct lu_buf text;
	struct lu_progress progress;
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST('t', "tokenizer", struct config, tokenizer, "FILE", "a tokenizer.json; repeat"),
	LU_OPT_STR_GIVEN(
			0, "by", struct config, by, by_given, "MEMBER", "what the rows are (lang)"),
	LU_OPT_FLAG(0, "compare", struct config, compare, "show where two tokenizers differ"),
	LU_OPT_U64_GIVEN(0, "max", struct config, max, max_given, "N",
			"show so many differences (10)"),
	LU_OPT_FLAG(0, "lossless", struct config, lossless, "list what does not come back"),
	LU_OPT_STR(0, "code-points", struct config, range, "FROM-TO", "of these alone, in hex"),
	LU_OPT_FLAG(0, "dead", struct config, dead, "list pieces that no text can produce"),
	LU_OPT_FLAG(0, "json", struct config, json, "print JSON"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-eval",
	"tells how well tokenizers fit texts, and what they lose", "[FILE...]", opts, LU_STD_FILTER,
	offsetof(struct config, std) };

/* --- documents ---------------------------------------------------------------------------- */

static int worker_fill(const struct config *c, struct worker *w, struct lu_err *err)
{
	w->st = calloc(c->tokenizer.n, sizeof(*w->st));
	if (!w->st)
		return lu_err_nomem(err);
	for (; w->n < c->tokenizer.n; w->n++) {
		w->st[w->n] = lu_tok_state_new(c->tok[w->n]);
		if (!w->st[w->n])
			return lu_err_nomem(err);
	}
	return 0;
}

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	return worker_fill(ctx, local, err);
}

static void worker_free(void *local)
{
	struct worker *w = local;

	for (size_t i = 0; i < w->n; i++)
		lu_tok_state_free(w->st[i]);
	free(w->st);
	lu_ids_release(&w->ids);
	lu_ids_release(&w->ids2);
}

static int encode(const struct config *c, struct worker *w, size_t i, struct lu_str text,
		struct lu_ids *ids, struct lu_err *err)
{
	ids->n = 0;
	return lu_tok_encode(c->tok[i], w->st[i], text, LU_TOK_SPECIAL_TEXT, ids, err);
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	struct counted *k = lu_arena_alloc(
			doc->arena, sizeof(*k) + c->tokenizer.n * sizeof(k->tokens[0]));
	size_t first;

	if (!k)
		return lu_err_nomem(err);
	k->differs = false;
	lu_eval_measure(doc->text, &k->text);
	for (size_t i = 0; i < c->tokenizer.n; i++) {
		struct lu_ids *ids = i == 1 ? &w->ids2 : &w->ids;

		if (encode(c, w, i, doc->text, ids, err) < 0)
			return -1;
		lu_eval_count(&c->eval, i, ids->p, ids->n, &k->tokens[i]);
	}
	if (c->compare)
		k->differs = lu_diff_at(&c->diff, &w->ids, &w->ids2, &first);
	doc->user = k;
	return 0;
}

static int add_to_table(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	const struct counted *k = doc->user;
	struct lu_str group;

	c->docs++;
	if (!lu_doc_string(doc, c->by, &group))
		group = (struct lu_str){ NULL, 0 };
	return lu_eval_add(&c->eval, group, &k->text, k->tokens, err);
}

static int add_difference(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	const struct counted *k = doc->user;
	struct worker *w = &c->writer;
	const struct lu_json_member *id = lu_json_get(&doc->obj, "id");
	struct lu_difference d;
	size_t first;

	c->docs++;
	c->differing += k->differs;
	for (size_t i = 0; i < 2; i++)
		c->tokens[i] += k->tokens[i].tokens;
	if (!k->differs || c->differing > c->max)
		return 0;
	if (encode(c, w, 0, doc->text, &w->ids, err) < 0 ||
			encode(c, w, 1, doc->text, &w->ids2, err) < 0)
		return -1;
	lu_diff_at(&c->diff, &w->ids, &w->ids2, &first);
	if (lu_diff_look(&c->diff, doc->text, &w->ids, &w->ids2, first, &d, err) < 0)
		return -1;
	d.file = doc->file;
	d.line = doc->line;
	d.name = id ? id->value : (struct lu_str){ NULL, 0 };
	if (c->json && c->differing > 1)
		lu_buf_putc(&c->text, ',');
	if (c->json)
		lu_difference_json(&c->diff, &d, &c->text);
	else
		lu_difference_text(&c->diff, c->tokenizer.item, &d, &c->text);
	return lu_buf_check(&c->text, err);
}

static int end_differences(struct config *c, struct lu_err *err)
{
	struct lu_buf *b = &c->text;

	if (!c->json) {
		lu_buf_printf(b,
				"%" PRIu64 " of %" PRIu64 " documents differ; %" PRIu64
				" and %" PRIu64 " tokens\n",
				c->differing, c->docs, c->tokens[0], c->tokens[1]);
		return lu_buf_check(b, err);
	}
	lu_buf_printf(b, "],\"documents\":%" PRIu64 ",\"differing\":%" PRIu64 ",\"tokenizers\":[",
			c->docs, c->differing);
	for (size_t i = 0; i < 2; i++) {
		lu_buf_puts(b, i ? ",{\"file\":" : "{\"file\":");
		lu_json_quote(b, lu_str_of(c->tokenizer.item[i]));
		lu_buf_printf(b, ",\"tokens\":%" PRIu64 "}", c->tokens[i]);
	}
	lu_buf_puts(b, "]}");
	return lu_buf_check(b, err);
}

static int add_totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct config *c = ctx;
	uint64_t tokens;

	if (c->docs == 0)
		return lu_err_set(err, "no documents");
	lu_buf_puts(&stats->extra, ",\"tokens\":[");
	for (size_t i = 0; i < c->tokenizer.n; i++) {
		tokens = c->compare ? c->tokens[i] : 0;
		for (size_t k = 0; k < c->eval.rows; k++)
			tokens += c->eval.row[k].tokens[i].tokens;
		lu_buf_printf(&stats->extra, "%s%" PRIu64, i ? "," : "", tokens);
	}
	lu_buf_putc(&stats->extra, ']');
	return lu_buf_check(&stats->extra, err);
}

static int read_documents(struct config *c, const struct lu_args *args, struct lu_stats *stats,
		struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c,
		.map = map,
		.decide = c->compare ? add_difference : add_to_table,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.finish = add_totals,
		.flags = LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS,
		.stats = stats };

	if (lu_eval_start(&c->eval, c->tok, c->tokenizer.item, c->tokenizer.n, err) < 0)
		return -1;
	if (c->compare &&
			(lu_diff_start(&c->diff, c->tok[0], c->tok[1], err) < 0 ||
					worker_fill(c, &c->writer, err) < 0))
		return -1;
	if (c->compare && c->json)
		lu_buf_puts(&c->text, "{\"differences\":[");
	if (lu_docstream_run(&ds, &c->std, args, err) < 0)
		return -1;
	if (c->compare)
		return end_differences(c, err);
	return c->json ? lu_eval_json(&c->eval, c->by, &c->text, err)
		       : lu_eval_table(&c->eval, c->by, &c->text, err);
}

/* --- the files themselves ----------------------------------------------------------------- */

static void tick(void *ctx, uint64_t done)
{
	struct config *c = ctx;

	lu_progress_update(&c->progress, done, done);
}

static int find_losses(struct config *c, size_t i, bool *none, struct lu_err *err)
{
	struct lu_losses l = { .tick = tick, .ctx = c };
	int rc;

	if (c->range && !lu_losses_range(&l, c->range))
		lu_usage_error("--code-points: '%s' is no range such as 0-2FFF", c->range);
	lu_progress_start(&c->progress, tool.name, c->std.progress, 0x110000);
	c->progress.unit = "code points";
	rc = lu_losses_find(&l, c->tok[i], c->std.threads, err);
	lu_progress_end(&c->progress);
	if (rc < 0)
		lu_err_wrap(err, "%s", c->tokenizer.item[i]);
	else if (c->json)
		lu_losses_json(&l, c->tokenizer.item[i], &c->text);
	else
		lu_losses_text(&l, c->tokenizer.item[i], c->std.verbose > 0, &c->text);
	*none = lu_losses_none(&l);
	lu_losses_release(&l);
	return rc;
}

static int find_dead(struct config *c, size_t i, bool *none, struct lu_err *err)
{
	struct lu_dead d = { 0 };
	int rc = lu_dead_find(&d, c->tok[i], err);

	if (rc == 0 && c->json)
		lu_dead_json(&d, c->tok[i], c->tokenizer.item[i], &c->text);
	else if (rc == 0)
		lu_dead_text(&d, c->tok[i], c->tokenizer.item[i], &c->text);
	*none = d.pieces == 0;
	lu_dead_release(&d);
	return rc;
}

/* 1 when one of the files has something to list. */
static int look_at_files(struct config *c, struct lu_err *err)
{
	int answer = 0;

	if (c->json)
		lu_buf_puts(&c->text, "{\"tokenizers\":[");
	for (size_t i = 0; i < c->tokenizer.n; i++) {
		bool none = true;

		if (i)
			lu_buf_putc(&c->text, c->json ? ',' : '\n');
		if ((c->dead ? find_dead : find_losses)(c, i, &none, err) < 0)
			return -1;
		answer |= !none;
	}
	if (c->json)
		lu_buf_puts(&c->text, "]}");
	return lu_buf_check(&c->text, err) < 0 ? -1 : answer;
}

/* --- the run ------------------------------------------------------------------------------ */

static void check_usage(const struct config *c, const struct lu_args *args)
{
	if (c->tokenizer.n == 0)
		lu_usage_error("-t FILE is needed");
	if (c->compare + c->lossless + c->dead > 1)
		lu_usage_error("only one of --compare, --lossless and --dead");
	if (c->compare && c->tokenizer.n != 2)
		lu_usage_error("--compare needs two tokenizers: -t A -t B");
	if (c->max_given && !c->compare)
		lu_usage_error("--max is for --compare");
	if (c->range && !c->lossless)
		lu_usage_error("--code-points is for --lossless");
	if (c->by_given && (c->compare || c->lossless || c->dead))
		lu_usage_error("--by is for the table");
	if (!c->lossless && !c->dead)
		return;
	if (args->files > 1 || strcmp(args->file[0], "-") != 0)
		lu_usage_error("--lossless and --dead read no documents");
	if (c->std.rejects || c->std.max_bad_given || c->std.stats)
		lu_usage_error("--rejects, --max-bad and --stats are for documents");
}

static int load(struct config *c, struct lu_err *err)
{
	c->tok = calloc(c->tokenizer.n, sizeof(struct lu_tok *));
	if (!c->tok)
		return lu_err_nomem(err);
	for (size_t i = 0; i < c->tokenizer.n; i++) {
		if (lu_tok_load(&c->tok[i], c->tokenizer.item[i], err) < 0)
			return -1;
	}
	return 0;
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	bool reads = !c->lossless && !c->dead;
	struct lu_stats stats = { 0 };
	struct lu_out *out = NULL;
	int rc, answer = 0;

	/* Opened first, so that a folder without permission is not found out after the work. */
	rc = lu_out_open(&out, c->std.output, c->std.compress, c->std.threads, err);
	if (rc == 0)
		rc = load(c, err);
	if (rc == 0 && reads)
		rc = lu_out_refuse(out, args->file, args->files, err);
	if (rc == 0 && reads) {
		rc = read_documents(c, args, &stats, err);
		answer = c->differing > 0;
	} else if (rc == 0) {
		answer = look_at_files(c, err);
		rc = answer < 0 ? -1 : 0;
	}
	if (rc == 0 && c->json)
		lu_buf_putc(&c->text, '\n');
	if (rc == 0)
		rc = lu_out_buf(out, &c->text, err);
	if (rc == 0) {
		rc = lu_out_commit(out, err);
		out = NULL;
	}
	if (rc == 0 && reads)
		rc = lu_stats_append(&stats, args, c->std.stats, err);
	lu_out_abort(out);
	lu_stats_release(&stats);
	return rc < 0 ? -1 : answer;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .by = "lang", .max = 10 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &c, &args);
	check_usage(&c, &args);
	rc = run(&c, &args, &err);
	lu_eval_release(&c.eval);
	lu_diff_release(&c.diff);
	worker_free(&c.writer);
	for (size_t i = 0; c.tok && i < c.tokenizer.n; i++)
		lu_tok_free(c.tok[i]);
	free(c.tok);
	lu_buf_release(&c.text);
	lu_list_release(&c.tokenizer);
	return lu_tool_finish(rc, &err);
}
