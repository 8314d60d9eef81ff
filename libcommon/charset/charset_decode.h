#ifndef LUCIE_CHARSET_CHARSET_DECODE_H
#define LUCIE_CHARSET_CHARSET_DECODE_H
/*
 * The decoders of the WHATWG Encoding Standard (sections 8 to 14), in its mode "replacement": what is
 * ill-formed becomes U+FFFD, once for each error of the standard, and is counted. An ASCII byte that
 * follows the first byte of a pair is never swallowed, so markup survives a bad byte.
 *
 * Two encodings mean windows-1252 here, and have no decoder of their own: x-user-defined, as in a
 * <meta>. LU_ENC_REPLACEMENT (hz-gb-2312, iso-2022-kr, iso-2022-cn...), which the standard does not
 * decode for safety, must not be passed. Byte order marks are the caller's.
 */
#include <stdint.h>

#include "libcommon/charset/charset_index.h"

/* Append `in` as UTF-8 and add the number of errors to *errors. -1: out of memory, or iconv lacks
 * the tables of a charset with pairs of bytes. */
int lu_charset_decode(struct lu_charset_index *ix, enum lu_encoding e, struct lu_str in,
		struct lu_buf *out, uint64_t *errors, struct lu_err *err) LU_CHECKED;

/* The same for any charset of iconv, which must know the name. A byte at which iconv stops is an
 * error. A byte order mark at the start is removed. */
int lu_charset_decode_named(struct lu_charset_index *ix, const char *name, struct lu_str in,
		struct lu_buf *out, uint64_t *errors, struct lu_err *err) LU_CHECKED;

/* True for the name of a form of UTF-16 or UTF-32, whose text has NUL bytes. */
bool lu_charset_has_nuls(const char *name);

#endif
