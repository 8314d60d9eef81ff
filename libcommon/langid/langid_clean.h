#ifndef LUCIE_LANGID_LANGID_CLEAN_H
#define LUCIE_LANGID_LANGID_CLEAN_H
/*
 * The text as a fastText model was trained on it: lid.176 in lower case, OpenLID without punctuation
 * and digits too, GlotLID as it is.
 *
 *	struct lu_lang_cleaning c = lu_lang_cleaning_of(model);
 *	lu_lang_clean(&c, text, &scratch, &out, &err);
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/langid/fasttext_shim.h"

struct lu_lang_cleaning {
	bool lower, words; /* words: no punctuation */
	bool digits;	   /* with `words`: digits are kept */
};

/* Labels of two letters, most of those of lid.176 and of no other model: lower case. Else what the
 * model's own words have in common. */
struct lu_lang_cleaning lu_lang_cleaning_of(const struct lu_fasttext *model);

/* Put a line into `out`, which begins anew as `scratch` does. One mostly in capitals is put in lower
 * case for any model. A failed allocation may show in `out`. */
int lu_lang_clean(const struct lu_lang_cleaning *c, struct lu_str s, struct lu_buf *scratch,
		struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
