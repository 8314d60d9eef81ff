#ifndef LUCIE_ENTRIES_MIME_WORDS_H
#define LUCIE_ENTRIES_MIME_WORDS_H
/*
 * What mail is wrapped in: transfer encodings (RFC 2045), encoded words of header fields (RFC 2047),
 * parameters of fields, dates (RFC 5322). All take whatever comes: what is wrong stays as it is or is
 * passed over, as mail programs do.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* Append the bytes that the base64 or quoted-printable text stands for. */
void lu_mime_base64(struct lu_str s, struct lu_buf *out);
/* `header`: the Q encoding of encoded words, where "_" is a blank. */
void lu_mime_quoted(struct lu_str s, bool header, struct lu_buf *out);

/* Append the value of a header field as UTF-8 on one line: folded lines joined, encoded words decoded,
 * bytes that are not UTF-8 read in `charset` (NULL: replaced by U+FFFD). */
int lu_mime_words(struct lu_str value, const char *charset, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* The parameter `name` of a field ("text/plain; charset=utf-8"), without quotes, a slice of it; .p NULL:
 * there is none. */
struct lu_str lu_mime_parameter(struct lu_str value, const char *name);

/* Append the date of a Date field in ISO 8601, "2009-03-03T12:34:56+01:00"; false, with nothing
 * appended, where it is none. */
bool lu_mime_date(struct lu_str value, struct lu_buf *out);

#endif
