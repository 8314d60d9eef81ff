#ifndef LUCIE_TRAINER_EVAL_ALONE_H
#define LUCIE_TRAINER_EVAL_ALONE_H
/*
 * Text scored as a stream (scored_text.h), or its documents each for itself, as EleutherAI's harness does (loglikelihood_rolling):
 *
 *	lt_text_open(&t, context, &err)
 *	lt_score_text(&t, &how, &err)
 *
 * ONE RULE for the latter: the begin token comes before each document, once, and is not predicted; the end token is
 * left out. Every token of the text is predicted once. The first window of a document has the begin
 * token and as many tokens as fit; the others begin without it, and have the whole context before
 * them as far as the document goes back: the last one too, of which only the rest is scored.
 */
#include "trainer/eval/likelihood.h"
#include "trainer/eval/scored_text.h"

/* The windows of a document of n tokens, the begin token first if there is one: window i of them
 * predicts the tokens from `from` to below `to` and begins at `start`. False beyond the last. */
struct lt_alone_window {
	size_t start, from, to;
};
bool lt_alone_window(size_t n, size_t context, size_t i, struct lt_alone_window *w);

struct lt_text_scoring {
	struct lt_weights *w;
	const struct lu_tok *tok; /* with `alone` */
	bool alone;	       /* each document for itself; otherwise the stream, by lt_score() */
	size_t context, batch; /* the result does not depend on the batch */
	void (*done)(void *ctx, uint64_t tokens); /* NULL: none */
	void *ctx;
};

/* Score all text with a whole model. Alone it fails for a shard whose documents are not known, without
 * a ledger, or whose targets are masked. */
int lt_score_text(struct lt_text *t, const struct lt_text_scoring *how,
		struct lu_err *err) LU_CHECKED;
/* Append the rule in a few words. */
void lt_alone_rule(const struct lu_tok *tok, size_t context, struct lu_buf *out);

#endif
