#ifndef LUCIE_TRAINER_EVAL_CONTEXT_POSITIONS_H
#define LUCIE_TRAINER_EVAL_CONTEXT_POSITIONS_H
/*
 * The loss of a model by position in the context: how many tokens of the window come before the label,
 * in buckets 1, 2-3, 4-7, ..., whose borders are powers of two.
 *
 *	struct lt_positions p = { .context = t };	of the windows of a stream
 *	lt_positions_bytes(&p, tok, vocab, &err)	for bits per byte; without it there are none
 *	lt_score(..., lt_positions_score, &p, &err)
 *	lt_positions_table(&p, &out, &err)
 *	lt_positions_release(&p);
 *
 * BYTES OF A TOKEN are those of the text that it stands for: a byte token counts as one byte, whatever
 * its name's length; a special token as none. Spaces that the tokenizer adds and its decoder removes
 * count, so the sum over a text may exceed its length a little.
 */
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/data/scoring.h"

#define LT_POSITIONS 33

struct lt_positions {
	size_t context;
	uint64_t scored[LT_POSITIONS], bytes[LT_POSITIONS];
	double loss[LT_POSITIONS]; /* in nats */
	uint32_t *size;		   /* bytes of each token; NULL: not known */
	size_t vocab;
};

int lt_positions_bytes(struct lt_positions *p, const struct lu_tok *tok, size_t vocab,
		struct lu_err *err) LU_CHECKED;
/* An lt_score_fn. */
int lt_positions_score(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err);
/* Add one label that has so many tokens before it, at least 1. */
void lt_positions_add(struct lt_positions *p, uint64_t before, uint32_t label, lk_real loss);
int lt_positions_table(
		const struct lt_positions *p, struct lu_buf *out, struct lu_err *err) LU_CHECKED;
/* Append the member "positions" to the object that is open. */
void lt_positions_json(const struct lt_positions *p, struct lu_buf *out);
void lt_positions_release(struct lt_positions *p);

#endif
