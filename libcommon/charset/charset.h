#ifndef LUCIE_CHARSET_CHARSET_H
#define LUCIE_CHARSET_CHARSET_H
/*
 * Conversion to UTF-8, and the charset that a document declares. Nothing is guessed from statistics:
 * a byte order mark wins, then valid UTF-8, then the charset that the document or the user names.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* Source of the charset. */
enum lu_charset_how {
	LU_CHARSET_UTF8,     /* the bytes: valid UTF-8; a mark was removed */
	LU_CHARSET_MARK,     /* the byte order mark of UTF-16 */
	LU_CHARSET_DECLARED, /* the document */
	LU_CHARSET_FALLBACK, /* the user's --charset */
};

/*
 * Converts `in` to UTF-8. `declared` (.p NULL: none) and `fallback` (NULL: none) are charset names.
 * 1: *out is the text, a slice of `in` or of `store`, and *how is set; 0: not valid in any of them;
 * -1: out of memory. Where `fallback` is a form of UTF-16 or UTF-32, it comes before valid UTF-8 for
 * bytes with NULs, which no text in UTF-8 has. Names follow the WHATWG Encoding Standard where that matters: "iso-8859-1",
 * "latin1" and "us-ascii" mean windows-1252, as in every browser.
 */
int lu_charset_utf8(struct lu_str in, struct lu_str declared, const char *fallback,
		struct lu_buf *store, struct lu_str *out, enum lu_charset_how *how,
		struct lu_err *err) LU_CHECKED;

/* True if this machine can convert the charset. */
bool lu_charset_known(const char *name);

/* True for the name of a form of UTF-16 or UTF-32, whose text has NUL bytes. */
bool lu_charset_has_nuls(const char *name);

/* The charset that a document declares, as a slice of it; .p NULL when it declares none. */
/* "text/html; charset=utf-8" */
struct lu_str lu_charset_of_media_type(struct lu_str type);
/* The first 1024 bytes of a page: meta charset, meta http-equiv, XML declaration. */
struct lu_str lu_charset_of_html(struct lu_str html);
/* The first line of a manual page: "-*- coding: ISO-8859-1 -*-". */
struct lu_str lu_charset_of_man(struct lu_str page);

#endif
