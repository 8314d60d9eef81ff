#ifndef LUCIE_FILTER_MEASURES_H
#define LUCIE_FILTER_MEASURES_H
/*
 * What quality rules measure in a text. Each is one number, defined as datatrove 0.10 documents
 * its Gopher, Gopher repetition and FineWeb filters (the formulas are those of Rae et al. 2021,
 * "Scaling Language Models", appendix A.1, table A1, and of Penedo et al. 2024, "The FineWeb
 * Datasets"), so that thresholds found with it can be used here.
 *
 *	struct lu_measurer *m = lu_measurer_new(&err);		character classes; shared
 *	struct lu_measures w = { 0 };				one a thread
 *	lu_measures_start(m, &w, text, LU_STOP_FR);
 *	lu_measures_get(&w, LU_M_WORDS, &value, &err);		computed when asked for first
 *	lu_measures_release(&w);
 *	lu_measurer_free(m);
 *
 * Tokens. A word is a run of letters, marks, numbers, connectors and format characters
 * (Alphabetic, M, N, Pc, Cf); an
 * apostrophe between letters belongs to it, except that it ends an elided word (l', d', qu',
 * jusqu'...), as the French tokenizers have it. An ideograph, kana, Thai, Lao, Khmer, Burmese or
 * Tibetan letter is a word of its own. Each run of one and the same punctuation mark is a token,
 * each other character that is not White_Space one more. "Words" below are the tokens that are
 * not punctuation (P, controls, and $ + < = > ^ ` | ~). Lengths are in characters. Case counts.
 *
 * Lines are split at LF, paragraphs of the stripped text at two or more. All ratios are 0 where
 * there is nothing to divide by.
 *
 *   words		words
 *   mean_word_length	characters of words / words
 *   hash_ratio		'#' / tokens
 *   ellipsis_ratio	"..." and '…' / tokens
 *   bullet_lines	lines whose first character is '•' or '-' / lines
 *   ellipsis_lines	lines that end with "..." or '…' / lines
 *   alpha_words	tokens with a letter / tokens
 *   stop_words		how many different stop words of the list occur
 *   dup_lines		lines that occurred before / lines; empty lines do not count
 *   dup_line_chars	characters of these / characters of the text
 *   dup_paras, dup_para_chars	the same of paragraphs
 *   top_2gram ...4	the most frequent n-gram of tokens (the first of equals), joined by
 *			blanks: its characters times its count / characters of the text
 *   dup_5gram ...10	going through the tokens: an n-gram met before adds its characters
 *			(without blanks) and is skipped as a whole / characters of the text
 *   line_punct		lines that end with a sentence's end (STerm, '…', closing quotation
 *			marks) / lines that are not blank
 *   short_lines	lines of up to 30 characters / lines that are not blank
 *   char_dup_ratio	characters of lines that occurred before / characters without LF
 *   newline_ratio	LF / tokens
 *   sentences		stretches with a word character between runs of . ! ?   (RedPajama-V2)
 *   curly_ratio	'{' and '}' / characters				(C4)
 *   lorem_ipsum	how often "lorem ipsum" occurs, in any case		(C4)
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

enum lu_measure {
	LU_M_WORDS,
	LU_M_MEAN_WORD_LENGTH,
	LU_M_HASH_RATIO,
	LU_M_ELLIPSIS_RATIO,
	LU_M_ALPHA_WORDS,
	LU_M_STOP_WORDS,
	LU_M_NEWLINE_RATIO,
	LU_M_BULLET_LINES,
	LU_M_ELLIPSIS_LINES,
	LU_M_DUP_LINES,
	LU_M_DUP_LINE_CHARS,
	LU_M_DUP_PARAS,
	LU_M_DUP_PARA_CHARS,
	LU_M_LINE_PUNCT,
	LU_M_SHORT_LINES,
	LU_M_CHAR_DUP_RATIO,
	LU_M_TOP_2GRAM,
	LU_M_TOP_3GRAM,
	LU_M_TOP_4GRAM,
	LU_M_DUP_5GRAM,
	LU_M_DUP_6GRAM,
	LU_M_DUP_7GRAM,
	LU_M_DUP_8GRAM,
	LU_M_DUP_9GRAM,
	LU_M_DUP_10GRAM,
	LU_M_SENTENCES,
	LU_M_CURLY_RATIO,
	LU_M_LOREM_IPSUM,
	LU_MEASURES,
};
const char *lu_measure_name(enum lu_measure m);

/* Stop words: English as in Gopher (the be to of and that have with), French as in FineWeb-2's
 * fra_Latn (de la le et à en l' des du les est d' un une il dans par au). */
enum lu_stop_list { LU_STOP_NONE, LU_STOP_EN, LU_STOP_FR };
/* The list for a language code, LU_STOP_NONE for languages without one. */
enum lu_stop_list lu_stop_list(struct lu_str lang);

/* The character classes: constant, shared by threads. */
struct lu_measurer;
struct lu_measurer *lu_measurer_new(struct lu_err *err) LU_CHECKED;
void lu_measurer_free(struct lu_measurer *m);

struct lu_token {
	uint64_t hash;
	uint64_t chars; /* in all tokens before this one */
};

struct lu_measures {
	const struct lu_measurer *measurer;
	struct lu_str text;
	enum lu_stop_list stop;
	uint64_t chars; /* of the text */
	unsigned done;	/* groups that were computed */
	double value[LU_MEASURES];
	struct lu_buf tokens;	   /* struct lu_token, and one more with the total */
	size_t n;		   /* tokens */
	struct lu_buf seen, grams; /* hash tables and n-gram keys */
};

/* `text` is valid UTF-8 and stays until the next start. */
void lu_measures_start(const struct lu_measurer *m, struct lu_measures *w, struct lu_str text,
		enum lu_stop_list stop);
int lu_measures_get(struct lu_measures *w, enum lu_measure which, double *value,
		struct lu_err *err) LU_CHECKED;
void lu_measures_release(struct lu_measures *w);

#endif
