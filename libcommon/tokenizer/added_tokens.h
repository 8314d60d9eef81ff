#ifndef LUCIE_TOKENIZER_ADDED_TOKENS_H
#define LUCIE_TOKENIZER_ADDED_TOKENS_H
/* The added tokens of a tokenizer.json: their ids, and the indexes by which encode.c finds them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/json.h"
#include "libcommon/tokenizer/component_json.h"

struct lu_added_token {
	struct lu_str content; /* as written */
	struct lu_str needle;  /* what is searched for: content, or its normal form */
	uint32_t id;
	bool special, single_word, lstrip, rstrip, normalized;
};

/* The tokens searched for in either raw or normalised text. */
struct lu_added_index {
	uint32_t *by_lead;	 /* indexes into lu_tok.added, by first byte, longest first */
	uint32_t start[257];	 /* of each first byte's group */
	size_t longest;		 /* bytes */
	bool any, any_ordinary;	 /* has tokens; has some that are not special */
	bool depends_on_context; /* some are single_word, lstrip or rstrip */
};

struct lu_tok;

/* Read the file's "added_tokens" into tok, whose normalizer and model must have been read. */
int lu_added_tokens_read(struct lu_tok *tok, const struct lu_component_reader *r,
		const struct lu_json_obj *file) LU_CHECKED;

#endif
