#ifndef LUCIE_TEXT_UNICODE_H
#define LUCIE_TEXT_UNICODE_H
/*
 * Unicode over UTF-8, by ICU. ICU's headers are included in this folder only, and in
 * tokenizer/frozen_unicode.c, which has tables of fixed Unicode versions.
 *
 * All functions are thread-safe: ICU's normalisers and property tables are constant after their
 * first use. The version of Unicode is ICU's (15.0 for ICU 72). Strings passed in must be valid
 * UTF-8, which the record scanner ensures.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* The normalisation forms of UAX #15. */
enum lu_normal_form { LU_FORM_NFC, LU_FORM_NFD, LU_FORM_NFKC, LU_FORM_NFKD };
#define LU_FORMS 4

/* Append s in a normal form. Linear for every input: long runs of combining marks, which ICU sorts
 * by insertion, go through uax15.h. */
int lu_unicode_normalize(enum lu_normal_form form, struct lu_str s, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* True if c is plain: never changed by the form and never interacting with what precedes it, that
 * is Quick_Check=Yes and a normalisation boundary before it. A text of plain characters is in
 * normal form, and normalisation may split a text before each of them. For NFC everything below
 * U+0300 is plain. */
bool lu_unicode_is_plain(enum lu_normal_form form, uint32_t c);

/* Bitmaps with one bit for each code point below 0x110000. */
#define LU_UNICODE_BITMAP ((size_t)0x110000 / 64)
static inline bool lu_unicode_in(const uint64_t *bitmap, uint32_t c)
{
	return bitmap[c >> 6] >> (c & 63) & 1;
}
/* Set the bit of every character that is not plain; takes a few milliseconds. */
int lu_unicode_mark_not_plain(
		enum lu_normal_form form, uint64_t *bitmap, struct lu_err *err) LU_CHECKED;

/* Append the full case folding of s (CaseFolding.txt, statuses C and F; language neutral). */
int lu_unicode_fold(struct lu_str s, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/* Append s in lower case (SpecialCasing.txt without its language-specific rules). Unlike folding it
 * keeps the spelling of words: "Straße" does not become "strasse". */
int lu_unicode_lower(struct lu_str s, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/* Append s in upper case, by the same rules: "Straße" becomes "STRASSE". */
int lu_unicode_upper(struct lu_str s, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/* The language of a tag ("fra_Latn", "zh-Hant", "iw") after CLDR's aliases: its ISO 639-1 code
 * ("fr", "zh", "he") if there is one, else ISO 639-3. False when the tag is malformed or the result
 * does not fit. */
bool lu_unicode_language(const char *tag, char *out, size_t size);

/* General category by major class. */
enum lu_category {
	LU_CAT_LETTER,	    /* L* */
	LU_CAT_MARK,	    /* M* */
	LU_CAT_NUMBER,	    /* N* */
	LU_CAT_PUNCTUATION, /* P* */
	LU_CAT_SYMBOL,	    /* S* */
	LU_CAT_SEPARATOR,   /* Z* */
	LU_CAT_OTHER,	    /* C*: controls, format characters, surrogates, unassigned */
};
enum lu_category lu_unicode_category(uint32_t c);

bool lu_unicode_is_space(uint32_t c); /* White_Space */
bool lu_unicode_is_digit(uint32_t c); /* general category Nd */
bool lu_unicode_is_lower(uint32_t c); /* general category Ll */

/* Letters of scripts written without spaces between words: Han, Hiragana, Katakana, Thai, Lao,
 * Khmer, Myanmar, Tibetan. */
bool lu_unicode_is_unspaced(uint32_t c);

/* Character classes for word counting, as a table over all code points: table[c] is a set of these
 * bits. */
enum {
	LU_CLASS_SPACE = 1 << 0,	/* White_Space */
	LU_CLASS_WORD = 1 << 1,		/* Alphabetic, M, N, Pc or Cf: what words are made of */
	LU_CLASS_LETTER = 1 << 2,	/* L */
	LU_CLASS_NUMBER = 1 << 3,	/* N */
	LU_CLASS_PUNCTUATION = 1 << 4,	/* P, Cc, or one of $ + < = > ^ ` | ~ */
	LU_CLASS_UNSPACED = 1 << 5,	/* lu_unicode_is_unspaced() */
	LU_CLASS_SENTENCE_END = 1 << 6, /* STerm, U+2026, or a closing quotation mark */
};
/* Fill table[0x110000], which must be zeroed. */
int lu_unicode_classes(uint8_t *table, struct lu_err *err) LU_CHECKED;

#endif
