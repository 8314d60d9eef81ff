/* lucie-tok-decode: decodes token ids to text. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/bin_decode.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/summary.h"
#include "libcommon/tokenizer/id_format.h"

enum input { FROM_JSONL, FROM_IDS, FROM_U16, FROM_U32 };

struct options {
	struct lu_std std;
	const char *tokenizer;
	enum input from;
	enum lu_bin_as as;
	unsigned flags; /* of lu_tok_decode() */
};

static const struct lu_enum inputs[] = {
	{ "jsonl", FROM_JSONL },
	{ "ids", FROM_IDS },
	{ "u16", FROM_U16 },
	{ "u32", FROM_U32 },
	LU_ENUM_END,
};
static const struct lu_enum outputs[] = {
	{ "jsonl", LU_BIN_RECORDS },
	{ "text", LU_BIN_TEXT },
	{ "pieces", LU_BIN_PIECES },
	LU_ENUM_END,
};
static const struct lu_enum specials[] = {
	{ "skip", LU_TOK_SKIP_SPECIAL },
	{ "keep", 0 },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json"),
	LU_OPT_ENUM(0, "from", struct options, from, inputs, "input format"),
	LU_OPT_ENUM(0, "as", struct options, as, outputs, "output format"),
	LU_OPT_ENUM(0, "special", struct options, flags, specials,
			"special tokens in the output (skip)"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-decode", "decodes token ids to text", "[FILE...]",
	opts, LU_STD_FILTER & ~LU_STD_FIELDS, offsetof(struct options, std) };

struct run {
	const struct options *opts;
	struct lu_tok *tok;
	uint64_t tokens, replaced;
};

/* The state of a thread. */
struct worker {
	struct lu_tok_state *st;
	struct lu_ids ids;
	struct lu_buf text;
	uint64_t tokens, replaced;
};

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	struct worker *w = local;

	w->st = lu_tok_state_new(((const struct run *)ctx)->tok);
	return w->st ? 0 : lu_err_nomem(err);
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_tok_state_free(w->st);
	lu_ids_release(&w->ids);
	lu_buf_release(&w->text);
}

static int add_totals(
		uint64_t tokens, uint64_t replaced, struct lu_stats *stats, struct lu_err *err)
{
	lu_json_put_u64(&stats->extra, "tokens", tokens);
	lu_json_put_u64(&stats->extra, "replaced", replaced);
	if (replaced)
		lu_note("replaced %" PRIu64 " invalid sequences by U+FFFD", replaced);
	return lu_buf_check(&stats->extra, err);
}

/* --- records and lines of ids ------------------------------------------------------------- */

static int unknown_id(struct lu_doc *doc, struct lu_str id)
{
	return lu_doc_bad_value(doc, "an id is not in the tokenizer", id);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Read a line of decimal ids separated by blanks; 1 when a word, *bad, is not an id. */
static int read_words(
		struct lu_str line, struct lu_ids *ids, struct lu_str *bad, struct lu_err *err)
{
	const char *s = line.p, *end = line.p + line.n, *word;

	ids->n = 0;
	if (lu_ids_reserve(ids, line.n / 2 + 1, err) < 0)
		return -1;
	for (;;) {
		uint64_t id;

		while (s < end && is_blank(*s))
			s++;
		if (s == end)
			return 0;
		word = s;
		id = lu_id_read(&s, end);
		if (id > UINT32_MAX || (s < end && !is_blank(*s))) {
			while (s < end && !is_blank(*s))
				s++;
			*bad = (struct lu_str){ word, (size_t)(s - word) };
			return 1;
		}
		ids->p[ids->n++] = (uint32_t)id;
	}
}

/* Read the ids of a document, or mark it as bad. */
static int read_document(
		const struct run *r, struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_str bad = { "", 0 };
	int rc;

	if (r->opts->from == FROM_IDS) {
		rc = read_words(doc->text, &w->ids, &bad, err);
		if (rc <= 0)
			return rc;
		bad = lu_doc_quote(doc, bad);
		if (!bad.p)
			return lu_err_nomem(err);
		return lu_doc_bad_value(doc, "not an id", bad);
	}
	m = lu_json_get(&doc->obj, "ids");
	if (!m || m->type != LU_JSON_ARRAY)
		return lu_doc_bad(doc, m ? "\"ids\" is not an array" : "no \"ids\"");
	rc = lu_ids_read_json(m->value, &w->ids, &bad, err);
	return rc > 0 ? unknown_id(doc, bad) : rc;
}

/* Write what is not a record that was read. */
static void put_text(const struct run *r, struct worker *w, struct lu_doc *doc)
{
	struct lu_buf *out = lu_doc_out(doc);
	struct lu_str text = lu_buf_slice(&w->text);

	switch (r->opts->as) {
	case LU_BIN_RECORDS:
		lu_json_open_object(out, NULL);
		lu_json_put_str(out, "text", text);
		lu_json_close_object(out);
		break;
	case LU_BIN_TEXT: lu_buf_str(out, text); break;
	case LU_BIN_PIECES:
		lu_buf_putc(out, '[');
		lu_ids_put_pieces(out, r->tok, w->ids.p, w->ids.n);
		/* In place of the last comma. */
		if (w->ids.n && lu_buf_ok(out))
			out->n--;
		lu_buf_putc(out, ']');
	}
	lu_buf_putc(out, '\n');
	lu_doc_out_end(doc);
}

static int decode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct worker *w = local;
	int rc = 0;

	if (read_document(r, w, doc, err) < 0)
		return -1;
	if (doc->verdict != LU_KEEP)
		return 0;
	lu_buf_clear(&w->text);
	if (r->opts->as != LU_BIN_PIECES)
		rc = lu_tok_decode(r->tok, w->st, w->ids.p, w->ids.n, r->opts->flags, &w->text,
				&w->replaced, err);
	for (size_t i = 0; (rc < 0 || r->opts->as == LU_BIN_PIECES) && i < w->ids.n; i++) {
		if (!lu_tok_piece(r->tok, w->ids.p[i]).p)
			return unknown_id(doc, lu_doc_printf(doc, "%" PRIu32, w->ids.p[i]));
	}
	if (rc < 0)
		return -1;
	w->tokens += w->ids.n;
	if (r->opts->as == LU_BIN_RECORDS && r->opts->from == FROM_JSONL)
		return lu_doc_set_text(doc, lu_buf_slice(&w->text), err);
	put_text(r, w, doc);
	return 0;
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct run *r = ctx;
	const struct worker *w = local;

	(void)err;
	r->tokens += w->tokens;
	r->replaced += w->replaced;
	return 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct run *r = ctx;

	return add_totals(r->tokens, r->replaced, stats, err);
}

