#ifndef LUCIE_LANGID_COMMON_WORDS_H
#define LUCIE_LANGID_COMMON_WORDS_H
/*
 * A guess at the language of a text by its common words (articles, prepositions, auxiliaries), for
 * deciding how much of the text a classifier must see. It takes about a nanosecond a byte.
 *
 *	struct lu_common_words *w = lu_common_words_new();	shared by all threads; NULL: no memory
 *	struct lu_common_counts c = { 0 };
 *	lu_common_words_count(w, text, &c);			any number of pieces
 *	code = lu_common_words_guess(&c);			"fr", or NULL
 *
 * The guess is made only where the text looks like prose of one language throughout: common words of
 * that language are at least 15 in 100 words, and words that are common in others of the table but
 * not in it are at most 20 for 100 of its own. Lists of names, other languages than those of the
 * table, and texts of two languages have none. In prose of the seven languages (en fr de es it pt nl)
 * a third to a half of the words are in the table.
 *
 * Words are runs of ASCII letters and of bytes above 0x7F, but for punctuation of U+0080 to U+00BF
 * and U+2000 to U+2FFF; case is ignored up to U+00FF.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_COMMON_LANGS 7

struct lu_common_words;

struct lu_common_counts {
	uint64_t words;
	uint64_t by_set[1
			<< LU_COMMON_LANGS]; /* words by the set of languages they are common in */
};

struct lu_common_words *lu_common_words_new(void);
void lu_common_words_free(struct lu_common_words *w);
/* `text` is valid UTF-8. */
void lu_common_words_count(
		const struct lu_common_words *w, struct lu_str text, struct lu_common_counts *c);
/* ISO 639-1 code, static; or NULL. */
const char *lu_common_words_guess(const struct lu_common_counts *c);

#endif
