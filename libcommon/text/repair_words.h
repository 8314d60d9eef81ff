#ifndef LUCIE_TEXT_REPAIR_WORDS_H
#define LUCIE_TEXT_REPAIR_WORDS_H
/*
 * What the repair of a text (repair.h) knows of words: those of the document, and a few of English,
 * French, German, Spanish, Italian, Portuguese and Dutch.
 *
 * A word is a run of letters in lower case. The set counts words by their 64-bit hash alone; two words
 * of a document share one with a chance of 1 in 10^7 for a million words.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_doc_words {
	uint64_t *hash; /* 0: free */
	uint32_t *count;
	size_t slots, used;
	uint64_t total; /* words added */
};

/* Add the words of a text, and pairs of parts joined by a hyphen ("well-known"), but not the two parts
 * of a word at a hyphen that ends a line. Ligatures count as their letters. */
int lu_doc_words_add_text(
		struct lu_doc_words *w, struct lu_str text, struct lu_err *err) LU_CHECKED;
/* How often the word occurs whose parts, in any case, are a and b, joined by a hyphen or not. */
uint32_t lu_doc_words_count(
		const struct lu_doc_words *w, struct lu_str a, struct lu_str b, bool hyphen);
void lu_doc_words_release(struct lu_doc_words *w);

/* Length of the hyphen at p (ASCII or U+2010), or 0. */
size_t lu_doc_words_hyphen(const char *p, const char *end);

/* c in lower case: Latin, Greek and Cyrillic. */
uint32_t lu_doc_words_lower(uint32_t c);
bool lu_doc_words_letter(uint32_t c);

/* Lists; `word` in any case, of at most 30 bytes, else false. */
bool lu_doc_words_common(
		struct lu_str word); /* articles, prepositions, short verbs; "off", "staff" */
bool lu_doc_words_compound_first(struct lu_str word);  /* "well", "non", "peut", "celui" */
bool lu_doc_words_compound_second(struct lu_str word); /* "known", "il", "mêmes" */
bool lu_doc_words_ending(struct lu_str word); /* "tion", "ments": no word, but the end of many */
/* True if `tail` is what follows `head`, which ends with the letters of a ligature, in a word of English
 * or French, and no word by itself: "defi" "nition". */
bool lu_doc_words_after_ligature(struct lu_str head, struct lu_str tail);

#endif
