#ifndef LUCIE_TEXT_UNICODE_H
#define LUCIE_TEXT_UNICODE_H
/*
 * Unicode through ICU, over UTF-8. This folder includes ICU's headers, and otherwise only
 * tokenizer/frozen_unicode.c, for its frozen tables.
 *
 * All functions may be called by several threads at once: ICU's normalisers and property tables
 * are constant after the first use. A word breaker is an object of one thread.
 *
 * The version of Unicode is ICU's (15.0 for ICU 72). Strings given in are valid UTF-8, which the
 * record scanner has made sure of.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

enum lu_form { LU_FORM_NFC, LU_FORM_NFKC, LU_FORM_NFD };

/* Appends the normal form of s (UAX #15). Linear for every input: a long run of combining
 * marks, which ICU sorts by insertion, goes through uax15.h. */
int lu_unicode_normalize(enum lu_form form, struct lu_str s, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* Whether c neither changes nor ever joins what stands before it: NFC_Quick_Check=Yes (or
 * NFKC_) and a normalisation boundary before it. A text of such characters only is in its normal
 * form, and a text may be cut before each of them. Everything below U+0300 is so for NFC. */
bool lu_unicode_is_plain(enum lu_form form, uint32_t c);

/* One bit for each code point below 0x110000. */
#define LU_UNICODE_BITMAP ((size_t)0x110000 / 64)
static inline bool lu_unicode_in(const uint64_t *bitmap, uint32_t c)
{
	return bitmap[c >> 6] >> (c & 63) & 1;
}
/* Sets the bit of every character that is not plain for NFC or NFKC; a few milliseconds. */
int lu_unicode_not_plain(enum lu_form form, uint64_t *bitmap, struct lu_err *err) LU_CHECKED;

/* Appends the full case folding of s (CaseFolding.txt, statuses C and F; language neutral). */
int lu_unicode_fold(struct lu_str s, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/* Appends s in lower case (SpecialCasing.txt without the languages' own rules). Unlike folding it
 * leaves words as they are written: "Straße" does not become "strasse". */
int lu_unicode_lower(struct lu_str s, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/* The language of a tag ("fra_Latn", "zh-Hant", "iw"), by CLDR's aliases: ISO 639-1 where there is
 * a code ("fr", "zh", "he"), else ISO 639-3. False when it is no tag or does not fit. */
bool lu_unicode_language(const char *tag, char *out, size_t room);

/* General category, by groups. */
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

/* Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar, Tibetan: written without blanks between
 * words. */
bool lu_unicode_is_unspaced(uint32_t c);

/* The classes that word counting asks for, for all code points at once: table[c] is a set of
 * these bits. */
enum {
	LU_CLASS_SPACE = 1 << 0,	/* White_Space */
	LU_CLASS_WORD = 1 << 1,		/* Alphabetic, M, N, Pc or Cf: what words are made of */
	LU_CLASS_LETTER = 1 << 2,	/* L */
	LU_CLASS_NUMBER = 1 << 3,	/* N */
	LU_CLASS_PUNCTUATION = 1 << 4,	/* P, Cc, or one of $ + < = > ^ ` | ~ */
	LU_CLASS_UNSPACED = 1 << 5,	/* lu_unicode_is_unspaced() */
	LU_CLASS_SENTENCE_END = 1 << 6, /* STerm, U+2026, or a closing quotation mark */
};
/* Fills table[0x110000], which the caller has cleared. */
int lu_unicode_classes(uint8_t *table, struct lu_err *err) LU_CHECKED;

#endif
