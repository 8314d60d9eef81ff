/* lucie-tok-decode: decodes token ids to text. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/io/lines.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/par/inputs.h"
#include "libcommon/sys/file.h"
#include "libcommon/tokenizer/tokenizer.h"

#define MAX_IDS 32768 /* decoded at once outside records */

enum input { FROM_JSONL, FROM_IDS, FROM_U16, FROM_U32 };
enum output { AS_JSONL, AS_TEXT };

struct options {
	struct lu_std std;
	const char *tokenizer;
	enum input from;
	enum output as;
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
	{ "jsonl", AS_JSONL },
	{ "text", AS_TEXT },
	LU_ENUM_END,
};
static const struct lu_enum specials[] = {
	{ "skip", LU_TOK_SKIP_SPECIAL },
	{ "keep", 0 },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json"),
	LU_OPT_ENUM(0, "from", struct options, from, inputs, "input format (jsonl)"),
	LU_OPT_ENUM(0, "as", struct options, as, outputs, "output format (jsonl)"),
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

/* Read digits at *s and advance. UINT64_MAX when there are none or the number is too large. */
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

static int add_totals(
		uint64_t tokens, uint64_t replaced, struct lu_stats *stats, struct lu_err *err)
{
	lu_json_put_u64(&stats->extra, "tokens", tokens);
	lu_json_put_u64(&stats->extra, "replaced", replaced);
	if (replaced)
		lu_note("replaced %" PRIu64 " invalid sequences by U+FFFD", replaced);
	return lu_buf_check(&stats->extra, err);
}

/* --- records ------------------------------------------------------------------------------ */

static int unknown_id(struct lu_doc *doc, struct lu_str id)
{
	lu_doc_bad(doc, "an id is not in the tokenizer");
	doc->value = id;
	return 0;
}

/* Read a checked array. Returns 1 when an element is not an id; *bad is that element. */
static int read_ids(struct lu_str raw, struct lu_ids *ids, struct lu_str *bad, struct lu_err *err)
{
	const char *p = raw.p + 1, *end = raw.p + raw.n - 1;
	struct lu_json_iter it = lu_json_iter(raw);

	ids->n = 0;
	/* An element takes at least two bytes, with its comma. */
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
				*bad = it.value;
			return 1;
		}
		ids->p[ids->n++] = (uint32_t)id;
	}
	return 0;
}

