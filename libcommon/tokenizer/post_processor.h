#ifndef LUCIE_TOKENIZER_POST_PROCESSOR_H
#define LUCIE_TOKENIZER_POST_PROCESSOR_H
/* The post_processor of a tokenizer.json: the special tokens around one text. */
#include "libcommon/tokenizer/component_json.h"

struct lu_tok;

/* Read the component into tok->post; `raw` may be "null". Added tokens must have been read. */
int lu_post_processor_read(struct lu_tok *tok, const struct lu_component_reader *r,
		struct lu_str raw) LU_CHECKED;

#endif
