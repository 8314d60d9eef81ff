#ifndef LUCIE_SCHEMA_TOKEN_BYTES_H
#define LUCIE_SCHEMA_TOKEN_BYTES_H
/* The bytes that each token of a vocabulary adds to a text. */
#include "libcommon/base/arena.h"
#include "libcommon/tokenizer/tokenizer.h"

/* bytes[lu_tok_size()], in the arena: what the token stands for inside a text, where no step of the
 * decoder treats it as the first. Empty for special tokens, ids that are not used and tokens that add
 * nothing or no certain bytes. */
int lu_token_bytes(const struct lu_tok *tok, struct lu_arena *arena, struct lu_str *bytes,
		struct lu_err *err) LU_CHECKED;

#endif
