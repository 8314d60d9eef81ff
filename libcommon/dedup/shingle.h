#ifndef LUCIE_DEDUP_SHINGLE_H
#define LUCIE_DEDUP_SHINGLE_H
/*
 * A text as a set of shingles, the unit of near-duplicate detection: every run of 5 words, each
 * as a 64-bit hash.
 *
 *	struct lu_shingler *s;				tables; shared by all threads
 *	lu_shingler_new(&s, &err);
 *	lu_shingles(s, text, &scratch, take, ctx, &err);	take() gets blocks of hashes
 *	lu_shingler_free(s);
 *
 * Only for comparing; what is stored is never changed. The text is seen as
 *   - NFC, then full case folding,
 *   - each decimal digit as 0, so that dates and counters do not tell documents apart,
 *   - Unicode punctuation, symbols, separators and controls as the space between words,
 *     format characters (soft hyphen, joiners) as nothing.
 * In scripts written without spaces (lu_unicode_is_unspaced()) each character counts as a word,
 * which makes the shingle a character 5-gram there.
 *
 * A text of fewer than 5 words gets one shingle, the hash of its bytes as they stand: such texts
 * are alike only when they are equal ("Chapter 1" and "Chapter 2" are not).
 *
 * Hashes: a word by FNV-1a over its characters, a shingle by a polynomial over its words and the
 * 64-bit finaliser of MurmurHash3. They are the same on every machine for the same version of
 * Unicode.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_SHINGLE_WORDS 5
#define LU_SHINGLE_BLOCK 256

struct lu_shingler;
int lu_shingler_new(struct lu_shingler **s, struct lu_err *err) LU_CHECKED;
void lu_shingler_free(struct lu_shingler *s);

/* Called with 1 to LU_SHINGLE_BLOCK hashes at a time, so memory does not grow with the text. */
typedef void lu_shingle_fn(void *ctx, const uint64_t *shingle, size_t n);

/* `text` is valid UTF-8; `scratch` is used for texts that are not in NFC. At least one shingle is
 * given, also for the empty text. */
int lu_shingles(const struct lu_shingler *s, struct lu_str text, struct lu_buf *scratch,
		lu_shingle_fn *take, void *ctx, struct lu_err *err) LU_CHECKED;

#endif
