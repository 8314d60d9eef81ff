#ifndef LUCIE_FILTER_MEASURES_H
#define LUCIE_FILTER_MEASURES_H
/*
 * The measures of quality rules. Each is one number, defined as datatrove 0.10 defines those of its
 * Gopher, Gopher repetition and FineWeb filters, so that its thresholds can be used here. The
 * formulas are from Rae et al. 2021, "Scaling Language Models", appendix A.1 and table A1, and from
 * Penedo et al. 2024, "The FineWeb Datasets".
 *
 *	struct lu_measurer *m = lu_measurer_new(&err);		character classes; shared
 *	struct lu_measures w = { 0 };				one for each thread
 *	lu_measures_start(m, &w, text, LU_STOP_FR);
 *	lu_measures_get(&w, LU_M_WORDS, &value, &err);		computed on first use
 *	lu_measures_release(&w);
 *	lu_measurer_free(m);
 *
 * Tokens. A word is a run of letters, marks, numbers, connectors and format characters (Alphabetic,
 * M, N, Pc, Cf). An apostrophe between letters belongs to it, but ends an elided word (l', d', qu',
 * jusqu'...), as in French tokenizers. An ideograph, kana, Thai, Lao, Khmer, Burmese or Tibetan
 * letter is a word by itself. A run of one punctuation mark is a token, and so is each other
 * character that is not White_Space. "Words" below are the tokens that are not punctuation (P,
 * controls, and $ + < = > ^ ` | ~). Lengths are in characters. Case is significant.
 *
 * Lines are split at LF, paragraphs of the stripped text at two or more. A ratio without a
 * denominator is 0.
 *
 *   words		number of words
 *   mean_word_length	characters of words / words
 *   hash_ratio		'#' / tokens
 *   ellipsis_ratio	"..." and '…' / tokens
 *   bullet_lines	lines whose first character is '•' or '-' / lines
 *   ellipsis_lines	lines that end with "..." or '…' / lines
 *   alpha_words	tokens with a letter / tokens
 *   stop_words		number of different stop words of the list
 *   dup_lines		lines that occurred before / lines; empty lines do not count
 *   dup_line_chars	characters of these lines / characters of the text
 *   dup_paras, dup_para_chars	the same for paragraphs
 *   top_2gram ...4	the most frequent n-gram of tokens (the first of equals), joined by
 *			blanks: its characters times its count / characters of the text
 *   dup_5gram ...10	characters (without blanks) of n-grams that occurred before, each
 *			skipped as a whole from left to right / characters of the text
 *   line_punct		lines that end with the end of a sentence (STerm, '…', closing quotation
 *			marks) / lines that are not blank
 *   short_lines	lines of up to 30 characters / lines that are not blank
 *   char_dup_ratio	characters of lines that occurred before / characters without LF
 *   newline_ratio	LF / tokens
 *   sentences		runs with a word character between runs of . ! ?	(RedPajama-V2)
 *   curly_ratio	'{' and '}' / characters				(C4)
 *   lorem_ipsum	occurrences of "lorem ipsum", in any case		(C4)
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

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
/* True if it counts, so that its values are whole numbers; the others are ratios and means. */
bool lu_measure_is_count(enum lu_measure m);

/* Stop words: English of Gopher (the be to of and that have with), French of FineWeb-2's fra_Latn
 * (de la le et à en l' des du les est d' un une il dans par au). */
enum lu_stop_list { LU_STOP_NONE, LU_STOP_EN, LU_STOP_FR };
/* The list for a language code, LU_STOP_NONE for languages without one. */
enum lu_stop_list lu_stop_list(struct lu_str lang);

/* The table of character classes: constant, shared by threads. */
struct lu_measurer;
struct lu_measurer *lu_measurer_new(struct lu_err *err) LU_CHECKED;
void lu_measurer_free(struct lu_measurer *m);

struct lu_token {
	uint64_t hash;
	uint64_t chars; /* of all tokens before this one */
};

struct lu_measures {
	const struct lu_measurer *measurer;
	struct lu_str text;
	enum lu_stop_list stop;
	uint64_t chars; /* of the text */
	unsigned done;	/* groups of measures computed so far */
	double value[LU_MEASURES];
	struct LU_VEC(struct lu_token) tokens; /* and a sentinel with the total length */
	struct lu_buf seen, grams;	       /* hash tables and n-gram keys */
};

/* Start on a text, valid UTF-8, which must stay until the next start. */
void lu_measures_start(const struct lu_measurer *m, struct lu_measures *w, struct lu_str text,
		enum lu_stop_list stop);
int lu_measures_get(struct lu_measures *w, enum lu_measure which, double *value,
		struct lu_err *err) LU_CHECKED;
void lu_measures_release(struct lu_measures *w);

#endif
