#ifndef LUCIE_IO_TEXT_FIELD_H
#define LUCIE_IO_TEXT_FIELD_H
/*
 * Which member of JSON records holds their text, where it is not called "text": the string member
 * with the longest values in the first records of a file, also inside objects ("meta.body").
 */
#include "libcommon/base/buf.h"

/* Records looked at. */
#define LU_TEXT_FIELD_RECORDS 100

/* Append the name to `out`: "text" if the first record has such a string member. Lines that are no
 * JSON objects are passed over; a file without a string member is an error that names it. */
int lu_text_field(char *path, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
