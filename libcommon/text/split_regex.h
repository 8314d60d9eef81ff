#ifndef LUCIE_TEXT_SPLIT_REGEX_H
#define LUCIE_TEXT_SPLIT_REGEX_H
/*
 * The regular expressions by which pre-tokenizers split, without an expression engine: each is
 * recognised by its text and matched in one pass without backtracking or recursion. Others are
 * refused.
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/base/buf.h"
#include "libcommon/text/frozen_unicode.h"

enum lu_split_regex {
	LU_SPLIT_NONE,
	LU_SPLIT_GPT2,	 /* GPT-2; ByteLevel with use_regex */
	LU_SPLIT_CL100K, /* Llama 3: runs of up to three digits */
	LU_SPLIT_QWEN2,	 /* the same with single digits */
	LU_SPLIT_O200K,	 /* GPT-4o: also splits before upper after lower case; needs
			  * lu_frozen_load_case() */
};

/* The expression with this text, or LU_SPLIT_NONE. */
enum lu_split_regex lu_split_regex_find(struct lu_str text);

/* Length of the match at p (p < end). These expressions match at every position. */
size_t lu_split_regex_match(enum lu_split_regex regex, const struct lu_frozen_unicode *u,
		const char *p, const char *end);

/* Length of the contraction 's 't 're 've 'm 'll 'd at p, an apostrophe; 0 when there is none. The
 * later expressions ignore case (`fold`), and there the long s folds to s as well. */
size_t lu_split_contraction(const char *p, const char *end, bool fold);

#endif