/* --- binary ids --------------------------------------------------------------------------- */

static int decode_files(struct lu_bin_decode *d, const struct lu_args *args, bool allow_empty,
		struct lu_err *err)
{
	int rc = lu_files_distinct(args->file, args->files, "", err);

	for (size_t i = 0; rc == 0 && i < args->files; i++)
		rc = lu_bin_decode_check(d, args->file[i], err);
	for (size_t i = 0; rc == 0 && i < args->files; i++) {
		uint64_t texts = d->stats.in.docs;

		rc = lu_bin_decode_file(d, args->file[i], err);
		if (rc == 0 && d->stats.in.docs == texts && strcmp(args->file[i], "-") != 0 &&
				!allow_empty)
			rc = lu_err_set(err, "%s: holds no ids; --allow-empty accepts it",
					args->file[i]);
	}
	return rc;
}

static int run_binary(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	const struct options *o = r->opts;
	const struct lu_std *std = &o->std;
	struct lu_bin_decode d = { .tok = r->tok,
		.tokenizer = o->tokenizer,
		.width = o->from == FROM_U16 ? 2 : 4,
		.flags = o->flags,
		.as = o->as };
	int rc = -1;

	if (lu_out_open(&d.out, std->output, std->compress, std->threads, err) < 0 ||
			lu_out_refuse_inputs(d.out, args->file, args->files, err) < 0 ||
			decode_files(&d, args, std->allow_empty, err) < 0 ||
			add_totals(d.tokens, d.replaced, &d.stats, err) < 0 ||
			lu_out_settle(d.out, err) < 0 ||
			lu_stats_append(&d.stats, args, std->stats, err) < 0)
		goto out;
	rc = lu_out_commit(d.out, err);
	d.out = NULL;
	if (rc == 0)
		lu_summary(&d.stats, args, "texts", "out");
out:
	lu_out_abort(d.out);
	lu_bin_decode_release(&d);
	return rc;
}
/* --- the run ------------------------------------------------------------------------------ */

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .opts = o };
	struct lu_docstream ds = { .ctx = &r,
		.map = decode,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.merge = merge,
		.finish = finish,
		.flags = o->from == FROM_IDS ? LU_DOCSTREAM_LINES : LU_DOCSTREAM_TEXTLESS };
	bool binary = o->from == FROM_U16 || o->from == FROM_U32;
	int rc = -1;

	if (!o->tokenizer)
		lu_usage_error("-t FILE is needed");
	if (binary && (o->std.rejects || o->std.max_bad_given))
		lu_usage_error("--rejects and --max-bad are for --from jsonl and ids");
	if (lu_tok_load(&r.tok, o->tokenizer, err) < 0)
		return -1;
	rc = binary ? run_binary(&r, args, err) : lu_docstream_run(&ds, &o->std, args, err);
	lu_tok_free(r.tok);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .flags = LU_TOK_SKIP_SPECIAL };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &o, &args);
	return lu_tool_finish(run(&o, &args, &err), &err);
}
