#ifndef LUCIE_TOKENIZER_FROZEN_UNICODE_H
#define LUCIE_TOKENIZER_FROZEN_UNICODE_H
/*
 * Character classes and normal forms with frozen Unicode versions.
 *
 * Hugging Face tokenizers 0.23 mixes several Unicode versions: its regular expressions know 16,
 * Digits knows 17, the normal forms know 9 and Punctuation knows 8. A scan of all code points
 * through its Python package gave the differences from ICU (Unicode 15) that frozen_unicode.c holds.
 * So these tables, unlike ICU's, do not change with the library that is installed.
 *
 *	struct lu_uni *u;
 *	lu_uni_new(&u, &err);		a few milliseconds, 1.1 MB
 *	if (lu_uni_class(u, c) & LU_UC_SPACE) ...
 *	lu_uni_free(u);
 *
 * Read-only once made: any number of threads.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/text/unicode.h"

enum {
	LU_UC_WORD = 1,		/* \w: Alphabetic, M, Nd, Pc and the six No of Latin-1 */
	LU_UC_WORD_BRACKET = 2, /* \w between brackets: without those six */
	LU_UC_SPACE = 4,	/* \s: White_Space */
	LU_UC_LETTER = 8,	/* \p{L} */
	LU_UC_NUMBER = 16,	/* \p{N} in expressions (Unicode 16) */
	LU_UC_DIGIT = 32,	/* what the Digits component isolates: N of Unicode 17 */
	LU_UC_PUNCT = 64,	/* what the Punctuation component isolates */
};

/* Letters by case, for expressions that ask (Unicode 16): letters without case and marks are
 * both. */
enum {
	LU_UCASE_UPPER = 1, /* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] */
	LU_UCASE_LOWER = 2, /* [\p{Ll}\p{Lm}\p{Lo}\p{M}] */
};

/* OLD NAMES */
#define lu_uni_form lu_normal_form
#define LU_NFC LU_FORM_NFC
#define LU_NFD LU_FORM_NFD
#define LU_NFKC LU_FORM_NFKC
#define LU_NFKD LU_FORM_NFKD
/* END OF OLD NAMES */

struct lu_uni {
	uint8_t *cls; /* by code point */
	uint8_t *cased;
	struct lu_uni_norm *norm[4];
};

int lu_uni_new(struct lu_uni **u, struct lu_err *err) LU_CHECKED;
void lu_uni_free(struct lu_uni *u); /* NULL is fine */

static inline unsigned lu_uni_class(const struct lu_uni *u, uint32_t c)
{
	return u->cls[c];
}

/* Makes lu_uni_case() ready; call it before threads share u. */
int lu_uni_need_case(struct lu_uni *u, struct lu_err *err) LU_CHECKED;
static inline unsigned lu_uni_case(const struct lu_uni *u, uint32_t c)
{
	return u->cased[c];
}

/* Makes `form` ready; call it before threads share u. */
int lu_uni_need(struct lu_uni *u, enum lu_uni_form form, struct lu_err *err) LU_CHECKED;

/* Length of the beginning of s that is in the form for sure. */
size_t lu_uni_normal_prefix(const struct lu_uni *u, enum lu_uni_form form, struct lu_str s);

/* Can a text be cut before c, and each side brought into the form by itself? */
bool lu_uni_starts(const struct lu_uni *u, enum lu_uni_form form, uint32_t c);

/* Appends s in the form; -1 when memory is out. */
int lu_uni_normalize(const struct lu_uni *u, enum lu_uni_form form, struct lu_str s,
		struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
