#ifndef LUCIE_TOKENIZER_METASPACE_FIRST_H
#define LUCIE_TOKENIZER_METASPACE_FIRST_H
/* Refuses files whose Metaspace has a prepend_scheme "first" that we cannot follow. */
#include "libcommon/tokenizer/component_json.h"

struct lu_tok;

/*
 * For Metaspace "first" means the words that begin where the text began before normalisation. That
 * is the first word, unless something may have been deleted before it; and if the text is split
 * before Metaspace, unless a word may begin inside a string that the normalizer inserted, or inside
 * the mapping of a single character. Fails for other files. Added tokens must have been read.
 */
int lu_metaspace_first_check(
		const struct lu_tok *tok, const struct lu_component_reader *r) LU_CHECKED;

#endif
