#ifndef LUCIE_LANGID_LANGID_SAMPLE_H
#define LUCIE_LANGID_LANGID_SAMPLE_H
/*
 * The part of a text that says something about its language.
 *
 * Windows: a text of up to max_bytes is taken whole; of a longer one, four windows of a quarter
 * each, the first at the beginning, the others at 1/4, 1/2 and 3/4 of the text, cut at character
 * borders and then at blanks where there are any.
 *
 * Tokens, between blanks (White_Space and controls). Punctuation around a token does not count.
 * A token without a letter (numbers, rules, emoji) is left out. A token with an ASCII character
 * inside that is no letter, digit, apostrophe, hyphen or comma is no word: addresses, paths,
 * mark-up, calls, assignments. Words go into the sample, one blank between them.
 *
 * A line is program code, and left out whole, when more than half of its tokens are no words, or
 * when more than one in ten of its characters is one of {}[]()<>=;_\|#$&*+^~
 */
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_lang_sample {
	uint64_t letters;  /* in the sample; ideographs and other unspaced letters count as 3 */
	uint64_t words;	   /* tokens in the sample */
	uint64_t left_out; /* tokens that held letters but are not in the sample */
};

/* Appends the sample to `out`. A failed allocation shows in the buffer. */
void lu_lang_sample(
		struct lu_str text, size_t max_bytes, struct lu_buf *out, struct lu_lang_sample *s);

#endif
