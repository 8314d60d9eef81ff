#ifndef LUCIE_SCHEMA_TOKEN_MASK_H
#define LUCIE_SCHEMA_TOKEN_MASK_H
/*
 * Which tokens of a vocabulary may come next in a text that a schema binds.
 *
 *	struct lu_token_mask *m;
 *	lu_token_mask_new(&m, schema, &bytes, &err)		bytes of each token (token_bytes.h)
 *	struct lu_token_place at = { .state = LU_SCHEMA_START, .awaits = ... };
 *	lu_token_mask_of(m, &at, &bits, &err)			bit i: token i may come
 *	lu_token_mask_advance(m, &at, id, &err)			after a token was chosen
 *
 * The tokens are held as a trie that is laid out in depth-first order, so that all of them are tried in
 * one pass, which skips what begins with a byte that is not allowed. Masks of places are kept and found
 * again; inside a long string the same few return.
 */
#include "libcommon/schema/schema.h"
#include "libcommon/schema/token_bytes.h"

struct lu_token_mask;

/* A place in a text. */
struct lu_token_place {
	uint32_t state; /* of the schema */
	bool awaits;	/* a blank that comes next is dropped (token_bytes.h) */
	uint8_t tail_n;
	char tail[4]; /* the last bytes of the text */
};

/* Schema and bytes are the caller's and outlive the mask. Tokens without bytes are never allowed. */
int lu_token_mask_new(struct lu_token_mask **m, struct lu_schema *schema,
		const struct lu_token_bytes *bytes, struct lu_err *err) LU_CHECKED;
void lu_token_mask_free(struct lu_token_mask *m); /* NULL is fine */
size_t lu_token_mask_tokens(const struct lu_token_mask *m);

/* *bits, (tokens + 63) / 64 of them, are valid until the next call. Returns 1; 0 if no token is allowed;
 * -1 on an error. */
int lu_token_mask_of(struct lu_token_mask *m, const struct lu_token_place *at,
		const uint64_t **bits, struct lu_err *err) LU_CHECKED;
/* Follow the bytes of a token that is allowed. */
int lu_token_mask_advance(struct lu_token_mask *m, struct lu_token_place *at, uint32_t id,
		struct lu_err *err) LU_CHECKED;

#endif
