#ifndef LUCIE_TRAINER_DATA_LANGUAGES_H
#define LUCIE_TRAINER_DATA_LANGUAGES_H
/*
 * The loss of a model by language: documents laid end to end, each with its language and the bytes
 * of its text, and what the labels in each cost.
 *
 *	struct lt_languages l = { 0 };
 *	lt_languages_document(&l, lang, tokens, bytes, &err)	in the order of the stream
 *	lt_score(..., lt_languages_score, &l, &err)
 *	l.row[i] ...						languages in byte order
 *	lt_languages_release(&l);
 *
 * Bits per byte is the loss of all labels of a language's documents, beginning and end tokens
 * included, in bits, over the bytes of their text (UTF-8). The first token of the stream is no
 * label.
 *
 * The unigram model knows how often each token occurs among the labels of the language that is
 * scored, and nothing else: the best that any model without context could do on them.
 */
#include "kernels/lk.h"
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

struct lt_language {
	struct lu_str name; /* as in the record; "und" when it says nothing */
	uint64_t documents, bytes;
	uint64_t scored; /* labels */
	double loss;	 /* their sum, natural logarithms */
	double unigram;	 /* the same under the unigram model, after lt_languages_finish() */
	uint64_t *count; /* by token, `vocab` of them */
};

struct lt_languages_doc {
	uint64_t end; /* stream position after its last token */
	size_t row;
};

struct lt_languages {
	size_t vocab; /* set by the caller: counts tokens when it is not 0 */
	struct lt_language *row;
	size_t rows;
	struct lt_languages_doc *doc;
	size_t docs, room;
	size_t at; /* the document of the label that was scored last */
	struct lu_arena arena;
};

int lt_languages_document(struct lt_languages *l, struct lu_str lang, uint64_t tokens,
		uint64_t bytes, struct lu_err *err) LU_CHECKED;
/* An lt_score_fn. */
int lt_languages_score(void *ctx, uint64_t at, size_t n, const uint32_t *label, const lk_real *loss,
		struct lu_err *err);
/* Fills `unigram`, and sorts the rows by name. */
void lt_languages_finish(struct lt_languages *l);
void lt_languages_release(struct lt_languages *l);

#endif
