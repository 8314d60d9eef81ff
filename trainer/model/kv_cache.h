#ifndef LUCIE_TRAINER_MODEL_KV_CACHE_H
#define LUCIE_TRAINER_MODEL_KV_CACHE_H
/*
 * The cache of keys and values, and the tokens of one call of a model in the mode DECODE: decoding.c
 * collects them, lt_decode_attention() computes with them. Internal to the model.
 */
#include "trainer/model/model_parts.h"

/* Tokens of one sequence in a call: rows `row` to row + n - 1. */
struct lt_decode_part {
	size_t sequence, pos, n, row;
};

struct lt_decode {
	struct lt_decode_part *part;
	size_t parts;
	uint32_t *ids, *places;
	size_t rows;
	size_t *wanted; /* rows whose logits are asked for, ascending */
	size_t wants;
};

/* Arrays in host memory; closing a model without them is fine. */
int lt_decode_open(struct lt_model *m, struct lu_err *err) LU_CHECKED;
void lt_decode_close(struct lt_model *m);

/* Elements of the keys and values of a token, and of a sequence. */
size_t lt_decode_token_width(const struct lt_model *m);
size_t lt_decode_sequence_width(const struct lt_model *m);

/* Keep the keys and values of a layer, rotated, and compute a->o from a->qkv and the cache. Returns
 * 0, or -1 with the reason in the queue. */
int lt_decode_attention(struct lt_model *m, struct lt_acts *a);

#endif
