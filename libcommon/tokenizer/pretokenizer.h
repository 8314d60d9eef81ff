#ifndef LUCIE_TOKENIZER_PRETOKENIZER_H
#define LUCIE_TOKENIZER_PRETOKENIZER_H
/* Runs the steps of a pre-tokenizer: splits normalised text into words. */
#include "libcommon/tokenizer/components.h"
#include "libcommon/tokenizer/step_buffers.h"

/* Split `text`, which may lie in a buffer of w, into the words w->spans of *out, valid until the
 * next call with w. `first` if the text begins the document. If a step has rewritten the text,
 * LU_BPE_PADDING bytes after *out are readable. */
int lu_pre_run(const struct lu_components *components, const struct lu_frozen_unicode *u,
		struct lu_step_buffers *w, struct lu_str text, bool first, struct lu_str *out,
		struct lu_err *err) LU_CHECKED;

/* True if every text is split between an ASCII letter and a single space before another ASCII
 * letter, and both sides are split further as if the other were absent. */
bool lu_pre_splits_at_spaces(const struct lu_components *components);

/* The expression whose matches are the words, or LU_SPLIT_NONE if the pre-tokenizer does anything
 * else; lu_pre_run() is not needed then. */
enum lu_split_regex lu_pre_only_regex(const struct lu_components *components);

#endif
