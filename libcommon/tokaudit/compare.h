#ifndef LUCIE_TOKAUDIT_COMPARE_H
#define LUCIE_TOKAUDIT_COMPARE_H
/*
 * Comparison of two tokenizers on a text: the first token in which they differ.
 *
 *	struct lu_compare c;
 *	lu_compare_init(&c, tok_a, tok_b, &err);
 *	lu_compare_ids(&c, &ids_a, &ids_b, &first)	each text, by any thread
 *	struct lu_difference d;
 *	lu_compare_describe(&c, text, &ids_a, &ids_b, first, &d, &err);		to report it
 *	lu_difference_text(&c, names, &d, &out);  or lu_difference_json(&c, &d, &out);
 *	lu_compare_release(&c);
 *
 * Tokens are equal if their pieces are spelled the same, whatever their ids.
 *
 * The position of the difference is the length of the text that the tokens before it decode to. It
 * is exact if that is the beginning of the text, and otherwise the end of what agrees.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/tokenizer/tokenizer.h"

struct lu_compare {
	const struct lu_tok *tok[2];
	uint32_t *other; /* by id of tok[0]: the id of tok[1] with the same piece, or UINT32_MAX */
};

/* The tokenizers must live as long as c. */
int lu_compare_init(struct lu_compare *c, const struct lu_tok *a, const struct lu_tok *b,
		struct lu_err *err) LU_CHECKED;
/* True if the sequences of ids differ; *first is the index of the first token that does. */
bool lu_compare_ids(const struct lu_compare *c, const struct lu_ids *a, const struct lu_ids *b,
		size_t *first);
void lu_compare_release(struct lu_compare *c);

#define LU_DIFF_TOKENS 12
#define LU_DIFF_CONTEXT 32 /* characters before and after */

struct lu_difference {
	/* The document; set by the caller. */
	const char *file;
	uint64_t line;
	struct lu_str doc_id; /* raw JSON; .p NULL: none */

	struct lu_str before, after; /* the text around the position */
	uint64_t byte, character;
	bool exact;
	size_t tokens[2]; /* of the whole text */
	/* From the first token that differs to where both have spelled the same text again; at most
	 * LU_DIFF_TOKENS. */
	const uint32_t *id[2];
	size_t ids[2];
};

/* The slices and ids of *d point into the text and the sequences given. */
int lu_compare_describe(const struct lu_compare *c, struct lu_str text, const struct lu_ids *a,
		const struct lu_ids *b, size_t first, struct lu_difference *d,
		struct lu_err *err) LU_CHECKED;
/* Append four lines: the document and the position, the text around it, the pieces of both. */
void lu_difference_text(const struct lu_compare *c, const char *const name[2],
		const struct lu_difference *d, struct lu_buf *out);
/* Append a JSON object. */
void lu_difference_json(
		const struct lu_compare *c, const struct lu_difference *d, struct lu_buf *out);

/* The totals of a comparison. */
struct lu_compare_totals {
	uint64_t documents, differing;
	uint64_t tokens[2];
};

/* Append a line. */
void lu_compare_totals_text(const struct lu_compare_totals *t, struct lu_buf *out);
/* Close the array of differences, and the object that it is in behind the totals. */
void lu_compare_totals_json(
		const struct lu_compare_totals *t, const char *const name[2], struct lu_buf *out);

#endif
