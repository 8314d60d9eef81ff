#ifndef LUCIE_PII_PII_CONTEXT_H
#define LUCIE_PII_PII_CONTEXT_H
/*
 * What stands around a place in a text, for the recognisers behind pii.h: pii_address.h, pii_iban.h,
 * pii_phone.h. Each is shown a place where something may be, and answers with what it found.
 *
 * A recogniser looks at no more than the stretch [begin, end), which lies between two finds or ends
 * of the text. An edge counts as a mask, that is, as no letter, digit or separator.
 */
#include "libcommon/pii/pii.h"

struct lu_pii_stretch {
	const char *begin, *end;
};

/* What was found: bytes start .. end - 1. */
struct lu_pii_find {
	const char *start, *end;
};

static inline bool lu_pii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool lu_pii_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool lu_pii_alnum(char c)
{
	return lu_pii_digit(c) || lu_pii_letter(c);
}

/* The character that ends before p, or begins at p: true if it is a letter, mark or digit of a script
 * with spaces between words, or '_'. *length is its bytes, 0 at an edge. */
bool lu_pii_word_before(const struct lu_pii_stretch *t, const char *p, size_t *length);
bool lu_pii_word_at(const struct lu_pii_stretch *t, const char *p, size_t *length);

/* True if c is one of a set; a text may hold NUL, which is in none. */
static inline bool lu_pii_in(const char *set, char c)
{
	return c && strchr(set, c);
}

static inline char lu_pii_before(const struct lu_pii_stretch *t, const char *p)
{
	return p > t->begin ? p[-1] : '>';
}

static inline char lu_pii_at(const struct lu_pii_stretch *t, const char *p)
{
	return p < t->end ? *p : '<';
}

/* Find the word before p, across at most 6 bytes of `set`; lower-case ASCII into `word`, empty where
 * there is none or it is longer. Returns where it starts. */
#define LU_PII_WORD 24
const char *lu_pii_last_word(const struct lu_pii_stretch *t, const char *p, const char *set,
		char word[LU_PII_WORD]);
/* True if the word is in the list, which is separated and enclosed by blanks: " a b ". */
bool lu_pii_listed(const char *list, const char *word);

#endif
