#ifndef LUCIE_LANGID_COMMON_WORDS_H
#define LUCIE_LANGID_COMMON_WORDS_H
/*
 * The language of a text by its common words (articles, prepositions, auxiliaries), where they
 * leave no doubt. It takes about a nanosecond a byte, a thirtieth of what a classifier takes.
 *
 *	struct lu_common_words *w = lu_common_words_new();	shared by threads; NULL: no memory
 *	struct lu_common_scan s = { 0 };			one for each thread
 *	lu_common_words_scan(w, text, &s, &err);		any number of pieces, in order
 *	code = lu_common_words_judge(&s, &share);		"fr"; NULL: ask a classifier
 *	lu_common_scan_clear(&s);				before the next text
 *	lu_common_scan_release(&s);
 *
 * The table has 80 to 150 words of each of seven languages (en fr de es it pt nl) and a few of
 * their neighbours (ca gl oc ro la da no sv af lb), which are foreign to all seven and never the
 * answer. A word that several languages have is in the list of each. Words are runs of at least
 * two bytes that are ASCII letters or above 0x7F, but for the marks of U+0080 to U+00BF and
 * U+2000 to U+2FFF; case is ignored up to U+00FF. Beside one language, a word is its own,
 * foreign (common in others only) or unknown.
 *
 * The language with most own words is the answer if
 *   - there are at least LU_COMMON_WORDS words,
 *   - at least LU_COMMON_OWN in 100 of them are its own (30 to 55 in prose), and for 100 of
 *     these there are at most LU_COMMON_FOREIGN foreign ones,
 *   - no stretch is without it. This is the CUSUM test (Page, Continuous inspection schemes,
 *     Biometrika 41, 1954): an own word counts -8, a foreign one 14, an unknown one what makes the
 *     mean of the text -2.5, but at least 1 and at most 8; and the largest sum of consecutive
 *     words is at most LU_COMMON_STRETCH, or a LU_COMMON_PARTth of the number of words where that
 *     is more. In another language of the table the sum rises by about 4 a word, in others by 1 to
 *     3, so that 10 to 40 words in a row are found, wherever they are,
 *   - letters of other scripts, Latin ones from U+0100 on, and signs of program code are rare
 *     (LU_COMMON_SCRIPT, LU_COMMON_SIGNS).
 *
 * `share` is own / (own + foreign), an estimate of the share of the text in that language; it is
 * above 0.94. With these constants CLD2 gives another language to 2 of 86,317 texts of 1,000
 * characters and more (manuals, dictionaries, books), and 99 in 100 quotations of a tenth of
 * 4,000 characters are found.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

#define LU_COMMON_LANGS 7

#define LU_COMMON_WORDS 40
#define LU_COMMON_OWN 25
#define LU_COMMON_FEW 8
#define LU_COMMON_FOREIGN 6
#define LU_COMMON_STRETCH 40
#define LU_COMMON_PART 7
#define LU_COMMON_SCRIPT 3 /* letters of other scripts than Latin, in 1000 bytes */
#define LU_COMMON_SIGNS 30 /* {}[]\|^_~;<=>, in 1000 bytes */

struct lu_common_words;

/* What was seen; LU_COMMON_LANGS + 1 bits a word: the languages it is common in. */
struct lu_common_scan {
	struct LU_VEC(uint8_t) sets;
	uint64_t bytes, script, signs;
};

struct lu_common_words *lu_common_words_new(void);
void lu_common_words_free(struct lu_common_words *w);
/* `text` is valid UTF-8. */
int lu_common_words_scan(const struct lu_common_words *w, struct lu_str text,
		struct lu_common_scan *s, struct lu_err *err) LU_CHECKED;
void lu_common_scan_clear(struct lu_common_scan *s);
void lu_common_scan_release(struct lu_common_scan *s);
/* The words of language i, with blanks between, and its code; both static. */
const char *lu_common_words_list(unsigned i, const char **words);
/* ISO 639-1 code, static; or NULL. */
const char *lu_common_words_judge(const struct lu_common_scan *s, double *share);

/* The language that lu_common_words_judge() would give if the other conditions held: no part in another
 * one, by the limits for foreign words and stretches. NULL if there is such a part or none is known.
 * `any` is the share of the words that is common in any language. */
const char *lu_common_words_only(const struct lu_common_scan *s, double *any);

/* Words from .. to - 1 of a scan. */
struct lu_common_stretch {
	size_t from, to;
};
#define LU_COMMON_STRETCHES 6

/*
 * Find the stretches without the language that the rest of the text is in: the fewest that leave what
 * lu_common_words_judge() would decide. Returns that language with the stretches in their order, or
 * NULL if there are more than LU_COMMON_STRETCHES, or none that leave such a rest, or if they are more
 * than half of the words. Each begins where the sum of the CUSUM test was zero for the last time, and
 * ends where it was largest.
 */
const char *lu_common_words_stretches(const struct lu_common_scan *s,
		struct lu_common_stretch stretch[LU_COMMON_STRETCHES], size_t *n);

/* The bytes of a text before word `word` of those that lu_common_words_scan() counts in it; all of
 * them if there are not as many. Sets *words to the number of words if it is reached. */
size_t lu_common_words_offset(struct lu_str text, size_t word, size_t *words);

#endif
