#include "libcommon/charset/charset_guess.h"

int lu_charset_guess(struct lu_charset_index *ix, struct lu_str in, struct lu_buf *scratch,
		struct lu_charset_guess *guess, struct lu_err *err)
{
	(void)ix;
	(void)in;
	(void)scratch;
	(void)err;
	*guess = (struct lu_charset_guess){ LU_ENC_NONE, NULL };
	return 0;
}
