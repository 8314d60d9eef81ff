#ifndef LUCIE_CHARSET_CHARSET_GUESS_H
#define LUCIE_CHARSET_CHARSET_GUESS_H
/*
 * The charset of bytes that name none and are not UTF-8, by statistics.
 */
#include "libcommon/charset/charset_decode.h"

/* An encoding of the standard, or, where e is LU_ENC_NONE, a charset of iconv; name NULL: none. */
struct lu_charset_guess {
	enum lu_encoding e;
	const char *name;
};

/* The charset that fits `in` best, if it does by a margin. `scratch` is overwritten. 0, -1. */
int lu_charset_guess(struct lu_charset_index *ix, struct lu_str in, struct lu_buf *scratch,
		struct lu_charset_guess *guess, struct lu_err *err) LU_CHECKED;

#endif
