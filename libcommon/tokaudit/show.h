#ifndef LUCIE_TOKAUDIT_SHOW_H
#define LUCIE_TOKAUDIT_SHOW_H
/*
 * Texts and pieces in a form that a terminal shows unambiguously.
 */
#include "libcommon/base/buf.h"

/* Append s (UTF-8) in double quotes. Blanks other than the space, combining marks and characters
 * that a terminal does not show are escaped: \n \t \r \u{00A0}. */
void lu_show(struct lu_buf *b, struct lu_str s);

#endif
