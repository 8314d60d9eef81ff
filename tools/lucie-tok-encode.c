/* lucie-tok-encode: encodes the text of documents to token ids. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/par/docstream.h"
#include "libcommon/tokenizer/tokenizer.h"

/* A text of LARGE bytes or more is encoded in parts of about PART by all idle threads, WAVE parts
 * at a time, so that the ids of one wave are in memory and not those of the whole text. */
#define LARGE ((size_t)1 << 20)
#define PART ((size_t)256 << 10)
#define WAVE 32

enum format { AS_JSONL, AS_IDS, AS_COUNT, AS_U16, AS_U32 };

struct options {
	struct lu_std std;
	const char *tokenizer, *add;
	enum lu_tok_special special;
	enum format as;
};

static const struct lu_enum formats[] = {
	{ "jsonl", AS_JSONL },
	{ "ids", AS_IDS },
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
	LU_OPT_ENUM(0, "as", struct options, as, formats, "output format (jsonl)"),
	LU_OPT_STR(0, "add", struct options, add, "LIST", "add bos, eos or template to each text"),
	LU_OPT_ENUM(0, "special", struct options, special, specials, "special tokens in texts"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-encode",
	"encodes the text of documents to token ids", "[FILE...]", opts, LU_STD_FILTER,
	offsetof(struct options, std) };

struct run {
	enum format as;
	enum lu_tok_special special;
	struct lu_tok *tok;
	struct lu_ids before, after; /* added around each text */
	uint64_t tokens;
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

static void write_decimal(struct lu_buf *b, const struct lu_ids *ids, char separator)
{
	for (size_t i = 0; i < ids->n; i++) {
		lu_buf_u64(b, ids->p[i]);
		lu_buf_putc(b, separator);
	}
}

static void write_binary(struct lu_buf *b, const struct lu_ids *ids, size_t width)
{
	if (!lu_buf_reserve(b, ids->n * width))
		return;
	for (size_t i = 0; i < ids->n; i++) {
		if (width == 2)
			lu_store16(b->p + b->n, (uint16_t)ids->p[i]);
		else
			lu_store32(b->p + b->n, ids->p[i]);
		b->n += width;
	}
}

/* Append the ids, each followed by its separator, so that the output of parts can be joined. */
static void write_ids(const struct run *r, const struct lu_ids *ids, struct lu_buf *b)
{
	switch (r->as) {
	case AS_COUNT: break;
	case AS_JSONL: write_decimal(b, ids, ','); break;
	case AS_IDS: write_decimal(b, ids, ' '); break;
	case AS_U16: write_binary(b, ids, 2); break;
	case AS_U32: write_binary(b, ids, 4); break;
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
			l->r->tok, w->st, l->text, p->from, p->to, l->r->special, &p->ids, err);
	if (p->rc)
		return p->rc < 0 ? -1 : 0;
	write_ids(l->r, &p->ids, &p->out);
	return lu_buf_check(&p->out, err);
}

/* Encode a large text and append its output to b; 1 if it has a special token. */
static int encode_large(const struct run *r, struct worker *w, struct lu_doc *doc, struct lu_buf *b,
		uint64_t *tokens, struct lu_err *err)
{
	struct large l = { r, doc->text, NULL };

	if (!w->part)
		w->part = calloc(WAVE, sizeof(*w->part));
	l.part = w->part;
	if (!l.part)
		return lu_err_nomem(err);
	for (size_t from = 0; from < l.text.n;) {
		size_t n = 0;

		for (; n < WAVE && from < l.text.n; n++) {
			l.part[n].from = from;
			from = lu_tok_split(r->tok, l.text, from + PART, r->special);
			l.part[n].to = from;
		}
		if (lu_doc_parallel_for(doc, n, encode_part, &l, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			if (l.part[i].rc)
				return 1;
			*tokens += l.part[i].ids.n;
			lu_buf_str(b, lu_buf_slice(&l.part[i].out));
		}
	}
	return 0;
}

/* Append the output of a document's text to b. */
static int encode_text(const struct run *r, struct worker *w, struct lu_doc *doc, struct lu_buf *b,
		uint64_t *tokens, struct lu_err *err)
{
	int rc;

	write_ids(r, &r->before, b);
	if (doc->text.n >= LARGE) {
		rc = encode_large(r, w, doc, b, tokens, err);
	} else {
		w->ids.n = 0;
		rc = lu_tok_encode(r->tok, w->st, doc->text, r->special, &w->ids, err);
		*tokens += w->ids.n;
		write_ids(r, &w->ids, b);
	}
	if (rc)
		return rc;
	write_ids(r, &r->after, b);
	*tokens += r->before.n + r->after.n;
	return lu_buf_check(b, err);
}

/* Replace the ids that a record has already. */
static int replace_ids(const struct run *r, struct worker *w, struct lu_doc *doc, uint64_t *tokens,
		struct lu_err *err)
{
	struct lu_buf b = { 0 };
	struct lu_str kept;
	int rc;

	lu_buf_putc(&b, '[');
	rc = encode_text(r, w, doc, &b, tokens, err);
	end_list(&b, 1, ']');
	if (rc == 0)
		rc = lu_buf_check(&b, err);
	if (rc == 0) {
		kept = lu_arena_str(doc->arena, lu_buf_slice(&b));
		rc = kept.p ? lu_doc_set(doc, "ids", kept) : lu_err_nomem(err);
	}
	lu_buf_release(&b);
	return rc;
}

static int encode_doc(const struct run *r, struct worker *w, struct lu_doc *doc, uint64_t *tokens,
		struct lu_err *err)
{
	struct lu_buf *b, none = { 0 };
	struct lu_str tail = LU_STR("");
	size_t start;
	int rc;

	if (r->as == AS_COUNT) {
		rc = encode_text(r, w, doc, &none, tokens, err);
		return rc ? rc : lu_doc_set(doc, "tokens", lu_doc_printf(doc, "%" PRIu64, *tokens));
	}
	if (r->as == AS_JSONL && lu_json_get(&doc->obj, "ids"))
		return replace_ids(r, w, doc, tokens, err);
	b = lu_doc_out(doc);
	if (r->as == AS_JSONL) {
		tail = lu_json_begin_member(&doc->obj, "ids", b);
		lu_buf_putc(b, '[');
	}
	start = b->n;
	rc = encode_text(r, w, doc, b, tokens, err);
	if (r->as == AS_JSONL) {
		end_list(b, start, ']');
		lu_buf_str(b, tail);
		lu_buf_putc(b, '\n');
	} else if (r->as == AS_IDS) {
		end_list(b, start, '\n');
	}
	lu_doc_out_end(doc);
	return rc;
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct worker *w = local;
	uint64_t tokens = 0;
	int rc = encode_doc(ctx, w, doc, &tokens, err);

	if (rc > 0)
		return lu_doc_bad(doc, "special token in the text");
	w->tokens += tokens;
	return rc;
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

static int append_ids(struct lu_ids *ids, const uint32_t *id, size_t n, struct lu_err *err)
{
	if (lu_ids_reserve(ids, n, err) < 0)
		return -1;
	if (n)
		memcpy(ids->p + ids->n, id, n * sizeof(*id));
	ids->n += n;
	return 0;
}

static int add_item(struct run *r, const struct options *o, struct lu_str item, struct lu_err *err)
{
	struct lu_tok_template post = lu_tok_template(r->tok);
	bool bos = lu_str_is(item, "bos");
	uint32_t id;

	if (lu_str_is(item, "template")) {
		if (append_ids(&r->before, post.before, post.n_before, err) < 0)
			return -1;
		return append_ids(&r->after, post.after, post.n_after, err);
	}
	if (!bos && !lu_str_is(item, "eos"))
		lu_usage_error("--add: '" LU_STR_FMT "' is none of bos, eos, template",
				LU_STR_ARG(item));
	if (!lu_tok_role(r->tok, bos ? LU_TOK_BOS : LU_TOK_EOS, &id))
		return lu_err_set(err, "%s: no special token for " LU_STR_FMT, o->tokenizer,
				LU_STR_ARG(item));
	return append_ids(bos ? &r->before : &r->after, &id, 1, err);
}

static int read_add(struct run *r, const struct options *o, struct lu_err *err)
{
	const char *p = o->add;

	while (p && *p) {
		size_t n = strcspn(p, ",");

		if (add_item(r, o, (struct lu_str){ p, n }, err) < 0)
			return -1;
		p += n + (p[n] == ',');
	}
	return 0;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .as = o->as, .special = o->special };
	struct lu_docstream ds = { .ctx = &r,
		.map = encode,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.merge = merge,
		.finish = finish };
	int rc = -1;

	if (!o->tokenizer)
		lu_usage_error("-t FILE is needed");
	if (lu_tok_load(&r.tok, o->tokenizer, err) < 0 || read_add(&r, o, err) < 0)
		goto out;
	if (r.as == AS_U16 && lu_tok_size(r.tok) > 65536) {
		lu_err_set(err, "%s: %u ids do not fit u16", o->tokenizer, lu_tok_size(r.tok));
		goto out;
	}
	rc = lu_docstream_run(&ds, &o->std, args, err);
out:
	lu_ids_release(&r.before);
	lu_ids_release(&r.after);
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
