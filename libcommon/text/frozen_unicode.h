#ifndef LUCIE_TEXT_FROZEN_UNICODE_H
#define LUCIE_TEXT_FROZEN_UNICODE_H
/*
 * Character classes and normal forms of fixed Unicode versions.
 *
 * Hugging Face tokenizers 0.23 mixes several Unicode versions: its regular expressions use 16,
 * Digits 17, the normal forms 9 and Punctuation 8. The differences from ICU (Unicode 15), found by
 * a scan of all code points through its Python package, are listed in frozen_unicode.c. So these
 * tables, unlike those of text/unicode.h, do not change with the installed ICU.
 *
 *	struct lu_frozen_unicode *u;
 *	lu_frozen_new(&u, &err);		a few milliseconds, 1.1 MB
 *	if (lu_frozen_class(u, c) & LU_FROZEN_SPACE) ...
 *	lu_frozen_free(u);
 *
 * Thread-safe once loaded: lu_frozen_load_form() and lu_frozen_load_case() must come before the
 * tables are shared.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/text/unicode.h"

/* Character classes, as bits. */
enum {
	LU_FROZEN_WORD = 1,	    /* \w: Alphabetic, M, Nd, Pc and the six No of Latin-1 */
	LU_FROZEN_WORD_BRACKET = 2, /* \w in a bracket expression: without those six */
	LU_FROZEN_SPACE = 4,	    /* \s: White_Space */
	LU_FROZEN_LETTER = 8,	    /* \p{L} */
	LU_FROZEN_NUMBER = 16,	    /* \p{N} in expressions (Unicode 16) */
	LU_FROZEN_DIGIT = 32,	    /* isolated by the Digits component: N of Unicode 17 */
	LU_FROZEN_PUNCT = 64,	    /* isolated by the Punctuation component */
};

/* Case classes (Unicode 16), as bits; letters without case and marks have both. */
enum {
	LU_FROZEN_UPPER = 1, /* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] */
	LU_FROZEN_LOWER = 2, /* [\p{Ll}\p{Lm}\p{Lo}\p{M}] */
};

struct lu_frozen_unicode {
	uint8_t *classes; /* by code point */
	uint8_t *cases;
	struct lu_frozen_form *form[LU_FORMS];
};

int lu_frozen_new(struct lu_frozen_unicode **u, struct lu_err *err) LU_CHECKED;
void lu_frozen_free(struct lu_frozen_unicode *u); /* NULL is fine */

static inline unsigned lu_frozen_class(const struct lu_frozen_unicode *u, uint32_t c)
{
	return u->classes[c];
}

/* Load the table of lu_frozen_case(). */
int lu_frozen_load_case(struct lu_frozen_unicode *u, struct lu_err *err) LU_CHECKED;
static inline unsigned lu_frozen_case(const struct lu_frozen_unicode *u, uint32_t c)
{
	return u->cases[c];
}

/* Load a normal form for the functions below. */
int lu_frozen_load_form(struct lu_frozen_unicode *u, enum lu_normal_form form,
		struct lu_err *err) LU_CHECKED;

/* Length of a prefix of s that is known to be in normal form; s.n when all of s is. */
size_t lu_frozen_normal_prefix(
		const struct lu_frozen_unicode *u, enum lu_normal_form form, struct lu_str s);

/* True if c is plain, in the sense of lu_unicode_is_plain(): normalisation may split a text before
 * it. */
bool lu_frozen_is_plain(const struct lu_frozen_unicode *u, enum lu_normal_form form, uint32_t c);

/* Append s in normal form; -1 when memory is out. */
int lu_frozen_normalize(const struct lu_frozen_unicode *u, enum lu_normal_form form,
		struct lu_str s, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
