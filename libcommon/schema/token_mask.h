#ifndef LUCIE_SCHEMA_TOKEN_MASK_H
#define LUCIE_SCHEMA_TOKEN_MASK_H
/*
 * Which tokens of a vocabulary may come next in a text that a schema binds.
 *
 *	struct lu_token_mask *m;
 *	lu_token_mask_new(&m, schema, bytes, tokens, &err)	bytes of each token (token_bytes.h)
 *	uint32_t state = LU_SCHEMA_START;
 *	lu_token_mask_of(m, state, &bits, &err)			bit i: token i may come
 *	lu_token_mask_advance(m, &state, id, &err)		after a token was chosen
 *
 * The tokens are held as a trie that is laid out in depth-first order, so that all of them are tried in
 * one pass, which skips what begins with a byte that is not allowed. Masks of states are kept and found
 * again; inside a long string the same few return.
 */
#include "libcommon/schema/schema.h"

struct lu_token_mask;

/* The schema is the caller's and outlives the mask; `bytes` are not kept. Tokens without bytes are never
 * allowed. */
int lu_token_mask_new(struct lu_token_mask **m, struct lu_schema *schema,
		const struct lu_str *bytes, size_t tokens, struct lu_err *err) LU_CHECKED;
void lu_token_mask_free(struct lu_token_mask *m); /* NULL is fine */
size_t lu_token_mask_tokens(const struct lu_token_mask *m);

/* *bits, (tokens + 63) / 64 of them, are valid until the next call. Returns 1; 0 if no token is allowed;
 * -1 on an error. */
int lu_token_mask_of(struct lu_token_mask *m, uint32_t state, const uint64_t **bits,
		struct lu_err *err) LU_CHECKED;
/* Follow the bytes of a token that is allowed. */
int lu_token_mask_advance(struct lu_token_mask *m, uint32_t *state, uint32_t id,
		struct lu_err *err) LU_CHECKED;

#endif
