#ifndef LUCIE_TOKAUDIT_SHOW_H
#define LUCIE_TOKAUDIT_SHOW_H
/*
 * Inside the tokenizer: texts and pieces as a terminal shows them.
 */
#include "libcommon/base/buf.h"

/* Appends s (UTF-8) between quotation marks. Blanks other than a space, marks and what a terminal
 * does not show are escaped: \n \t \r \u{00A0}. */
void lu_show(struct lu_buf *b, struct lu_str s);

/* "<0x41>": the byte; else -1. */
int lu_show_byte(struct lu_str piece);

#endif
