#ifndef LUCIE_MINHASH_SHINGLE_H
#define LUCIE_MINHASH_SHINGLE_H
/*
 * A text as a set of shingles, the unit of near deduplication: each run of 5 words, as a 64-bit
 * hash.
 *
 *	struct lu_shingler *s;				tables; shared by all threads
 *	lu_shingler_new(&s, &err);
 *	lu_shingles(s, text, &scratch, fn, ctx, &err);	fn() is called with blocks of hashes
 *	lu_shingler_free(s);
 *
 * For comparison only; the documents themselves are not changed. The text is taken in
 *   - NFC, then full case folding,
 *   - with each decimal digit as 0, so that dates and counters do not tell documents apart,
 *   - with Unicode punctuation, symbols, separators and controls as the space between words,
 *     and without format characters (soft hyphen, joiners).
 * In scripts written without spaces (lu_unicode_is_unspaced()) each character counts as a word,
 * which makes the shingle a character 5-gram there.
 *
 * A text of fewer than 5 words gets one shingle, the hash of its bytes: such texts match only when
 * they are equal ("Chapter 1" and "Chapter 2" do not).
 *
 * A word is hashed by FNV-1a over its characters, a shingle by a polynomial over its words and the
 * 64-bit finaliser of MurmurHash3. The hashes are the same on every machine for the same version
 * of Unicode.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

#define LU_SHINGLE_WORDS 5
#define LU_SHINGLE_BLOCK 256

struct lu_shingler;
int lu_shingler_new(struct lu_shingler **s, struct lu_err *err) LU_CHECKED;
void lu_shingler_free(struct lu_shingler *s);

/* Receives 1 to LU_SHINGLE_BLOCK hashes at a time, so memory does not grow with the text. */
typedef void lu_shingle_fn(void *ctx, const uint64_t *shingle, size_t n);

/* `text` is valid UTF-8; `scratch` is used for texts that are not in NFC. At least one shingle is
 * passed on, also for the empty text. */
int lu_shingles(const struct lu_shingler *s, struct lu_str text, struct lu_buf *scratch,
		lu_shingle_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;

/* The words of a text as above, written out, and with their digits, for comparisons that must hold
 * word by word: word i is text[i ? end[i - 1] + 1 : 0 .. end[i] - 1], and a blank follows it. So a run of words is one
 * slice. */
struct lu_folded_words {
	struct lu_buf text;
	struct LU_VEC(size_t) end;
};

/* Replace what is in `w`. */
int lu_fold_words(const struct lu_shingler *s, struct lu_str text, struct lu_buf *scratch,
		struct lu_folded_words *w, struct lu_err *err) LU_CHECKED;
/* Words i .. i + n - 1, n > 0. */
static inline struct lu_str lu_folded_run(const struct lu_folded_words *w, size_t i, size_t n)
{
	size_t from = i ? w->end.p[i - 1] + 1 : 0;

	return (struct lu_str){ w->text.p + from, w->end.p[i + n - 1] - from };
}
void lu_folded_words_release(struct lu_folded_words *w);

#endif