static int decode_record(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct worker *w = local;
	const struct lu_json_member *m = lu_json_get(&doc->obj, "ids");
	struct lu_str bad = { "", 0 };
	struct lu_buf *out;
	int rc;

	if (!m || m->type != LU_JSON_ARRAY)
		return lu_doc_bad(doc, m ? "\"ids\" is not an array" : "no \"ids\"");
	rc = read_ids(m->value, &w->ids, &bad, err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return unknown_id(doc, bad);
	lu_buf_clear(&w->text);
	w->tokens += w->ids.n;
	if (lu_tok_decode(r->tok, w->st, w->ids.p, w->ids.n, r->opts->flags, &w->text, &w->replaced,
			    err) < 0) {
		for (size_t i = 0; i < w->ids.n; i++) {
			if (!lu_tok_piece(r->tok, w->ids.p[i]).p)
				return unknown_id(doc, lu_doc_printf(doc, "%u", w->ids.p[i]));
		}
		return -1;
	}
	if (r->opts->as == AS_JSONL)
		return lu_doc_set_text(doc, lu_buf_slice(&w->text), err);
	out = lu_doc_out(doc);
	lu_buf_str(out, lu_buf_slice(&w->text));
	lu_buf_putc(out, '\n');
	lu_doc_out_end(doc);
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

/* --- lines of ids, and binary ids --------------------------------------------------------- */

/* One thread decodes texts of any size in parts. */
struct plain {
	const struct run *r;
	struct worker w;
	struct lu_out *out;
	struct lu_buf quoted;
	bool in_text;
	struct lu_stats stats;
};

static int write_bytes(struct plain *p, const char *s, size_t n, struct lu_err *err)
{
	p->stats.out.bytes += n;
	return lu_out_write(p->out, s, n, err);
}

/* Write w.text, the next part of a text. */
static int write_part(struct plain *p, struct lu_err *err)
{
	struct lu_str s = lu_buf_slice(&p->w.text);

	if (p->r->opts->as == AS_JSONL) {
		if (!p->in_text && write_bytes(p, "{\"text\":\"", 9, err) < 0)
			return -1;
		lu_buf_clear(&p->quoted);
		lu_json_quote(&p->quoted, s);
		if (lu_buf_check(&p->quoted, err) < 0)
			return -1;
		s = (struct lu_str){ p->quoted.p + 1, p->quoted.n - 2 };
	}
	p->in_text = true;
	lu_buf_clear(&p->w.text);
	return write_bytes(p, s.p, s.n, err);
}

/* Texts of binary ids follow each other without a separator. */
static int end_text(struct plain *p, struct lu_err *err)
{
	const struct options *o = p->r->opts;

	if (lu_tok_decode_end(p->r->tok, p->w.st, &p->w.text, &p->w.replaced, err) < 0 ||
			write_part(p, err) < 0)
		return -1;
	p->in_text = false;
	p->stats.in.docs++;
	p->stats.out.docs++;
	if (o->as == AS_JSONL)
		return write_bytes(p, "\"}\n", 3, err);
	return o->from == FROM_IDS ? write_bytes(p, "\n", 1, err) : 0;
}

/* Decode w.ids, the next part of a text. Returns 1 when that fails, -1 when writing does. */
static int decode_part(struct plain *p, struct lu_err *err)
{
	struct worker *w = &p->w;

	if (!p->in_text)
		lu_tok_decode_begin(p->r->tok, w->st);
	if (lu_tok_decode_more(p->r->tok, w->st, w->ids.p, w->ids.n, p->r->opts->flags, &w->text,
			    &w->replaced, err) < 0)
		return 1;
	w->tokens += w->ids.n;
	w->ids.n = 0;
	return write_part(p, err);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Decode a line of decimal ids separated by blanks. */
static int read_line(
		struct plain *p, const struct lu_slab *slab, struct lu_str line, struct lu_err *err)
{
	const char *s = line.p, *end = line.p + line.n;
	int rc;

	p->w.ids.n = 0;
	p->stats.in.bytes += line.n + 1;
	for (;;) {
		const char *word;
		uint64_t id;

		while (s < end && is_blank(*s))
			s++;
		if (s == end || p->w.ids.n == MAX_IDS) {
			rc = decode_part(p, err);
			if (rc > 0)
				return lu_err_wrap(err, "%s:%" PRIu64, slab->file, slab->line);
			if (rc < 0 || s == end)
				return rc < 0 ? -1 : end_text(p, err);
		}
		word = s;
		id = read_id(&s, end);
		if (id > UINT32_MAX || (s < end && !is_blank(*s))) {
			while (s < end && s - word < 40 && !is_blank(*s))
				s++;
			return lu_err_set(err, "%s:%" PRIu64 ": '%.*s' is not an id", slab->file,
					slab->line, (int)(s - word), word);
		}
		p->w.ids.p[p->w.ids.n++] = (uint32_t)id;
	}
}

static int read_lines(struct plain *p, const struct lu_args *args, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	int rc;

	if (lu_lines_open(&lines, args->file, args->files, p->r->opts->std.max_line, err) < 0)
		return -1;
	while ((rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			rc = slab.too_long
					? lu_err_set(err, "%s:%" PRIu64 ": longer than --max-line",
							  slab.file, slab.line)
					: read_line(p, &slab, line, err);
		}
		if (rc < 0)
			break;
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	return rc;
}

/* A text ends after each end token, and with the file. */
static int read_binary(struct plain *p, struct lu_in *in, struct lu_err *err)
{
	size_t width = p->r->opts->from == FROM_U16 ? 2 : 4;
	uint32_t eos;
	bool has_eos = lu_tok_role(p->r->tok, LU_TOK_EOS, &eos);
	char buf[32768];
	ssize_t n;
	int rc = 0;

	p->w.ids.n = 0;
	while (rc == 0 && (n = lu_in_read(in, buf, sizeof(buf), err)) > 0) {
		if ((size_t)n % width)
			return lu_err_set(err, "%s: ends inside an id of %zu bytes", lu_in_name(in),
					width);
		p->stats.in.bytes += (uint64_t)n;
		for (size_t i = 0; rc == 0 && i < (size_t)n; i += width) {
			uint32_t id = width == 2 ? lu_load16(buf + i) : lu_load32(buf + i);
			bool is_end = has_eos && id == eos;

			p->w.ids.p[p->w.ids.n++] = id;
			if (is_end || i + width == (size_t)n)
				rc = decode_part(p, err);
			if (rc == 0 && is_end)
				rc = end_text(p, err);
		}
	}
	if (rc > 0)
		return lu_err_wrap(err, "%s", lu_in_name(in));
	if (rc < 0 || n < 0)
		return -1;
	return p->in_text ? end_text(p, err) : 0;
}

static int read_binary_files(struct plain *p, const struct lu_args *args, struct lu_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < args->files; i++) {
		struct lu_in *in;

		if (lu_in_open(&in, args->file[i], err) < 0)
			return -1;
		rc = read_binary(p, in, err);
		lu_in_close(in);
	}
	return rc;
}

static int run_plain(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	const struct lu_std *std = &r->opts->std;
	struct plain p = { .r = r };
	struct lu_inputs in;
	int rc = -1;

	if (lu_files_distinct(args->file, args->files, "", err) < 0 ||
			lu_inputs_open(&in, args->file, args->files, std->allow_empty, err) < 0 ||
			worker_init(r, &p.w, err) < 0 ||
			lu_ids_reserve(&p.w.ids, MAX_IDS, err) < 0 ||
			lu_out_open(&p.out, std->output, std->compress, std->threads, err) < 0 ||
			lu_out_refuse_inputs(p.out, args->file, args->files, err) < 0)
		goto out;
	if ((r->opts->from == FROM_IDS ? read_lines(&p, args, err)
				       : read_binary_files(&p, args, err)) < 0 ||
			add_totals(p.w.tokens, p.w.replaced, &p.stats, err) < 0)
		goto out;
	rc = lu_out_commit(p.out, err);
	p.out = NULL;
	if (rc == 0)
		rc = lu_stats_append(&p.stats, args, std->stats, err);
out:
	lu_out_abort(p.out);
	worker_free(&p.w);
	lu_buf_release(&p.quoted);
	lu_stats_release(&p.stats);
	return rc;
}

/* --- the run ------------------------------------------------------------------------------ */

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .opts = o };
	struct lu_docstream ds = { .ctx = &r,
		.map = decode_record,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.merge = merge,
		.finish = finish,
		.flags = LU_DOCSTREAM_TEXTLESS };
	int rc = -1;

	if (!o->tokenizer)
		lu_usage_error("-t FILE is needed");
	if (o->from != FROM_JSONL && (o->std.rejects || o->std.max_bad_given))
		lu_usage_error("--rejects and --max-bad are for records: --from jsonl");
	if (lu_tok_load(&r.tok, o->tokenizer, err) < 0)
		return -1;
	rc = o->from == FROM_JSONL ? lu_docstream_run(&ds, &o->std, args, err)
				   : run_plain(&r, args, err);
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
