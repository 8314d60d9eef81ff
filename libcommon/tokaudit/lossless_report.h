#ifndef LUCIE_TOKAUDIT_LOSSLESS_REPORT_H
#define LUCIE_TOKAUDIT_LOSSLESS_REPORT_H
/*
 * Reports of the lossless check. `file` names the tokenizer.
 */
#include "libcommon/tokaudit/lossless.h"

/* Append lines of text. What is only normalised is listed if `verbose`, and counted otherwise. */
void lu_losses_text(const struct lu_losses *l, const char *file, bool verbose, struct lu_buf *out);
/* Append a JSON object. */
void lu_losses_json(const struct lu_losses *l, const char *file, struct lu_buf *out);

#endif
