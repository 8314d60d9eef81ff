#ifndef LUCIE_TRAINER_MODEL_DECODING_H
#define LUCIE_TRAINER_MODEL_DECODING_H
/*
 * Decoding: logits of sequences that grow, with cached keys and values. A model that was opened in
 * the mode LT_MODEL_DECODE has a cache for plan.batch sequences of up to plan.context tokens and
 * computes plan.rows tokens at once, of whichever sequences:
 *
 *	struct lt_model_plan plan = { .batch = 8, .context = t, .mode = LT_MODEL_DECODE };
 *	lt_model_open(&m, w, &plan, &err)
 *	struct lt_decode_piece piece[2] = {
 *		{ .sequence = 0, .pos = 17, .n = 1, .ids = &next },	goes on
 *		{ .sequence = 3, .pos = 0, .n = prompt_n, .ids = prompt } };	begins
 *	lt_decode(m, piece, 2, logits, &err)		2 rows of logits
 *
 * Nothing is noted about a sequence but its keys and values: the caller says where each piece begins,
 * so a finished sequence leaves by no longer being named, its place is taken by naming position 0,
 * and a sequence that goes back to an earlier position is overwritten from there.
 *
 * The logits of a token are a function of the tokens before it in its sequence: with the operations
 * of kernels/lk.h, whose rows do not depend on other rows, they have the same bits however the tokens
 * are cut into pieces and whatever else is computed beside them, on the CPU always, on GPUs as far as
 * lk.h says.
 *
 * Memory of the cache: layers * batch * context * 2 * kv_heads * dim activations.
 */
#include "trainer/model/model.h"

/* The next n tokens of a sequence; all before position `pos` have been decoded. */
struct lt_decode_piece {
	size_t sequence; /* below plan.batch */
	size_t pos, n;
	const uint32_t *ids;
	bool all; /* logits of all n tokens, not of the last one only */
};

/* Rows of the vocabulary go to `logits`, in host memory: one for each piece or, with `all`, for each
 * token of it, in order. Several pieces of one sequence follow one another. Synchronous. */
int lt_decode(struct lt_model *m, const struct lt_decode_piece *piece, size_t pieces,
		lk_real *logits, struct lu_err *err) LU_CHECKED;

/* Copy the first n tokens of the cache of a sequence to another, which then has the same beginning. */
int lt_decode_copy(struct lt_model *m, size_t from, size_t to, size_t n,
		struct lu_err *err) LU_CHECKED;

/* Bytes of the cache. */
uint64_t lt_decode_cache(const struct lt_model *m);

/* lt_decode() of a single piece of sequence 0. */
int lt_model_logits(struct lt_model *m, const uint32_t *ids, size_t pos, size_t n, bool all,
		lk_real *logits, struct lu_err *err) LU_CHECKED;

#endif
