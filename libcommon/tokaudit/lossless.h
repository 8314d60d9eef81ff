#ifndef LUCIE_TOKAUDIT_LOSSLESS_H
#define LUCIE_TOKAUDIT_LOSSLESS_H
/*
 * What a tokenizer loses: which texts are not what decode(encode(x)) gives.
 *
 *	struct lu_losses l = { .tick = progress, .ctx = &c };
 *	if (lu_losses_find(&l, tok, threads, &err) < 0) ...
 *	lu_losses_text(&l, verbose, &out);  or lu_losses_json(&l, &out);
 *	lu_losses_release(&l);
 *
 * Tried are all 1 112 064 scalar values (every code point but the surrogates) in each of the
 * contexts: alone; after each of the 18 characters after which the tokenizer of Lucie 7B inserts
 * a space; after U+00A0; after and before a letter. And some dozens of strings: runs of blanks at
 * the start, in the middle and at the end, CR LF, NUL, a byte order mark, emoji with joiners,
 * flags, combining marks, the marker of SentencePiece, each added token spelled out.
 *
 * A text is encoded as documents are (special tokens spelled out are text, nothing is added) and
 * decoded. What comes back differently is one of
 *   lost		another text
 *   noncharacter	the same, but the scalar value is one of the 66 that the Unicode Standard
 *			sets aside for internal use (section 23.7): a tokenizer may spend one
 *   normalised	canonically equivalent: both have the same NFC by ICU
 *
 * A context that is lost by itself (U+00A0 where it becomes a space) loses whatever stands in it:
 * that is told once, and its scalar values are not counted one by one.
 *
 * Some 24 million round trips; half a minute of one core at 1 us each.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/tokenizer/tokenizer.h"

enum lu_loss { LU_LOSS_LOST, LU_LOSS_NONCHARACTER, LU_LOSS_FORM, LU_LOSS_KINDS };

struct lu_loss_context {
	const char *before, *after;
};
#define LU_LOSS_CONTEXTS 22
extern const struct lu_loss_context lu_loss_contexts[LU_LOSS_CONTEXTS];

/* Neighbouring scalar values with the same fate. */
struct lu_loss_range {
	uint32_t from, to;
	uint32_t contexts; /* bit i: in lu_loss_contexts[i] */
	enum lu_loss kind;
	struct lu_str text, got; /* `from` in the first of these contexts, and what came back */
};

struct lu_loss_string {
	const char *name;
	unsigned first, last;	 /* so many times in a row, all with this fate; 0: no run */
	struct lu_str text, got; /* of the first of them */
	enum lu_loss kind;
};

struct lu_losses {
	/* From the caller, or NULL: told how many code points are done, of 0x110000. */
	void (*tick)(void *ctx, uint64_t done);
	void *ctx;
	uint32_t first, last; /* the code points to try; 0 and 0: all */

	struct lu_arena arena;
	struct lu_loss_range *range; /* by code point */
	size_t ranges, range_cap;
	struct lu_loss_string *string; /* those that did not come back */
	size_t strings, string_cap;
	uint64_t tried, strings_tried;
	uint64_t scalars[LU_LOSS_KINDS];   /* scalar values with this fate in some context */
	uint64_t texts[LU_LOSS_KINDS];	   /* strings */
	uint32_t tainted;		   /* bit i: lu_loss_contexts[i] is lost by itself */
	uint64_t within[LU_LOSS_CONTEXTS]; /* and so many scalar values in it were */
};

/* A tokenizer without a decoder is an error: it would put spaces between all tokens. */
int lu_losses_find(struct lu_losses *l, const struct lu_tok *tok, int threads,
		struct lu_err *err) LU_CHECKED;
/* "FROM-TO" in hexadecimal, each with or without U+, into first and last. False: it is not. */
bool lu_losses_range(struct lu_losses *l, const char *range);
/* Whether nothing is lost, noncharacters and normal forms aside. */
bool lu_losses_none(const struct lu_losses *l);
/* Lines for people; what is only normalised is a count unless `all`. */
void lu_losses_text(const struct lu_losses *l, const char *file, bool all, struct lu_buf *out);
/* One object. */
void lu_losses_json(const struct lu_losses *l, const char *file, struct lu_buf *out);
void lu_losses_release(struct lu_losses *l);

#endif
