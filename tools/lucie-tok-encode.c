/* lucie-tok-encode: turns the text of documents into token ids. */
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/par/docstream.h"
#include "libcommon/tokenizer/tokenizer.h"

enum as { AS_JSONL, AS_IDS, AS_COUNT, AS_U16, AS_U32 };

/* A text of PARTED bytes or more is encoded in parts of about PART, by all threads that are idle;
 * a wave of them at a time, so that only their ids are in memory and never those of all. */
#define PARTED ((size_t)1 << 20)
#define PART ((size_t)256 << 10)
#define WAVE 32

struct part {
	size_t from, to;
	struct lu_ids ids;
	struct lu_buf out; /* as they are written */
	int rc;
};

/* A thread's state. */
struct worker {
	struct lu_tok_state *st;
	struct lu_ids ids;
	struct part *part; /* WAVE of them, once a large document was met */
	uint64_t tokens;
};

struct config {
	struct lu_std std;
	const char *tokenizer, *add;
	int special, as;
	struct lu_tok *tok;
	struct lu_ids before, after; /* what --add puts around each text */
	const struct lu_docstream *stream;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct config, tokenizer, "FILE", "the tokenizer.json"),
	LU_OPT_CHOICE(0, "as", struct config, as, "jsonl|ids|count|u16|u32", "what to write"),
	LU_OPT_STR(0, "add", struct config, add, "LIST", "bos, eos or template around each text"),
	LU_OPT_CHOICE(0, "special", struct config, special, "text|parse|error",
			"what a special token spelled in a text is"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-encode",
	"turns the text of documents into token ids", "[FILE...]", opts, LU_STD_FILTER,
	offsetof(struct config, std) };

static int push(struct lu_ids *ids, const uint32_t *id, size_t n, struct lu_err *err)
{
	if (lu_ids_reserve(ids, n, err) < 0)
		return -1;
	if (n)
		memcpy(ids->p + ids->n, id, n * sizeof(*id));
	ids->n += n;
	return 0;
}

static int add_one(struct config *c, struct lu_str word, struct lu_err *err)
{
	struct lu_tok_template post = lu_tok_template(c->tok);
	bool bos = lu_str_is(word, "bos");
	uint32_t id;

	if (lu_str_is(word, "template"))
		return push(&c->before, post.before, post.n_before, err) < 0
				? -1
				: push(&c->after, post.after, post.n_after, err);
	if (!bos && !lu_str_is(word, "eos"))
		lu_usage_error("--add: '" LU_STR_FMT "' is none of bos, eos, template",
				LU_STR_ARG(word));
	if (!lu_tok_role(c->tok, bos ? LU_TOK_BOS : LU_TOK_EOS, &id))
		return lu_err_set(err, "%s: no special token for " LU_STR_FMT, c->tokenizer,
				LU_STR_ARG(word));
	return push(bos ? &c->before : &c->after, &id, 1, err);
}

static int read_add(struct config *c, struct lu_err *err)
{
	const char *p = c->add;

	while (p && *p) {
		size_t n = strcspn(p, ",");

		if (add_one(c, (struct lu_str){ p, n }, err) < 0)
			return -1;
		p += n + (p[n] == ',');
	}
	return 0;
}

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	struct worker *w = local;

	w->st = lu_tok_state_new(((const struct config *)ctx)->tok);
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

/* --- writing ------------------------------------------------------------------------------ */

static void write_text(struct lu_buf *b, const struct lu_ids *ids, char between)
{
	for (size_t i = 0; i < ids->n; i++) {
		lu_buf_u64(b, ids->p[i]);
		lu_buf_putc(b, between);
	}
}

static void write_raw(struct lu_buf *b, const struct lu_ids *ids, size_t width)
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

/* Each id with its separator behind it: parts can be put together. */
static void write_ids(const struct config *c, const struct lu_ids *ids, struct lu_buf *b)
{
	switch ((enum as)c->as) {
	case AS_COUNT: break;
	case AS_JSONL: write_text(b, ids, ','); break;
	case AS_IDS: write_text(b, ids, ' '); break;
	case AS_U16: write_raw(b, ids, 2); break;
	case AS_U32: write_raw(b, ids, 4); break;
	}
}

/* Puts `end` behind the ids since `start`, in place of the last one's separator. */
static void end_list(struct lu_buf *b, size_t start, char end)
{
	if (lu_buf_ok(b) && b->n > start)
		b->n--;
	lu_buf_putc(b, end);
}

/* --- a document --------------------------------------------------------------------------- */

struct large {
	const struct config *c;
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
	p->rc = lu_tok_encode_part(l->c->tok, w->st, l->text, p->from, p->to,
			(enum lu_tok_special)l->c->special, &p->ids, err);
	if (p->rc)
		return p->rc < 0 ? -1 : 0;
	write_ids(l->c, &p->ids, &p->out);
	return lu_buf_check(&p->out, err);
}

