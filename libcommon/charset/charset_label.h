#ifndef LUCIE_CHARSET_CHARSET_LABEL_H
#define LUCIE_CHARSET_CHARSET_LABEL_H
/*
 * The encodings of the WHATWG Encoding Standard and their labels, as section 4.2 of the standard
 * (encodings.json) lists them: "latin1", "ascii" and 15 others mean windows-1252, "gb2312" means GBK.
 */
#include "libcommon/base/buf.h"

enum lu_encoding {
	LU_ENC_NONE,
	LU_ENC_UTF_8,
	LU_ENC_IBM866,
	LU_ENC_ISO_8859_2,
	LU_ENC_ISO_8859_3,
	LU_ENC_ISO_8859_4,
	LU_ENC_ISO_8859_5,
	LU_ENC_ISO_8859_6,
	LU_ENC_ISO_8859_7,
	LU_ENC_ISO_8859_8,
	LU_ENC_ISO_8859_8_I,
	LU_ENC_ISO_8859_10,
	LU_ENC_ISO_8859_13,
	LU_ENC_ISO_8859_14,
	LU_ENC_ISO_8859_15,
	LU_ENC_ISO_8859_16,
	LU_ENC_KOI8_R,
	LU_ENC_KOI8_U,
	LU_ENC_MACINTOSH,
	LU_ENC_WINDOWS_874,
	LU_ENC_WINDOWS_1250,
	LU_ENC_WINDOWS_1251,
	LU_ENC_WINDOWS_1252,
	LU_ENC_WINDOWS_1253,
	LU_ENC_WINDOWS_1254,
	LU_ENC_WINDOWS_1255,
	LU_ENC_WINDOWS_1256,
	LU_ENC_WINDOWS_1257,
	LU_ENC_WINDOWS_1258,
	LU_ENC_X_MAC_CYRILLIC,
	LU_ENC_GBK,
	LU_ENC_GB18030,
	LU_ENC_BIG5,
	LU_ENC_EUC_JP,
	LU_ENC_ISO_2022_JP,
	LU_ENC_SHIFT_JIS,
	LU_ENC_EUC_KR,
	LU_ENC_REPLACEMENT,
	LU_ENC_UTF_16BE,
	LU_ENC_UTF_16LE,
	LU_ENC_X_USER_DEFINED,
	LU_ENCODINGS,
};

/* The encoding that a label names, after leading and trailing ASCII white space, in any case;
 * LU_ENC_NONE if none. */
enum lu_encoding lu_encoding_of_label(struct lu_str label);

/* The name of an encoding as the standard writes it, such as "windows-1252". */
const char *lu_encoding_name(enum lu_encoding e);

/* The name by which iconv knows the single-byte encoding e, or NULL for the others. */
const char *lu_encoding_iconv_name(enum lu_encoding e);

#endif
