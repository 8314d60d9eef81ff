#ifndef LUCIE_LANGID_LANGID_SAMPLE_H
#define LUCIE_LANGID_LANGID_SAMPLE_H
/*
 * The sample of a text for language identification.
 *
 * Windows: a text of up to max_bytes is sampled whole, a longer one in four windows of max_bytes / 4
 * each, at its beginning, 1/4, 1/2 and 3/4. They are cut at blanks if there are any nearby, else
 * between characters.
 *
 * Tokens lie between blanks (White_Space and controls), without the punctuation around them. Tokens
 * without a letter (numbers, rules, emoji) are left out. A token with an inner ASCII character other
 * than a letter, digit, apostrophe, hyphen or comma is not a word: addresses, paths, mark-up, calls,
 * assignments. The words go into the sample, separated by a blank.
 *
 * A line is program code, and left out as a whole, if more than half of its tokens are not words, or
 * if more than one in ten of its characters is one of {}[]()<>=;_\|#$&*+^~
 */
#include <stdint.h>

#include "libcommon/langid/common_words.h"

struct lu_lang_sample {
	uint64_t letters;  /* in the sample; ideographs and other unspaced letters count as 3 */
	uint64_t words;	   /* tokens in the sample */
	uint64_t left_out; /* tokens with letters that are not in the sample */
};

/* Append the sample to `out`. A failed allocation shows in the buffer. */
void lu_lang_sample(
		struct lu_str text, size_t max_bytes, struct lu_buf *out, struct lu_lang_sample *s);
/* Scan the same windows for common words, program code included, after clearing *s. */
int lu_lang_sample_words(const struct lu_common_words *w, struct lu_str text, size_t max_bytes,
		struct lu_common_scan *s, struct lu_err *err) LU_CHECKED;

#endif
