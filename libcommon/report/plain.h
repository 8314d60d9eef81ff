#ifndef LUCIE_REPORT_PLAIN_H
#define LUCIE_REPORT_PLAIN_H
/*
 * Cells of tables for the terminal.
 */
#include "libcommon/base/buf.h"

/* Append s, cut at its first NUL, with control characters masked, and blanks up to `width`
 * characters. */
void lu_plain_str(struct lu_buf *b, struct lu_str s, size_t width);
/* Append v with `decimals` behind the point and blanks before it up to `width`; "-" unless it is
 * finite. */
void lu_plain_number(struct lu_buf *b, double v, int width, int decimals);

#endif
