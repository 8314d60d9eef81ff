#ifndef LUCIE_LANGID_LANGID_SAMPLE_H
#define LUCIE_LANGID_LANGID_SAMPLE_H
/*
 * The sample of a text for language identification.
 *
 *	struct lu_lang_sampler s = { 0 };		one for each thread
 *	lu_lang_sample(&s, text, 4096, false);
 *	if (lu_buf_check(&s.out, err) < 0)
 *	s.letters, s.words, s.left_out
 *	lu_lang_sampler_release(&s);
 *
 * Windows: a text of up to max_bytes is sampled whole, a longer one in four windows of max_bytes / 4
 * each, at its beginning, 1/4, 1/2 and 3/4. They are cut at blanks if there are any nearby, else
 * between characters.
 *
 * In a line, references to characters (&#226; &eacute;) are replaced by these, and tags (<b>, </a>)
 * by a blank. What remains is program code, and left out as a whole, if it has the signs of code (langid_code.h).
 *
 * Tokens lie between blanks (White_Space and controls), without the punctuation around them, so that
 * of the marks of tables, wikis and Markdown nothing is left. Tokens without a letter (numbers,
 * rules, smileys, emoji) and addresses (URLs, paths, e-mail, names of files and hosts) are left out,
 * as are those with signs of code within. Other tokens with inner punctuation are words of their
 * own, such as those of "et/ou" and of [[Paris|ville]]. The words go into the sample; between
 * them is a blank, or a line feed where a line or a sentence ends.
 *
 * `raw` keeps lines that are not code as they are, but for references, tags and controls: a model
 * wants what it was trained with.
 */
#include <stdint.h>

#include "libcommon/langid/common_words.h"

struct lu_lang_sampler {
	struct lu_buf out;
	uint64_t letters; /* in the sample; ideographs count as 3, other letters from U+0800 on as 2 */
	uint64_t words;	   /* tokens in the sample */
	uint64_t left_out; /* tokens with letters that are code */
	bool program;	   /* the text has code */
	uint64_t signs, chars;
	struct lu_buf line;
};

/* Fill *s; `out` begins anew. A failed allocation shows in the buffer. */
void lu_lang_sample(struct lu_lang_sampler *s, struct lu_str text, size_t max_bytes, bool raw);
void lu_lang_sampler_release(struct lu_lang_sampler *s);
/* The windows of a text; returns how many there are. */
#define LU_LANG_WINDOWS 4
size_t lu_lang_windows(struct lu_str text, size_t max_bytes, struct lu_str window[LU_LANG_WINDOWS]);
/* Scan the same windows for common words, program code included, after clearing *s. */
int lu_lang_sample_words(const struct lu_common_words *w, struct lu_str text, size_t max_bytes,
		struct lu_common_scan *s, struct lu_err *err) LU_CHECKED;

#endif
