#ifndef LUCIE_TOKAUDIT_COMPARE_H
#define LUCIE_TOKAUDIT_COMPARE_H
/*
 * Where two tokenizers cut a text differently.
 *
 *	struct lu_diff d;
 *	lu_diff_start(&d, tok_a, tok_b, &err);
 *	lu_diff_at(&d, a.p, a.n, b.p, b.n, &first)	for each text, by any thread
 *	struct lu_difference w;
 *	lu_diff_look(&d, text, &ids_a, &ids_b, first, &w, &err);	when it is to be told
 *	lu_difference_text(&d, names, &w, &out);  or lu_difference_json(...);
 *	lu_diff_release(&d);
 *
 * Tokens are equal when their pieces are spelled the same, whatever their ids.
 *
 * The place of the first difference is how much of the text the tokens before it stand for. It is
 * found by decoding them, so it is exact where that gives back the text's beginning, and the end
 * of what agrees otherwise.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/tokenizer/tokenizer.h"

struct lu_diff {
	const struct lu_tok *tok[2];
	uint32_t *other; /* by id of tok[0]: the id of tok[1] with the same piece, or UINT32_MAX */
};

int lu_diff_start(struct lu_diff *d, const struct lu_tok *a, const struct lu_tok *b,
		struct lu_err *err) LU_CHECKED;
/* Whether the rows of ids differ, and which token is the first that does. */
bool lu_diff_at(const struct lu_diff *d, const struct lu_ids *a, const struct lu_ids *b,
		size_t *first);
void lu_diff_release(struct lu_diff *d);

struct lu_difference {
	/* Of the document: filled in by the caller. */
	const char *file;
	uint64_t line;
	struct lu_str name; /* its id as raw JSON; .p NULL: none */

	struct lu_str before, after; /* text around the place, slices of it */
	uint64_t byte, character;
	bool exact;
	size_t tokens[2]; /* of the whole text */
	/* From the first token that differs to where both have said the same again; at most
	 * LU_DIFF_TOKENS. */
	const uint32_t *id[2];
	size_t n[2];
};
#define LU_DIFF_TOKENS 12
#define LU_DIFF_CONTEXT 32 /* characters before and after */

/* The slices and ids live as long as what was given. */
int lu_diff_look(const struct lu_diff *d, struct lu_str text, const struct lu_ids *a,
		const struct lu_ids *b, size_t first, struct lu_difference *out,
		struct lu_err *err) LU_CHECKED;
/* Four lines: the document and the place, the text around it, the pieces of both. */
void lu_difference_text(const struct lu_diff *d, const char *const name[2],
		const struct lu_difference *w, struct lu_buf *out);
/* One object. */
void lu_difference_json(const struct lu_diff *d, const struct lu_difference *w, struct lu_buf *out);

#endif
