#ifndef LUCIE_FILTER_NOISE_H
#define LUCIE_FILTER_NOISE_H
/*
 * Noise of optical character recognition: stretches that a tokenizer can only spell. Clean French or
 * English takes about 0.25 tokens a character, "ffi;b ~ l1 J'ai:es" twice that.
 *
 *	struct lu_noise n = { .most = 0.38 };
 *	lu_noise_load(&n, "tokenizer.json", &err);
 *	lu_judges_add(&judges, &lu_noise_judge, &n, &err);
 *	...
 *	lu_noise_release(&n);
 *
 * A text is cut into chunks of LU_NOISE_MIN to LU_NOISE_MAX characters: a chunk ends behind the
 * first line feed from LU_NOISE_MIN characters on; where there is none up to LU_NOISE_MAX, behind
 * the last blank before that, or there. What remains at the end is a chunk of its own if it has up
 * to LU_NOISE_MAX characters; only that may be shorter than LU_NOISE_MIN.
 *
 * A chunk with more than `most` tokens a character is noise. Neighbours that are noise are one gap.
 * In place of a gap there is a paragraph "[...]", with blank lines around it, but none at the end of
 * the text. A document that is nothing but noise is dropped. Thresholds: Luciole's preparation of
 * scanned books; the mark is that of Lucie's.
 */
#include "libcommon/filter/judges.h"
#include "libcommon/tokenizer/tokenizer.h"

#define LU_NOISE_MIN 1000
#define LU_NOISE_MAX 2000

struct lu_noise {
	double most;	 /* tokens a character */
	char reason[64]; /* "tokens_per_char > 0.38" */
	struct lu_tok *tok;
	/* What came of it, in documents that stay. */
	uint64_t docs, gaps, chars;
};
extern const struct lu_judge lu_noise_judge;

int lu_noise_load(struct lu_noise *n, const char *tokenizer, struct lu_err *err) LU_CHECKED;
void lu_noise_release(struct lu_noise *n);

/* The end of the chunk at p, of which *chars is the length in characters. */
const char *lu_noise_chunk(const char *p, const char *end, uint64_t *chars);

#endif
