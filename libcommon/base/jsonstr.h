#ifndef LUCIE_BASE_JSONSTR_H
#define LUCIE_BASE_JSONSTR_H
/*
 * Writing JSON strings. Reading is io/json.h.
 */
#include "libcommon/base/buf.h"

/* Appends s as a JSON string with its quotes: '"', '\\' and control characters are escaped
 * (\b \t \n \f \r by letter, the others as \u00xx), all else is copied as it is. s must be
 * UTF-8; bytes that are not are replaced by U+FFFD, so that what we write is always JSON. */
void lu_json_quote(struct lu_buf *b, struct lu_str s);

/* Appends a number: integers exactly, others by the shortest text that reads back equal;
 * a value that is not finite becomes null. */
void lu_json_number(struct lu_buf *b, double v);

#endif
