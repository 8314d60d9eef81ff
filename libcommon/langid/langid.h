#ifndef LUCIE_LANGID_LANGID_H
#define LUCIE_LANGID_LANGID_H
/*
 * The language of a text.
 *
 *	struct lu_langid *id = lu_langid_new(NULL, 4096, 0.5, &err);	shared by all threads
 *	struct lu_langid_work work = { 0 };				one a thread
 *	lu_langid_text(id, &work, text, &result, &err);
 *
 * Two engines: CLD2 with the tables built into libcld2 (83 languages; its larger sister
 * libcld2_full is not used), or a fastText model of the user's.
 *
 * What the engine is shown (langid_sample.h): at most max_bytes of the text, in four windows
 * spread over it, in lower case, in one line, without control characters, addresses, numbers,
 * and without lines that look like program code. An engine that is asked about capitals, mark-up
 * or code answers something all the same, so it is not asked.
 *
 * `lang` is an ISO 639-1 code where the language has one, else ISO 639-3; `und` when
 *   - fewer than 20 letters are left (an ideograph, a kana, a Thai letter counts as three),
 *   - most of the text was program code,
 *   - CLD2 calls its own answer unreliable, or
 *   - the score is below min_score.
 * `score`, 0 to 1: from CLD2 the share of the text, in bytes of letters, that is in `lang`; from
 * fastText the probability of the label. It is that of the best guess even when `lang` is und.
 * `part`: from CLD2, up to three languages with 5 % or more of the text each, the largest first,
 * and und for a rest of 5 % or more. No parts from fastText, which has one answer for all.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_LANG_CODE 16 /* bytes of a language code with its NUL */
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
};
void lu_langid_work_release(struct lu_langid_work *w);

/* `model` is the file of a fastText classifier, NULL for CLD2. */
struct lu_langid;
struct lu_langid *lu_langid_new(const char *model, size_t max_bytes, double min_score,
		struct lu_err *err) LU_CHECKED;
void lu_langid_free(struct lu_langid *id);

/* `text` is valid UTF-8. */
int lu_langid_text(const struct lu_langid *id, struct lu_langid_work *work, struct lu_str text,
		struct lu_lang *out, struct lu_err *err) LU_CHECKED;

#endif
