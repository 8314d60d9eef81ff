#ifndef LUCIE_LANGID_LANGID_H
#define LUCIE_LANGID_LANGID_H
/*
 * Language identification.
 *
 *	struct lu_langid_options o = { .min_bytes = 256, .max_bytes = 4096, .min_score = 0.1 };
 *	struct lu_langid *id = lu_langid_new(NULL, &o, &err);		shared by all threads
 *	struct lu_langid_work work = { 0 };				one for each thread
 *	lu_langid_text(id, &work, text, &result, &err);
 *
 * Two classifiers: CLD2 with the tables of libcld2_full (175 languages), or a fastText model of the
 * user. The answer is a function of the text and of the options.
 *
 * CLD2 is asked only where there is doubt. In a text of at least min_bytes, the common words of at
 * most max_bytes of it (langid_sample.h: four windows) answer first (common_words.h). If they say
 * that it is prose of one language throughout, and their share is not below min_score, that is the
 * answer. In any other case CLD2 is given the sample of the same windows, without addresses,
 * numbers, mark-up and lines of program code, and with the vote of twenty languages' common words as
 * a hint (word_votes.h).
 *   - Of a sample in a script that none of the seven languages of common_words.h is written in, and
 *     without their words, CLD2 sees a quarter first, which is enough if it is one language there.
 *   - Where CLD2 finds parts, the sentences and lines of the sample are judged one by one, by their
 *     common words or by CLD2, among the languages that it found in the whole; what has no answer of
 *     its own belongs to what is around it (langid_spans.h). So shares are exact where CLD2's own, which run over the ends of sentences, are not.
 *   - Where CLD2 is not sure, its best guess is taken if the sample has 20 letters, the guess fits its tables
 *     (100 points a kilobyte), and the vote supports it or it is a language without common words
 *     here. Six in ten such guesses are right, so the score is 0.6 of the share.
 *
 * A model sees the windows on one line, without lines of code and tags, and cleaned as it was
 * trained: lower case for labels of two letters (lid.176); else as the words tell that the model
 * has: in lower case if these have no capitals, without punctuation or digits if these have none
 * (OpenLID; GlotLID has all of them). Text mostly in capitals is put in lower case.
 *
 * `lang` is the ISO 639-1 code of the language, ISO 639-3 where it has none; zxx if that is the
 * model's label; `und` if
 *   - the sample has fewer than 8 letters (an ideograph counts as three), or fewer than 20 and the
 *     classifier is not sure: CLD2 says so, or the probability is below 0.5,
 *   - most of the text was program code,
 *   - CLD2 is not sure and its guess is not taken,
 *   - the second language is near: more than 0.9 of the share of the first, or 0.95 of its
 *     probability, or
 *   - the score is below min_score.
 * `score`, 0 to 1, is the share of the text in `lang`, in bytes (CLD2) or in common words, or the
 * probability of the label (fastText). It is that of the best guess even if `lang` is und.
 * `part`, from CLD2: up to three languages with 5 % or more of the text each, the largest first,
 * and und for a rest of 5 % or more. From common words: `lang` alone. From fastText: none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/langid/common_words.h"
#include "libcommon/langid/langid_sample.h"

#define LU_LANG_CODE 16 /* size of a language code with its NUL */

struct lu_lang_part {
	char lang[LU_LANG_CODE];
	double share;
};

struct lu_lang {
	char lang[LU_LANG_CODE];
	char script[5]; /* ISO 15924, of the model's label; else "" */
	double score;
	struct lu_lang_part part[4];
	size_t parts;
};

/* Whether a second share leaves the first in doubt. */
static inline bool lu_lang_is_near(double first, double second)
{
	return second > 0.9 * first;
}

/* A part of a text, n bytes from `at`. */
struct lu_lang_span {
	size_t at, n;
	char lang[LU_LANG_CODE];
	bool open; /* too little was found in it to tell */
};
struct lu_lang_spans LU_VEC(struct lu_lang_span);

struct lu_langid_work {
	struct lu_lang_sampler sample;
	struct lu_buf line, clean;
	struct lu_common_scan words;
	struct lu_lang_spans sentences, stretches, spans;
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

/*
 * Judge each paragraph by itself (langid_spans.h), and the text by them: the parts are the shares of
 * its bytes. One of fewer than 20 letters that tells nothing is in the language of its neighbours where these agree.
 * work->spans are the paragraphs, neighbours in one language joined, until the next call.
 */
int lu_langid_paragraphs(const struct lu_langid *id, struct lu_langid_work *work,
		struct lu_str text, struct lu_lang *out, struct lu_err *err) LU_CHECKED;

#endif
