#ifndef LUCIE_TRAINER_EVAL_GREEDY_H
#define LUCIE_TRAINER_EVAL_GREEDY_H
/*
 * Greedy generation: always the most probable token, the lowest id among equals. One model on one
 * rank.
 *
 *	struct lt_greedy *g;
 *	lt_greedy_open(&g, weights, context, tok, &err)
 *	lt_greedy_text(g, ids, n, &stop, &text, &err)		any number of times
 *	lt_greedy_close(g);
 */
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/weights.h"

struct lt_greedy;

/* Where a text ends, besides the tokenizer's end token and the end of the context. */
struct lt_greedy_stop {
	const struct lu_str *until; /* strings; the first of them and what follows it is cut off */
	size_t untils;
	uint64_t max_tokens;
};

/* The weights and the tokenizer are the caller's. */
int lt_greedy_open(struct lt_greedy **g, struct lt_weights *w, size_t context,
		const struct lu_tok *tok, struct lu_err *err) LU_CHECKED;
void lt_greedy_close(struct lt_greedy *g); /* NULL is fine */

/* Continue n ids, 1 to the context; replaces the text in `out` by that of the new tokens alone. */
int lt_greedy_text(struct lt_greedy *g, const uint32_t *ids, size_t n,
		const struct lt_greedy_stop *stop, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

#endif
