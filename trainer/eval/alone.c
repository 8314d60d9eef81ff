#include "trainer/eval/alone.h"

#include <inttypes.h>
#include <stdlib.h>

/* Tokens of documents that are laid out at once, unless one is longer. */
#define BLOCK ((size_t)1 << 20)

/* Some documents, one after another. */
struct block {
	struct lu_ids ids;
	struct LU_VEC(struct lt_request) request; /* .ids is set when all are there */
	struct LU_VEC(size_t) start;		  /* of each request, in ids */
	struct LU_VEC(uint64_t) offset; /* in the stream, of the first predicted token of each */
	lk_real *log_p;			/* of all predicted tokens */
	size_t predicted;
	uint32_t bos, eos;
	bool has_bos, has_eos;
};

static void block_clear(struct block *b)
{
	b->ids.n = b->request.n = b->start.n = b->offset.n = b->predicted = 0;
	free(b->log_p);
	b->log_p = NULL;
}

static void block_release(struct block *b)
{
	block_clear(b);
	lu_ids_release(&b->ids);
	lu_vec_release(&b->request);
	lu_vec_release(&b->start);
	lu_vec_release(&b->offset);
}

bool lt_alone_window(size_t n, size_t context, size_t i, struct lt_alone_window *w)
{
	size_t from = 1 + i * context;

	if (n < 2 || from >= n)
		return false;
	w->from = from;
	w->to = n - from > context ? from + context : n;
	w->start = w->to > context + 1 ? w->to - context - 1 : 0;
	return true;
}

/* Add the windows of the document of the stream's tokens begin to end - 1. */
static int add_document(struct block *b, const struct lt_text *t, size_t context, uint64_t begin,
		uint64_t end, struct lu_err *err)
{
	size_t n = (size_t)(end - begin), first = b->ids.n, all;
	uint64_t offset = begin;
	struct lt_alone_window w;
	uint32_t *ids;

	if (lu_ids_reserve(&b->ids, n + 1, err) < 0)
		return -1;
	ids = b->ids.p + first;
	if (lt_corpus_read(t->corpus, begin, n, ids + 1, err) < 0)
		return -1;
	if (b->has_eos && n && ids[n] == b->eos)
		n--;
	if (b->has_bos && n && ids[1] != b->bos) {
		ids[0] = b->bos;
		all = n + 1;
	} else {
		memmove(ids, ids + 1, n * sizeof(*ids));
		all = n;
		offset++;
	}
	b->ids.n += all;
	for (size_t i = 0; lt_alone_window(all, context, i, &w); i++) {
		const struct lt_request r = { .n = w.to - w.start, .scored = w.to - w.from };

		if (!lu_vec_push(&b->request, r) || !lu_vec_push(&b->start, first + w.start) ||
				!lu_vec_push(&b->offset, offset + w.from - 1))
			return lu_err_nomem(err);
		b->predicted += r.scored;
	}
	return 0;
}

/* Add what was found out about a window. */
static int add_losses(
		struct lt_text *t, const struct lt_request *r, uint64_t offset, struct lu_err *err)
{
	size_t first = r->n - r->scored;

	for (size_t k = 0; k < r->scored; k++) {
		r->each[k] = -r->each[k];
		lt_positions_add(&t->positions, first + k, r->ids[first + k], r->each[k]);
	}
	if (lt_languages_score(&t->languages, offset, r->scored, r->ids + first, r->each, err) < 0)
		return -1;
	return lt_languages_score(&t->sources, offset, r->scored, r->ids + first, r->each, err);
}

static int score_block(
		struct lt_text *t, const struct lt_scorer *s, struct block *b, struct lu_err *err)
{
	size_t each = 0;
	int rc;

	b->log_p = calloc(b->predicted + 1, sizeof(*b->log_p));
	if (!b->log_p)
		return lu_err_nomem(err);
	for (size_t i = 0; i < b->request.n; i++) {
		struct lt_request *r = &b->request.p[i];

		r->ids = b->ids.p + b->start.p[i];
		r->each = b->log_p + each;
		each += r->scored;
	}
	rc = lt_likelihood(s, b->request.p, b->request.n, NULL, NULL, NULL, err);
	for (size_t i = 0; i < b->request.n && rc == 0; i++)
		rc = add_losses(t, &b->request.p[i], b->offset.p[i], err);
	block_clear(b);
	return rc;
}

static int score_alone(struct lt_text *t, const struct lt_text_scoring *how,
		const struct lt_scorer *s, struct lu_err *err)
{
	struct block b = { 0 };
	uint64_t begin = 0;
	int rc = 0;

	if (t->unknown)
		return lu_err_set(err, "%s: no ledger, which says where its documents begin",
				t->unknown);
	if (lt_corpus_masked(t->corpus))
		return lu_err_set(err,
				"a shard has masks, and its targets are scored in a stream: leave "
				"--windows out");
	b.has_bos = lu_tok_role(how->tok, LU_TOK_BOS, &b.bos);
	b.has_eos = lu_tok_role(how->tok, LU_TOK_EOS, &b.eos);
	for (size_t i = 0; i < t->languages.doc.n && rc == 0; i++) {
		uint64_t end = t->languages.doc.p[i].end;

		rc = add_document(&b, t, how->context, begin, end, err);
		if (rc == 0 && (b.ids.n >= BLOCK || i + 1 == t->languages.doc.n))
			rc = score_block(t, s, &b, err);
		if (how->done && rc == 0)
			how->done(how->ctx, end);
		begin = end;
	}
	block_release(&b);
	return rc;
}

/* A call of lt_score(). */
struct streaming {
	struct lt_text *t;
	const struct lt_text_scoring *how;
};

/* Add the losses of a window, an lt_score_fn. */
static int add_window(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err)
{
	const struct streaming *s = ctx;

	if (s->how->done)
		s->how->done(s->how->ctx, offset + n);
	return lt_text_score(s->t, offset, n, label, loss, err);
}

int lt_score_text(struct lt_text *t, const struct lt_text_scoring *how, struct lu_err *err)
{
	const struct lt_model_plan plan = {
		.batch = how->batch, .context = how->context, .mode = LT_MODEL_SCORE
	};
	struct streaming stream = { t, how };
	struct lt_scorer s;
	struct lt_model *m;
	int rc;

	if (lt_model_open(&m, how->w, &plan, err) < 0)
		return -1;
	s = lt_scorer_of(m, how->batch, how->context);
	rc = how->alone ? score_alone(t, how, &s, err)
			: lt_score(&s, t->corpus, 0, add_window, &stream, err);
	lt_model_close(m);
	return rc;
}

void lt_alone_rule(const struct lu_tok *tok, size_t context, struct lu_buf *out)
{
	uint32_t bos;

	lu_buf_printf(out, "text: each document alone, ");
	if (lu_tok_role(tok, LU_TOK_BOS, &bos))
		lu_buf_printf(out, LU_STR_FMT " once before it and not predicted",
				LU_STR_ARG(lu_tok_piece(tok, bos)));
	else
		lu_buf_puts(out, "nothing before it");
	lu_buf_printf(out,
			", no end token; windows of %zu tokens, later ones with the whole context "
			"before them",
			context);
}
