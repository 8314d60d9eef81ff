#ifndef LUCIE_TRAINER_DATA_LANGUAGES_H
#define LUCIE_TRAINER_DATA_LANGUAGES_H
/*
 * The loss of a model by language, or by another name that documents have, such as their source: the
 * documents of a stream, each with its name, the bytes of its text and the loss of its labels.
 *
 *	struct lt_languages l = { 0 };
 *	lt_languages_add(&l, lang, tokens, bytes, &err)		each document, in stream order
 *	lt_score(..., lt_languages_score, &l, &err)
 *	lt_languages_finish(&l)
 *	l.language.p[i] ...					in byte order of the names
 *	lt_languages_release(&l);
 *
 * Bits per byte is the loss in bits of all labels of a language's documents, including their begin
 * and end tokens, divided by the bytes of their text (UTF-8). The first token of the stream is not a
 * label.
 *
 * The unigram model knows the frequency of each token among the scored labels of the language, and
 * nothing else: no model without context has a lower loss on them.
 */
#include "kernels/lk.h"
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

struct lt_language {
	struct lu_str name; /* as in the record; "und", or `unnamed`, if it has none */
	uint64_t documents, bytes;
	uint64_t scored; /* labels */
	double loss;	 /* sum over the labels, in nats */
	double unigram;	 /* the same under the unigram model; set by lt_languages_finish() */
	uint64_t *count; /* per token, `vocab` of them; NULL if vocab is 0 */
};

struct lt_languages_doc {
	uint64_t end; /* stream offset after its last token */
	size_t language;
};

struct lt_languages {
	size_t vocab;	     /* set by the caller for the unigram model, otherwise 0 */
	const char *unnamed; /* set by the caller where the names are not of languages; NULL: "und" */
	struct LU_VEC(struct lt_language) language;
	struct LU_VEC(struct lt_languages_doc) doc;
	size_t current; /* document of the last scored label */
	struct lu_arena arena;
};

int lt_languages_add(struct lt_languages *l, struct lu_str lang, uint64_t tokens, uint64_t bytes,
		struct lu_err *err) LU_CHECKED;
/* Forget the bytes, so that there are no bits per byte: of masked documents some tokens only are scored,
 * whose bytes nobody knows. */
void lt_languages_forget_bytes(struct lt_languages *l);
/* An lt_score_fn. */
int lt_languages_score(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err);
/* Set `unigram` and sort by name. */
void lt_languages_finish(struct lt_languages *l);
void lt_languages_release(struct lt_languages *l);

#endif
