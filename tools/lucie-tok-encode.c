/* lucie-tok-encode: encodes the text of documents to token ids. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/par/docstream.h"
#include "libcommon/tokenizer/id_format.h"
#include "libcommon/tokenizer/marks.h"

/* A text of LARGE bytes or more is encoded in parts of about PART by all idle threads, WAVE parts
 * at a time, so that the ids of one wave are in memory and not those of the whole text. */
#define LARGE ((size_t)1 << 20)
#define PART ((size_t)256 << 10)
#define WAVE 32

#define SPECIAL "special token in the text"

enum input { FROM_JSONL, FROM_TEXT };
enum output { AS_JSONL, AS_IDS, AS_PIECES, AS_COUNT, AS_U16, AS_U32 };

struct options {
	struct lu_std std;
	const char *tokenizer, *add;
	bool allow_doubled;
	enum lu_tok_special special;
	enum input from;
	enum output as;
};

static const struct lu_enum inputs[] = {
	{ "jsonl", FROM_JSONL },
	{ "text", FROM_TEXT },
	LU_ENUM_END,
};
static const struct lu_enum outputs[] = {
	{ "jsonl", AS_JSONL },
	{ "ids", AS_IDS },
	{ "pieces", AS_PIECES },
	{ "count", AS_COUNT },
	{ "u16", AS_U16 },
	{ "u32", AS_U32 },
	LU_ENUM_END,
};
static const struct lu_enum specials[] = {
	{ "text", LU_TOK_SPECIAL_TEXT },
	{ "parse", LU_TOK_SPECIAL_PARSE },
	{ "error", LU_TOK_SPECIAL_ERROR },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json"),
	LU_OPT_ENUM(0, "from", struct options, from, inputs, "input format"),
	LU_OPT_ENUM(0, "as", struct options, as, outputs, "output format"),
	LU_OPT_STR(0, "add", struct options, add, "MARK,...", "add bos, eos or template"),
	LU_OPT_FLAG(0, "allow-doubled", struct options, allow_doubled,
			"add them even where they are already"),
	LU_OPT_ENUM(0, "special", struct options, special, specials, "special tokens in texts"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-encode",
	"encodes the text of documents to token ids", "[FILE...]", opts, LU_STD_FILTER,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	struct lu_tok *tok;
	struct lu_marks marks; /* added around each text */
	uint64_t tokens;
};

/* What is to be told of a document's text. */
struct found {
	uint64_t tokens;
	const char *fault; /* why the record is bad, or NULL */
	uint32_t id;	   /* a doubled token */
};

/* A part of a large text. */
struct part {
	size_t from, to;
	struct lu_ids ids;
	struct lu_buf out; /* the ids as they are written */
	int rc;
};

/* The state of a thread. */
struct worker {
	struct lu_tok_state *st;
	struct lu_ids ids;
	struct part *part; /* WAVE of them, or NULL before the first large text */
	uint64_t tokens;
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

	for (size_t i = 0; w->part && i < WAVE; i++) {
		lu_ids_release(&w->part[i].ids);
		lu_buf_release(&w->part[i].out);
	}
	free(w->part);
	lu_tok_state_free(w->st);
	lu_ids_release(&w->ids);
}

/* --- formats ------------------------------------------------------------------------------ */

/* Append the ids, each followed by its separator, so that the output of parts can be joined. */
static void write_ids(const struct run *r, const struct lu_ids *ids, struct lu_buf *b)
{
	switch (r->o->as) {
	case AS_COUNT: break;
	case AS_JSONL: lu_ids_put_decimal(b, ids->p, ids->n, ','); break;
	case AS_IDS: lu_ids_put_decimal(b, ids->p, ids->n, ' '); break;
	case AS_PIECES: lu_ids_put_pieces(b, r->tok, ids->p, ids->n); break;
	case AS_U16: lu_ids_put_binary(b, ids->p, ids->n, 2); break;
	case AS_U32: lu_ids_put_binary(b, ids->p, ids->n, 4); break;
	}
}

/* Append `end` in place of the last separator since `start`. */
static void end_list(struct lu_buf *b, size_t start, char end)
{
	if (lu_buf_ok(b) && b->n > start)
		b->n--;
	lu_buf_putc(b, end);
}

/* --- a document --------------------------------------------------------------------------- */

struct large {
	const struct run *r;
	struct lu_str text;
	struct part *part;
};

static int encode_part(void *ctx, void *local, size_t i, struct lu_err *err)
{
	const struct large *l = ctx;
	struct worker *w = local;
	struct part *p = &l->part[i];

	p->ids.n = 0;
	lu_buf_clear(&p->out);
	p->rc = lu_tok_encode_part(
			l->r->tok, w->st, l->text, p->from, p->to, l->r->o->special, &p->ids, err);
	if (p->rc)
		return p->rc < 0 ? -1 : 0;
	write_ids(l->r, &p->ids, &p->out);
	return lu_buf_check(&p->out, err);
}

/* Encode the next parts of a large text, from *from on. Returns their number, 0 on a fault of the
 * text. */
static int encode_wave(struct large *l, struct lu_doc *doc, size_t *from, struct found *f,
		struct lu_err *err)
{
	int n = 0;

	for (; n < WAVE && *from < l->text.n; n++) {
		l->part[n].from = *from;
		*from = lu_tok_split(l->r->tok, l->text, *from + PART, l->r->o->special);
		l->part[n].to = *from;
	}
	if (lu_doc_parallel_for(doc, (size_t)n, encode_part, l, err) < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (l->part[i].rc) {
			f->fault = SPECIAL;
			return 0;
		}
	}
	return n;
}

/* Encode a large text and append its output to b. */
static int encode_large(const struct run *r, struct worker *w, struct lu_doc *doc, struct lu_buf *b,
		struct found *f, struct lu_err *err)
{
	struct large l = { r, doc->text, NULL };
	uint32_t first = 0, last = 0;

	if (!w->part)
		w->part = calloc(WAVE, sizeof(*w->part));
	l.part = w->part;
	if (!l.part)
		return lu_err_nomem(err);
	for (size_t from = 0; from < l.text.n;) {
		int n = encode_wave(&l, doc, &from, f, err);

		if (n <= 0)
			return n;
		for (int i = 0; i < n; i++) {
			const struct lu_ids *ids = &l.part[i].ids;

			if (ids->n)
				first = f->tokens ? first : ids->p[0], last = ids->p[ids->n - 1];
			f->tokens += ids->n;
			lu_buf_str(b, lu_buf_slice(&l.part[i].out));
		}
	}
	if (f->tokens && !r->o->allow_doubled)
		f->fault = lu_marks_doubled(&r->marks, first, last, &f->id);
	return 0;
}

static int encode_small(const struct run *r, struct worker *w, struct lu_str text, struct lu_buf *b,
		struct found *f, struct lu_err *err)
{
	struct lu_ids *ids = &w->ids;
	int rc;

	ids->n = 0;
	rc = lu_tok_encode(r->tok, w->st, text, r->o->special, ids, err);
	if (rc > 0)
		f->fault = SPECIAL;
	else if (rc == 0 && ids->n && !r->o->allow_doubled)
		f->fault = lu_marks_doubled(&r->marks, ids->p[0], ids->p[ids->n - 1], &f->id);
	f->tokens += ids->n;
	write_ids(r, ids, b);
	return rc < 0 ? -1 : 0;
}

/* Append the output of a document's text to b. */
static int encode_text(const struct run *r, struct worker *w, struct lu_doc *doc, struct lu_buf *b,
		struct found *f, struct lu_err *err)
{
	write_ids(r, &r->marks.before, b);
	if ((doc->text.n >= LARGE ? encode_large(r, w, doc, b, f, err)
				  : encode_small(r, w, doc->text, b, f, err)) < 0)
		return -1;
	write_ids(r, &r->marks.after, b);
	f->tokens += r->marks.before.n + r->marks.after.n;
	return lu_buf_check(b, err);
}

/* Replace the ids that a record has already. */
static int replace_ids(const struct run *r, struct worker *w, struct lu_doc *doc, struct found *f,
		struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	lu_buf_putc(&b, '[');
	rc = encode_text(r, w, doc, &b, f, err);
	end_list(&b, 1, ']');
	if (rc == 0)
		rc = lu_doc_set_json(doc, "ids", &b, err);
	lu_buf_release(&b);
	return rc;
}

/* Begin the record up to the value of a member; the tail is what follows the value. */
static struct lu_str begin_record(
		const struct run *r, struct lu_doc *doc, const char *member, struct lu_buf *b)
{
	if (r->o->from == FROM_JSONL)
		return lu_json_begin_member(&doc->obj, member, b);
	lu_json_open_object(b, NULL);
	lu_json_put_str(b, "text", doc->text);
	lu_json_key(b, lu_str_of(member));
	return LU_STR("}");
}

static int count_tokens(const struct run *r, struct worker *w, struct lu_doc *doc, struct found *f,
		struct lu_err *err)
{
	struct lu_buf none = { 0 }, *b;
	struct lu_str tail;
	int rc = encode_text(r, w, doc, &none, f, err);

	/* The parts of a large text are appended, though they are empty. */
	lu_buf_release(&none);
	if (rc < 0)
		return -1;
	if (r->o->from == FROM_JSONL)
		return lu_doc_set(doc, "tokens", lu_doc_printf(doc, "%" PRIu64, f->tokens));
	b = lu_doc_out(doc);
	tail = begin_record(r, doc, "tokens", b);
	lu_buf_u64(b, f->tokens);
	lu_buf_str(b, tail);
	lu_buf_putc(b, '\n');
	lu_doc_out_end(doc);
	return 0;
}

static int encode_doc(const struct run *r, struct worker *w, struct lu_doc *doc, struct found *f,
		struct lu_err *err)
{
	enum output as = r->o->as;
	struct lu_buf *b;
	struct lu_str tail = LU_STR("");
	size_t start;
	int rc;

	if (as == AS_COUNT)
		return count_tokens(r, w, doc, f, err);
	if (as == AS_JSONL && lu_json_get(&doc->obj, "ids"))
		return replace_ids(r, w, doc, f, err);
	b = lu_doc_out(doc);
	if (as == AS_JSONL)
		tail = begin_record(r, doc, "ids", b);
	if (as == AS_JSONL || as == AS_PIECES)
		lu_buf_putc(b, '[');
	start = b->n;
	rc = encode_text(r, w, doc, b, f, err);
	if (as == AS_JSONL || as == AS_PIECES) {
		end_list(b, start, ']');
		lu_buf_str(b, tail);
		lu_buf_putc(b, '\n');
	} else if (as == AS_IDS) {
		end_list(b, start, '\n');
	}
	lu_doc_out_end(doc);
	return rc;
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct worker *w = local;
	struct found f = { 0 };

	if (encode_doc(ctx, w, doc, &f, err) < 0)
		return -1;
	if (f.fault)
		return lu_doc_bad_value(doc, f.fault,
				strcmp(f.fault, SPECIAL) == 0
						? LU_STR("null")
						: lu_doc_printf(doc, "%" PRIu32, f.id));
	w->tokens += f.tokens;
	return 0;
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	(void)err;
	((struct run *)ctx)->tokens += ((const struct worker *)local)->tokens;
	return 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	lu_json_put_u64(&stats->extra, "tokens", ((const struct run *)ctx)->tokens);
	return lu_buf_check(&stats->extra, err);
}

/* --- the run ------------------------------------------------------------------------------ */

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o };
	struct lu_docstream ds = { .ctx = &r,
		.map = encode,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.merge = merge,
		.finish = finish,
		.flags = o->from == FROM_TEXT ? LU_DOCSTREAM_LINES : 0 };
	int rc = -1;

	if (!o->tokenizer)
		lu_usage_error("-t FILE is needed");
	if (o->from == FROM_TEXT && (o->std.text_field || o->std.map.n))
		lu_usage_error("--text-field and --map are for records, not for --from text");
	if (lu_tok_load(&r.tok, o->tokenizer, err) < 0)
		goto out;
	if (o->add && lu_marks_parse(&r.marks, r.tok, o->add, o->allow_doubled, err) < 0)
		lu_usage_fail(err, "--add");
	if (o->as == AS_U16 && lu_tok_size(r.tok) > 65536) {
		lu_err_set(err, "%s: %u ids do not fit u16", o->tokenizer, lu_tok_size(r.tok));
		goto out;
	}
	rc = lu_docstream_run(&ds, &o->std, args, err);
out:
	lu_marks_release(&r.marks);
	lu_tok_free(r.tok);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &o, &args);
	return lu_tool_finish(run(&o, &args, &err), &err);
}
