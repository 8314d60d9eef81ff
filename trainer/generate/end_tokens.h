#ifndef LUCIE_TRAINER_GENERATE_END_TOKENS_H
#define LUCIE_TRAINER_GENERATE_END_TOKENS_H
/* The tokens that end a continuation. */
#include "libcommon/tokenizer/tokenizer.h"

/* Append to `ids`, without repeating any: the id or list of ids in `json` (eos_token_id of a Hugging
 * Face model; "" or null: none), and the tokenizer's end-of-text token. */
int lt_end_tokens(const struct lu_tok *tok, struct lu_str json, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;
int lt_end_tokens_add(struct lu_ids *ids, uint32_t id, struct lu_err *err) LU_CHECKED;

#endif