/* Encodes a large text and appends what is written of it; 1 when a special token was met. */
static int encode_large(const struct config *c, struct worker *w, struct lu_doc *doc,
		struct lu_buf *b, uint64_t *tokens, struct lu_err *err)
{
	struct large l = { c, doc->text, NULL };

	if (!w->part)
		w->part = calloc(WAVE, sizeof(*w->part));
	l.part = w->part;
	if (!l.part)
		return lu_err_nomem(err);
	for (size_t from = 0; from < l.text.n;) {
		size_t n = 0;

		for (; n < WAVE && from < l.text.n; n++) {
			l.part[n].from = from;
			from = lu_tok_split(c->tok, l.text, from + PART,
					(enum lu_tok_special)c->special);
			l.part[n].to = from;
		}
		if (lu_doc_share(doc, n, encode_part, &l, err) < 0)
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

/* The ids of a document, as they are written, appended to b. */
static int encode_text(const struct config *c, struct worker *w, struct lu_doc *doc,
		struct lu_buf *b, uint64_t *tokens, struct lu_err *err)
{
	int rc;

	write_ids(c, &c->before, b);
	if (doc->text.n >= PARTED) {
		rc = encode_large(c, w, doc, b, tokens, err);
	} else {
		w->ids.n = 0;
		rc = lu_tok_encode(c->tok, w->st, doc->text, (enum lu_tok_special)c->special,
				&w->ids, err);
		*tokens += w->ids.n;
		write_ids(c, &w->ids, b);
	}
	if (rc)
		return rc;
	write_ids(c, &c->after, b);
	*tokens += c->before.n + c->after.n;
	return lu_buf_check(b, err);
}

/* A record that has ids already gets new ones in their place. */
static int replace_ids(const struct config *c, struct worker *w, struct lu_doc *doc,
		uint64_t *tokens, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	struct lu_str kept;
	int rc;

	lu_buf_putc(&b, '[');
	rc = encode_text(c, w, doc, &b, tokens, err);
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

static int encode_doc(const struct config *c, struct worker *w, struct lu_doc *doc,
		uint64_t *tokens, struct lu_err *err)
{
	struct lu_buf *b, none = { 0 };
	struct lu_str tail = LU_STR("");
	size_t start;
	int rc;

	if (c->as == AS_COUNT) {
		rc = encode_text(c, w, doc, &none, tokens, err);
		return rc ? rc
			  : lu_doc_set(doc, "tokens",
					    lu_doc_printf(doc, "%llu",
							    (unsigned long long)*tokens));
	}
	if (c->as == AS_JSONL && lu_json_get(&doc->obj, "ids"))
		return replace_ids(c, w, doc, tokens, err);
	b = lu_doc_out(doc);
	if (c->as == AS_JSONL) {
		tail = lu_json_head(&doc->obj, "ids", b);
		lu_buf_putc(b, '[');
	}
	start = b->n;
	rc = encode_text(c, w, doc, b, tokens, err);
	if (c->as == AS_JSONL) {
		end_list(b, start, ']');
		lu_buf_str(b, tail);
		lu_buf_putc(b, '\n');
	} else if (c->as == AS_IDS) {
		end_list(b, start, '\n');
	}
	lu_doc_out_end(doc);
	return rc;
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	uint64_t tokens = 0;
	int rc = encode_doc(c, w, doc, &tokens, err);

	if (rc > 0)
		return lu_doc_bad(doc, "special token in the text");
	w->tokens += tokens;
	return rc;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct config *c = ctx;
	uint64_t tokens = 0;

	for (size_t i = 0; i < c->stream->locals; i++)
		tokens += ((const struct worker *)c->stream->local[i])->tokens;
	lu_buf_puts(&stats->extra, ",\"tokens\":");
	lu_buf_u64(&stats->extra, tokens);
	return lu_buf_check(&stats->extra, err);
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c,
		.map = encode,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.finish = finish };
	int rc = -1;

	if (!c->tokenizer)
		lu_usage_error("-t FILE is needed");
	if (lu_tok_load(&c->tok, c->tokenizer, err) < 0 || read_add(c, err) < 0)
		goto out;
	if (c->as == AS_U16 && lu_tok_size(c->tok) > 65536) {
		lu_err_set(err, "%s: %u ids do not fit u16", c->tokenizer, lu_tok_size(c->tok));
		goto out;
	}
	c->stream = &ds;
	rc = lu_docstream_run(&ds, &c->std, args, err);
out:
	lu_ids_release(&c->before);
	lu_ids_release(&c->after);
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
