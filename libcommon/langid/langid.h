#ifndef LUCIE_LANGID_LANGID_H
#define LUCIE_LANGID_LANGID_H
/*
 * Language identification.
 *
 *	struct lu_langid_options o = { .min_bytes = 256, .max_bytes = 4096, .min_score = 0.5 };
 *	struct lu_langid *id = lu_langid_new(NULL, &o, &err);		shared by all threads
 *	struct lu_langid_work work = { 0 };				one for each thread
 *	lu_langid_text(id, &work, text, &result, &err);
 *
 * Two classifiers: CLD2 with the tables built into libcld2 (83 languages; the larger libcld2_full is
 * not used), or a fastText model of the user.
 *
 * The classifier sees a sample (langid_sample.h): at most max_bytes of the text, in four windows
 * spread over it, in lower case, on one line, without control characters, addresses, numbers and
 * lines that look like program code. Given capitals, mark-up or code, it would still name some
 * language.
 *
 * CLD2 is asked only where there is doubt. In a text of at least min_bytes, the common words of the
 * same windows answer first (common_words.h). If they say that it is prose of one language
 * throughout, and their share is not below min_score, that is the answer. In any other case, such
 * as a part in another language, CLD2 is given the sample. So the answer is a function of the text
 * and of the options.
 *
 * `lang` is the ISO 639-1 code of the language, ISO 639-3 where it has none; `und` if
 *   - the sample has fewer than 20 letters (an ideograph, a kana, a Thai letter counts as three),
 *   - most of the text was program code,
 *   - CLD2 reports its answer as unreliable, or
 *   - the score is below min_score.
 * `score`, 0 to 1, is the share of the text in `lang`, in bytes of letters (CLD2) or in common words,
 * or the probability of the label (fastText). It is that of the best guess even if `lang` is und.
 * `part`, from CLD2: up to three languages with 5 % or more of the text each, the largest first,
 * and und for a rest of 5 % or more. From common words: `lang` alone. From fastText: none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/langid/common_words.h"

#define LU_LANG_CODE 16 /* size of a language code with its NUL */
#define LU_LANG_MIN_LETTERS 20

struct lu_lang_part {
	char lang[LU_LANG_CODE];
	double share;
};

struct lu_lang {
	char lang[LU_LANG_CODE];
	double score;
	struct lu_lang_part part[4];
	size_t parts;
};

struct lu_langid_work {
	struct lu_buf sample, lower;
	struct lu_common_scan words;
};
void lu_langid_work_release(struct lu_langid_work *w);

struct lu_langid_options {
	size_t min_bytes; /* of a text that common words decide; max_bytes or more: of none */
	size_t max_bytes;
	double min_score;
};

/* `model` is the file of a fastText classifier; NULL: CLD2. */
struct lu_langid;
struct lu_langid *lu_langid_new(const char *model, const struct lu_langid_options *o,
		struct lu_err *err) LU_CHECKED;
void lu_langid_free(struct lu_langid *id);

/* Fail unless the classifier can answer with this code: "unknown language 'french', did you mean
 * 'fr'". What it cannot answer is a mistake where languages are chosen. */
int lu_langid_check(const struct lu_langid *id, struct lu_str code, struct lu_err *err) LU_CHECKED;

/* `text` is valid UTF-8. */
int lu_langid_text(const struct lu_langid *id, struct lu_langid_work *work, struct lu_str text,
		struct lu_lang *out, struct lu_err *err) LU_CHECKED;

#endif
