/* lucie-tok-encode: turns the text of documents into token ids. */
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/par/docstream.h"
#include "libcommon/tokenizer/tokenizer.h"

enum as { AS_JSONL, AS_IDS, AS_COUNT, AS_U16, AS_U32 };

/* A thread's state; owned by the configuration, since the totals are read at the end. */
struct worker {
	struct lu_tok_state *st;
	struct lu_ids ids;
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
		lu_usage_error(
			"--add: '" LU_STR_FMT "' is none of bos, eos, template", LU_STR_ARG(word));
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

	lu_tok_state_free(w->st);
	lu_ids_release(&w->ids);
}

static void write_text(struct lu_buf *b, const struct lu_ids *ids, char between)
{
	for (size_t i = 0; i < ids->n; i++) {
		if (i)
			lu_buf_putc(b, between);
		lu_buf_u64(b, ids->p[i]);
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

static int write_ids(
	const struct config *c, const struct lu_ids *ids, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_buf member = { 0 }, *b;
	struct lu_str kept;

	switch ((enum as)c->as) {
	case AS_COUNT: return lu_doc_set(doc, "tokens", lu_doc_printf(doc, "%zu", ids->n));
	case AS_JSONL:
		lu_buf_putc(&member, '[');
		write_text(&member, ids, ',');
		lu_buf_putc(&member, ']');
		kept = lu_buf_ok(&member) ? lu_arena_str(doc->arena, lu_buf_slice(&member))
					  : (struct lu_str){ NULL, 0 };
		lu_buf_release(&member);
		return kept.p ? lu_doc_set(doc, "ids", kept) : lu_err_nomem(err);
	case AS_IDS:
		b = lu_doc_out(doc);
		write_text(b, ids, ' ');
		lu_buf_putc(b, '\n');
		break;
	case AS_U16:
	case AS_U32:
		b = lu_doc_out(doc);
		write_raw(b, ids, c->as == AS_U16 ? 2 : 4);
		break;
	}
	lu_doc_out_end(doc);
	return 0;
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	struct worker *w = local;
	int rc;

	w->ids.n = 0;
	if (push(&w->ids, c->before.p, c->before.n, err) < 0)
		return -1;
	rc = lu_tok_encode(c->tok, w->st, doc->text, (enum lu_tok_special)c->special, &w->ids, err);
	if (rc > 0)
		return lu_doc_bad(doc, "special token in the text");
	if (rc < 0 || push(&w->ids, c->after.p, c->after.n, err) < 0)
		return -1;
	w->tokens += w->ids.n;
	return write_ids(c, &w->ids, doc, err);
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
