#ifndef LUCIE_CHARSET_CHARSET_GUESS_H
#define LUCIE_CHARSET_CHARSET_GUESS_H
/*
 * The charset of bytes that name none and are not UTF-8, by statistics.
 *
 * The sample is the first 16 kB of lines with bytes beyond ASCII. Each candidate decodes it, and gets
 * the logarithm of the probability that a language written in it would give these characters; the
 * language is the best of those of the candidate. A model of a language is its letters beyond ASCII in
 * the order of their frequency, with probabilities that fall from the first to the last to 1/20
 * (charset_models.c); capitals are rarer, rarer still behind a small letter; so are signs within
 * words, letters of other scripts, and control characters most of all. Frequent words without
 * accents favour their language by up to 12 bits. In Chinese, Japanese and Korean the frequent
 * characters and the rows of the code that hold common ones count.
 *
 * The best candidate is taken if its characters cost 10 bits or less on average (13 where they take
 * two bytes), and if the next one
 * that decodes to another text is behind by 6 bits. Where two decode to the same text, the first in
 * this order is named: windows-1252, 1250, 1254, 1257, 1251, 1253, 1255, 1256, ISO-8859-15, -2, -5, -7,
 * KOI8-R, KOI8-U, IBM866, x-mac-cyrillic, macintosh, CP850, CP437, CP852, Shift_JIS, EUC-JP, GBK, Big5,
 * EUC-KR. ISO-2022-JP is recognised by its escape sequences, UTF-16 without a mark by where its NULs
 * are.
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
