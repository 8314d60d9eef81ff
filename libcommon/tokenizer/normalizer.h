#ifndef LUCIE_TOKENIZER_NORMALIZER_H
#define LUCIE_TOKENIZER_NORMALIZER_H
/* Runs the steps of a normalizer on a whole text. */
#include "libcommon/tokenizer/components.h"
#include "libcommon/tokenizer/step_buffers.h"

/* Normalise `text`. *out is a slice of `text` or of a buffer of w, valid until the next call with
 * w. */
int lu_norm_run(const struct lu_components *components, const struct lu_frozen_unicode *u,
		struct lu_step_buffers *w, struct lu_str text, struct lu_str *out,
		struct lu_err *err) LU_CHECKED;

#endif
