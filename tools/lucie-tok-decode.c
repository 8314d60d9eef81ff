/* lucie-tok-decode: turns token ids back into text. */
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/io/lines.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/tokenizer/tokenizer.h"

#define PART 32768 /* ids that are decoded at once, where texts come in parts */

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

/* Of ids that could not be decoded: where the one is that the tokenizer does not have. */
static bool find_unknown(const struct config *c, const struct lu_ids *ids, size_t *at)
{
	for (*at = 0; *at < ids->n; ++*at) {
		uint32_t id = ids->p[*at];

		if (id >= lu_tok_size(c->tok) || !lu_tok_piece(c->tok, id).p)
			return true;
	}
	return false;
}

/* The text of w->ids into w->text. */
static int decode(const struct config *c, struct worker *w, struct lu_err *err)
{
	lu_buf_clear(&w->text);
	w->tokens += w->ids.n;
	return lu_tok_decode(c->tok, w->st, w->ids.p, w->ids.n,
			c->special == 0 ? LU_TOK_SKIP_SPECIAL : 0, &w->text, &w->replaced, err);
}

/* One whole number of digits at *s, which is moved behind it; UINT64_MAX when it is none, or one
 * larger than any id. */
static uint64_t read_id(const char **s, const char *end)
{
	const char *p = *s;
	uint64_t id = 0;

	while (p < end && *p >= '0' && *p <= '9' && id <= UINT32_MAX)
		id = id * 10 + (uint64_t)(*p++ - '0');
	id = p == *s || id > UINT32_MAX ? UINT64_MAX : id;
	*s = p;
	return id;
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

static int unknown_id(struct lu_doc *doc, struct lu_str value)
{
	lu_doc_bad(doc, "an id is not in the tokenizer");
	doc->value = value;
	return 0;
}

/* The elements of a checked array. 1: one is no id; *odd is what it is. */
static int read_ids(struct lu_str raw, struct lu_ids *ids, struct lu_str *odd, struct lu_err *err)
{
	const char *p = raw.p + 1, *end = raw.p + raw.n - 1;
	struct lu_json_iter it = lu_json_iter(raw);

	ids->n = 0;
	/* An element is two bytes at least, with its comma. */
	if (lu_ids_reserve(ids, raw.n / 2 + 1, err) < 0)
		return -1;
	while (p < end) {
		uint64_t id;

		while (*p == ' ' || *p == ',' || *p == '\t' || *p == '\n' || *p == '\r')
			p++;
		if (p == end)
			break;
		id = read_id(&p, end);
		if (id > UINT32_MAX || (*p != ',' && *p != ' ' && *p != ']' && *p > ' ')) {
			for (size_t i = 0; i <= ids->n && lu_json_next(&it); i++)
				*odd = it.value;
			return 1;
		}
		ids->p[ids->n++] = (uint32_t)id;
	}
	return 0;
}

static int decode_record(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	const struct lu_json_member *m = lu_json_get(&doc->obj, "ids");
	struct lu_str odd = { "", 0 };
	struct lu_buf *out;
	size_t at;
	int rc;

	if (!m || m->type != LU_JSON_ARRAY)
		return lu_doc_bad(doc, m ? "\"ids\" is not an array" : "no \"ids\"");
	rc = read_ids(m->value, &w->ids, &odd, err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return unknown_id(doc, odd);
	if (decode(c, w, err) < 0)
		return find_unknown(c, &w->ids, &at)
				? unknown_id(doc, lu_doc_printf(doc, "%u", w->ids.p[at]))
				: -1;
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
	struct lu_buf quoted;
	bool begun; /* a text */
	struct lu_stats stats;
};

static int put(struct plain *p, const char *s, size_t n, struct lu_err *err)
{
	p->stats.out.bytes += n;
	return lu_out_write(p->out, s, n, err);
}

/* Writes the next part of a text, w.text: its ids may be more than memory holds. */
static int put_part(struct plain *p, struct lu_err *err)
{
	struct lu_str s = lu_buf_slice(&p->w.text);

	if (p->c->as == 0) {
		if (!p->begun && put(p, "{\"text\":\"", 9, err) < 0)
			return -1;
		lu_buf_clear(&p->quoted);
		lu_json_quote(&p->quoted, s);
		if (lu_buf_check(&p->quoted, err) < 0)
			return -1;
		s = (struct lu_str){ p->quoted.p + 1, p->quoted.n - 2 };
	}
	p->begun = true;
	lu_buf_clear(&p->w.text);
	return put(p, s.p, s.n, err);
}

/* Raw ids make raw text: only JSON and lines need an end. */
static int end_text(struct plain *p, struct lu_err *err)
{
	if (lu_tok_decode_end(p->c->tok, p->w.st, &p->w.text, &p->w.replaced, err) < 0 ||
			put_part(p, err) < 0)
		return -1;
	p->begun = false;
	p->stats.in.docs++;
	p->stats.out.docs++;
	if (p->c->as == 0)
		return put(p, "\"}\n", 3, err);
	return p->c->from == FROM_IDS ? put(p, "\n", 1, err) : 0;
}

/* Decodes w.ids as the next part of a text. 1: the one at *at is not in the tokenizer. */
static int decode_part(struct plain *p, size_t *at, struct lu_err *err)
{
	struct worker *w = &p->w;
	unsigned flags = p->c->special == 0 ? LU_TOK_SKIP_SPECIAL : 0;

	if (!p->begun)
		lu_tok_decode_begin(p->c->tok, w->st);
	if (lu_tok_decode_more(p->c->tok, w->st, w->ids.p, w->ids.n, flags, &w->text, &w->replaced,
			    err) < 0)
		return find_unknown(p->c, &w->ids, at) ? 1 : -1;
	w->tokens += w->ids.n;
	w->ids.n = 0;
	return put_part(p, err);
}

/* Numbers with blanks between them. */
static int read_line(
		struct plain *p, const struct lu_slab *slab, struct lu_str line, struct lu_err *err)
{
	const char *s = line.p, *end = line.p + line.n;
	unsigned long long number = slab->line;
	size_t at;
	int rc;

	p->w.ids.n = 0;
	p->stats.in.bytes += line.n + 1;
	for (;;) {
		uint64_t id;

		while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
			s++;
		if (s == end || p->w.ids.n == PART) {
			rc = decode_part(p, &at, err);
			if (rc > 0)
				return lu_err_set(err, "%s:%llu: id %u is not in the tokenizer",
						slab->file, number, p->w.ids.p[at]);
			if (rc < 0 || s == end)
				return rc < 0 ? -1 : end_text(p, err);
		}
		id = read_id(&s, end);
		if (id > UINT32_MAX || (s < end && *s != ' ' && *s != '\t' && *s != '\r'))
			return lu_err_set(err, "%s:%llu: not a line of ids", slab->file, number);
		p->w.ids.p[p->w.ids.n++] = (uint32_t)id;
	}
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
					? lu_err_set(err, "%s:%llu: longer than --max-line",
							  slab.file, (unsigned long long)slab.line)
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
	struct lu_ids *ids = &p->w.ids;
	size_t at = 0;
	uint32_t eos;
	bool ends = lu_tok_role(p->c->tok, LU_TOK_EOS, &eos), open = false;
	char buf[PART];
	ssize_t n;
	int rc = 0;

	ids->n = 0;
	while (rc == 0 && (n = lu_in_read(in, buf, sizeof(buf), err)) > 0) {
		if ((size_t)n % width)
			return lu_err_set(err, "%s: ends inside an id", lu_in_name(in));
		p->stats.in.bytes += (uint64_t)n;
		for (size_t i = 0; rc == 0 && i < (size_t)n; i += width) {
			uint32_t id = width == 2 ? lu_load16(buf + i) : lu_load32(buf + i);
			bool end = ends && id == eos;

			ids->p[ids->n++] = id;
			open = !end;
			if (end || i + width == (size_t)n)
				rc = decode_part(p, &at, err);
			if (rc == 0 && end)
				rc = end_text(p, err);
		}
	}
	if (rc > 0)
		return lu_err_set(err, "%s: id %u is not in the tokenizer", lu_in_name(in),
				ids->p[at]);
	if (rc < 0 || n < 0)
		return -1;
	return open ? end_text(p, err) : 0;
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
	if (worker_init(c, &p.w, err) < 0 || lu_ids_reserve(&p.w.ids, PART, err) < 0 ||
			lu_out_open(&p.out, c->std.output, c->std.compress, c->std.threads, err) <
					0 ||
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
	lu_buf_release(&p.quoted);
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
		.flags = LU_DOCSTREAM_TEXTLESS };
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
