#ifndef LUCIE_CHARSET_CHARSET_INDEX_H
#define LUCIE_CHARSET_CHARSET_INDEX_H
/*
 * The indexes of the WHATWG Encoding Standard (section 5): code point by pointer.
 *
 * They are read from iconv the first time they are needed, and corrected where its tables differ
 * from the standard's. tests/unit/test_charset.c compares every entry with a checksum of the
 * standard's files. Building one takes 1 to 5 ms and 80 to 160 kB.
 *
 *	struct lu_charset_index ix = { 0 };				one for each thread
 *	const uint32_t *jis = lu_charset_index(&ix, LU_INDEX_JIS0208, &err);
 *	lu_charset_index_release(&ix);
 */
#include <stdint.h>

#include "libcommon/charset/charset_label.h"

enum lu_index {
	LU_INDEX_JIS0208,
	LU_INDEX_JIS0212,
	LU_INDEX_GB18030,
	LU_INDEX_GB18030_FOUR, /* pointers of four bytes below 39420 */
	LU_INDEX_EUC_KR,
	LU_INDEX_BIG5,
	LU_INDEXES,
};

/* Number of pointers of an index. */
size_t lu_charset_index_size(enum lu_index which);

/* A character of a single-byte encoding as UTF-8: bytes[0..n), or n = 0 where it has none. */
struct lu_charset_byte {
	unsigned char bytes[4], n;
};

struct lu_charset_index {
	uint32_t *two[LU_INDEXES];
	struct lu_charset_byte *one[LU_ENCODINGS];
	char *name; /* of the charset that `other` decodes */
	struct lu_charset_byte *other;
};

/* The index: 0 at a pointer without code point. NULL with an error when memory is out, or when
 * this machine's iconv lacks the tables. */
const uint32_t *lu_charset_index(
		struct lu_charset_index *ix, enum lu_index which, struct lu_err *err) LU_CHECKED;

/* The 128 characters of bytes 0x80-0xFF of a single-byte encoding. */
const struct lu_charset_byte *lu_charset_single(
		struct lu_charset_index *ix, enum lu_encoding e, struct lu_err *err) LU_CHECKED;

/* The same of a charset that iconv knows by this name, if it is an extension of ASCII by single
 * bytes; the last one is kept. 1, 0 if it is not, -1. */
int lu_charset_single_named(struct lu_charset_index *ix, const char *name,
		const struct lu_charset_byte **out, struct lu_err *err) LU_CHECKED;

void lu_charset_index_release(struct lu_charset_index *ix);

#endif
