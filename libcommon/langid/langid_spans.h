#ifndef LUCIE_LANGID_LANGID_SPANS_H
#define LUCIE_LANGID_LANGID_SPANS_H
/*
 * Parts of a text with their languages, and the shares that follow from them.
 *
 *	struct lu_lang_spans spans = { 0 };
 *	lu_vec_push(&spans, ...)		in the order of the text, `open` where nothing was found
 *	lu_lang_spans_fill(&spans);
 *	lu_lang_spans_share(&spans, &result);
 *	lu_lang_spans_join(&spans);
 */
#include "libcommon/base/vec.h"
#include "libcommon/langid/langid.h"

/* Give each run of open spans the language of those before and after it where these are the same, or
 * where there is one of the two only; else they stay und. */
void lu_lang_spans_fill(struct lu_lang_spans *spans);

/* Set `part` of *out, the largest first: three languages with 5 % or more of the bytes each, and und
 * for a rest of 5 % or more; the answer stays und. */
int lu_lang_spans_share(const struct lu_lang_spans *spans, struct lu_lang *out,
		struct lu_err *err) LU_CHECKED;

/* Make one of neighbours in the same language. */
void lu_lang_spans_join(struct lu_lang_spans *spans);

/* Cut a text into paragraphs, all of them open and und: what is between blank lines, or lines if it
 * has no blank line. False: out of memory. */
bool lu_lang_spans_cut(struct lu_lang_spans *spans, struct lu_str text);

#endif
