/* lucie-tok-decode: turns token ids back into text. */
#include <stdlib.h>

#include "libcommon/base/jsonstr.h"
#include "libcommon/base/num.h"
#include "libcommon/io/lines.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/tokenizer/tokenizer.h"

enum from { FROM_JSONL, FROM_IDS, FROM_U16, FROM_U32 };

/* A thread's state, and the state of the plain modes. */
struct worker {
	struct lu_tok_state *st;
	struct lu_ids ids;
	struct lu_buf text;
	uint64_t tokens, replaced;
};

struct config {
	struct lu_std std;
	const char *tokenizer;
	int from, as, special;
	struct lu_tok *tok;
	const struct lu_docstream *stream;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct config, tokenizer, "FILE", "the tokenizer.json"),
	LU_OPT_CHOICE(0, "from", struct config, from, "jsonl|ids|u16|u32", "what is read"),
	LU_OPT_CHOICE(0, "as", struct config, as, "jsonl|text", "what is written"),
	LU_OPT_CHOICE(0, "special", struct config, special, "skip|keep", "special tokens"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-decode", "turns token ids back into text",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct config, std) };

static bool known(const struct config *c, uint64_t id)
{
	return id < lu_tok_size(c->tok) && lu_tok_piece(c->tok, (uint32_t)id).p;
}

static int push(struct lu_ids *ids, uint64_t id, struct lu_err *err)
{
	if (lu_ids_reserve(ids, 1, err) < 0)
		return -1;
	ids->p[ids->n++] = (uint32_t)id;
	return 0;
}

/* The text of w->ids into w->text. */
static int decode(const struct config *c, struct worker *w, struct lu_err *err)
{
	lu_buf_clear(&w->text);
	w->tokens += w->ids.n;
	return lu_tok_decode(c->tok, w->st, w->ids.p, w->ids.n,
		c->special == 0 ? LU_TOK_SKIP_SPECIAL : 0, &w->text, &w->replaced, err);
}

/* --- records ------------------------------------------------------------------------------ */

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	struct worker *w = local;

	w->st = lu_tok_state_new(((const struct config *)ctx)->tok);
	return w->st ? 0 : lu_err_nomem(err);
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_tok_state_free(w->st);
	lu_ids_release(&w->ids);
	lu_buf_release(&w->text);
}

static int decode_record(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	const struct lu_json_member *m = lu_json_get(&doc->obj, "ids");
	struct lu_json_iter it;
	struct lu_buf *out;

	if (!m || m->type != LU_JSON_ARRAY)
		return lu_doc_bad(doc, m ? "\"ids\" is not an array" : "no \"ids\"");
	w->ids.n = 0;
	for (it = lu_json_iter(m->value); lu_json_next(&it);) {
		struct lu_json_member v = { .value = it.value, .type = it.type };
		uint64_t id;

		if (!lu_json_u64(&v, &id) || !known(c, id))
			return lu_doc_bad(doc, "an id is not in the tokenizer");
		if (push(&w->ids, id, err) < 0)
			return -1;
	}
	if (decode(c, w, err) < 0)
		return -1;
	if (c->as == 0)
		return lu_doc_set_text(doc, lu_buf_slice(&w->text), err);
	out = lu_doc_out(doc);
	lu_buf_str(out, lu_buf_slice(&w->text));
	lu_buf_putc(out, '\n');
	lu_doc_out_end(doc);
	return 0;
}

static int add_totals(
	uint64_t tokens, uint64_t replaced, struct lu_stats *stats, struct lu_err *err)
{
	lu_buf_printf(&stats->extra, ",\"tokens\":%llu,\"replaced\":%llu",
		(unsigned long long)tokens, (unsigned long long)replaced);
	if (replaced)
		lu_note("%llu invalid sequences became U+FFFD", (unsigned long long)replaced);
	return lu_buf_check(&stats->extra, err);
}

static int finish_records(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct lu_docstream *ds = ((const struct config *)ctx)->stream;
	uint64_t tokens = 0, replaced = 0;

	for (size_t i = 0; i < ds->locals; i++) {
		const struct worker *w = ds->local[i];

		tokens += w->tokens;
		replaced += w->replaced;
	}
	return add_totals(tokens, replaced, stats, err);
}

/* --- lines of ids, and raw ids ------------------------------------------------------------ */

struct plain {
	struct config *c;
	struct worker w;
	struct lu_out *out;
	struct lu_buf line;
	struct lu_stats stats;
};

/* Writes one text. Raw ids make raw text: only JSON and lines need an end. */
static int put_text(struct plain *p, struct lu_err *err)
{
	if (decode(p->c, &p->w, err) < 0)
		return -1;
	lu_buf_clear(&p->line);
	if (p->c->as == 0) {
		lu_buf_puts(&p->line, "{\"text\":");
		lu_json_quote(&p->line, lu_buf_slice(&p->w.text));
		lu_buf_puts(&p->line, "}\n");
	} else {
		lu_buf_str(&p->line, lu_buf_slice(&p->w.text));
		if (p->c->from == FROM_IDS)
			lu_buf_putc(&p->line, '\n');
	}
	p->stats.in.docs++;
	p->stats.out.docs++;
	p->stats.out.bytes += p->line.n;
	p->w.ids.n = 0;
	return lu_out_buf(p->out, &p->line, err);
}

