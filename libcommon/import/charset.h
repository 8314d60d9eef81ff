#ifndef LUCIE_IMPORT_CHARSET_H
#define LUCIE_IMPORT_CHARSET_H
/*
 * Bytes of some charset to UTF-8. Nothing is guessed from statistics: a byte order mark wins,
 * then what valid UTF-8 proves by itself, then the charset that the document or the user names.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* How the bytes were understood. */
enum lu_charset_how {
	LU_CHARSET_UTF8,     /* valid UTF-8, mark removed */
	LU_CHARSET_MARK,     /* UTF-16 by its byte order mark */
	LU_CHARSET_DECLARED, /* by the charset the document names */
	LU_CHARSET_FALLBACK, /* by the user's --charset */
};

/*
 * `declared` and `fallback` are charset names, .p NULL or NULL when there are none. 1: *out is
 * the text (a slice of `in`, or of `store`) and *how is set; 0: not valid in any of them; -1:
 * memory. Names follow the WHATWG Encoding Standard where that matters: "iso-8859-1", "latin1"
 * and "us-ascii" mean windows-1252, as in every browser.
 */
int lu_charset_utf8(struct lu_str in, struct lu_str declared, const char *fallback,
		struct lu_buf *store, struct lu_str *out, enum lu_charset_how *how,
		struct lu_err *err) LU_CHECKED;

/* True when the charset is one this machine can convert. */
bool lu_charset_known(const char *name);

#endif
