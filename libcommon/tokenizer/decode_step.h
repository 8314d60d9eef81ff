#ifndef LUCIE_TOKENIZER_DECODE_STEP_H
#define LUCIE_TOKENIZER_DECODE_STEP_H
/* The decoder steps that work on one string. */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/components.h"

/* Append the result of a Replace, Strip or Metaspace step on s; `first` if s is the first string of
 * the text. */
void lu_decode_step_run(
		const struct lu_decode_step *step, struct lu_str s, bool first, struct lu_buf *out);

/* Append the bytes that s spells in the byte alphabet, or s itself if it has another character. */
void lu_decode_byte_level(struct lu_str s, struct lu_buf *out);

#endif