/* Numbers with blanks between them. */
static int read_line(
	struct plain *p, const struct lu_slab *slab, struct lu_str line, struct lu_err *err)
{
	const char *s = line.p, *end = line.p + line.n;

	p->w.ids.n = 0;
	for (;;) {
		uint64_t id = 0;
		const char *from;

		while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
			s++;
		if (s == end)
			break;
		for (from = s; s < end && *s >= '0' && *s <= '9' && id < UINT32_MAX; s++)
			id = id * 10 + (uint64_t)(*s - '0');
		if (s == from || (s < end && *s != ' ' && *s != '\t' && *s != '\r'))
			return lu_err_set(err, "%s:%llu: not a line of ids", slab->file,
				(unsigned long long)slab->line);
		if (!known(p->c, id))
			return lu_err_set(err, "%s:%llu: id %llu is not in the tokenizer",
				slab->file, (unsigned long long)slab->line, (unsigned long long)id);
		if (push(&p->w.ids, id, err) < 0)
			return -1;
	}
	p->stats.in.bytes += line.n + 1;
	return put_text(p, err);
}

static int read_lines(struct plain *p, const struct lu_args *args, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	int rc;

	if (lu_lines_open(&lines, args->file, args->files, p->c->std.max_line, err) < 0)
		return -1;
	while ((rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			rc = slab.too_long == slab.line
				? lu_err_set(err, "%s:%llu: longer than --max-line", slab.file,
					  (unsigned long long)slab.line)
				: read_line(p, &slab, line, err);
		}
		if (rc < 0)
			break;
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	return rc;
}

/* A text ends after each end token, and at the end of the file. */
static int read_raw_ids(struct plain *p, struct lu_in *in, struct lu_err *err)
{
	size_t width = p->c->from == FROM_U16 ? 2 : 4;
	uint64_t at = 0;
	uint32_t eos;
	bool ends = lu_tok_role(p->c->tok, LU_TOK_EOS, &eos);
	char buf[1 << 12];
	ssize_t n;

	while ((n = lu_in_read(in, buf, sizeof(buf), err)) > 0) {
		p->stats.in.bytes += (uint64_t)n;
		if ((size_t)n % width)
			return lu_err_set(err, "%s: ends inside an id", lu_in_name(in));
		for (size_t i = 0; i < (size_t)n; i += width, at += width) {
			uint32_t id = width == 2 ? lu_load16(buf + i) : lu_load32(buf + i);

			if (!known(p->c, id))
				return lu_err_set(err,
					"%s: id %u at byte %llu is not in the tokenizer",
					lu_in_name(in), id, (unsigned long long)at);
			if (push(&p->w.ids, id, err) < 0)
				return -1;
			if (ends && id == eos && put_text(p, err) < 0)
				return -1;
		}
	}
	if (n < 0)
		return -1;
	return p->w.ids.n ? put_text(p, err) : 0;
}

static int read_raw(struct plain *p, const struct lu_args *args, struct lu_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < args->files; i++) {
		struct lu_in *in;

		if (lu_in_open(&in, args->file[i], err) < 0)
			return -1;
		rc = read_raw_ids(p, in, err);
		lu_in_close(in);
	}
	return rc;
}

static int run_plain(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct plain p = { .c = c };
	int rc = -1;

	if (c->std.rejects || c->std.max_bad_given)
		lu_usage_error("--rejects and --max-bad are for records: --from jsonl");
	if (worker_init(c, &p.w, err) < 0 ||
		lu_out_open(&p.out, c->std.output, c->std.compress, c->std.threads, err) < 0 ||
		lu_out_refuse(p.out, args->file, args->files, err) < 0)
		goto out;
	if ((c->from == FROM_IDS ? read_lines(&p, args, err) : read_raw(&p, args, err)) < 0 ||
		add_totals(p.w.tokens, p.w.replaced, &p.stats, err) < 0)
		goto out;
	rc = lu_out_commit(p.out, err);
	p.out = NULL;
	if (rc == 0)
		rc = lu_stats_append(&p.stats, args, c->std.stats, err);
out:
	lu_out_abort(p.out);
	worker_free(&p.w);
	lu_buf_release(&p.line);
	lu_stats_release(&p.stats);
	return rc;
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c,
		.map = decode_record,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.finish = finish_records,
		.textless = true };
	int rc = -1;

	if (!c->tokenizer)
		lu_usage_error("-t FILE is needed");
	if (lu_tok_load(&c->tok, c->tokenizer, err) < 0)
		goto out;
	c->stream = &ds;
	rc = c->from == FROM_JSONL ? lu_docstream_run(&ds, &c->std, args, err)
				   : run_plain(c, args, err);
out:
	lu_tok_free(c->tok);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	return lu_tool_finish(run(&c, &args, &err), &err);
}
