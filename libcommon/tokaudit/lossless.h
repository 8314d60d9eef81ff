#ifndef LUCIE_TOKAUDIT_LOSSLESS_H
#define LUCIE_TOKAUDIT_LOSSLESS_H
/*
 * The lossless check: which texts decode(encode(x)) does not give back.
 *
 *	struct lu_losses l = { .progress = progress, .ctx = &c };
 *	if (lu_losses_find(&l, tok, threads, &err) < 0) ...
 *	lu_losses_text(&l, file, verbose, &out);	lossless_report.h
 *	lu_losses_release(&l);
 *
 * It tries all 1 112 064 scalar values (code points except surrogates) in each of these contexts:
 * alone; after each of the 18 characters after which Lucie 7B's tokenizer inserts a space; after
 * U+00A0; after and before a letter. And some two hundred strings (loss_strings.c): runs of blanks
 * at the start, in the middle and at the end, CR LF, NUL, a byte order mark, emoji with joiners,
 * flags, combining marks, the marker of SentencePiece, each added token spelled out. Texts are
 * encoded as documents are: special tokens spelled out are text, and none are added.
 *
 * A text that comes back differently is
 *   lost		if it is another text
 *   noncharacter	the same, if the scalar value is one of the 66 that the Unicode Standard
 *			reserves for internal use (section 23.7): a tokenizer may spend one
 *   normalised	if it is canonically equivalent: both have the same NFC by ICU
 *
 * A context that is lost by itself (U+00A0 where it becomes a space) is lossy: everything in it is
 * lost. That is reported once, not for each scalar value.
 *
 * The cost is some 24 million round trips, half a minute of one core at 1 us each.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/vec.h"
#include "libcommon/tokenizer/tokenizer.h"

enum lu_loss { LU_LOSS_LOST, LU_LOSS_NONCHARACTER, LU_LOSS_NORMALISED, LU_LOSS_KINDS };

struct lu_loss_context {
	const char *before, *after;
};
#define LU_LOSS_CONTEXTS 22
extern const struct lu_loss_context lu_loss_contexts[LU_LOSS_CONTEXTS];

/* Consecutive scalar values with the same loss in the same contexts. */
struct lu_loss_range {
	uint32_t from, to;
	uint32_t contexts; /* bit i: in lu_loss_contexts[i] */
	enum lu_loss kind;
	struct lu_str text, got; /* `from` in the first of these contexts, and what it became */
};

struct lu_loss_string {
	const char *name;
	unsigned first, last;	 /* lengths of a run that is lost; 0: not a run */
	struct lu_str text, got; /* of the first length */
	enum lu_loss kind;
};

struct lu_losses {
	/* In: called with the number of code points done, of 0x110000; may be NULL. */
	void (*progress)(void *ctx, uint64_t done);
	void *ctx;
	uint32_t first, last; /* code points to try; 0 and 0: all */

	/* Out. */
	struct LU_VEC(struct lu_loss_range) range;   /* by code point */
	struct LU_VEC(struct lu_loss_string) string; /* that did not come back */
	uint64_t scalars_tried, strings_tried;
	uint64_t scalars[LU_LOSS_KINDS]; /* with this loss in some context */
	uint64_t strings[LU_LOSS_KINDS];
	uint32_t lossy_contexts;		    /* bit i: lu_loss_contexts[i] */
	uint64_t lost_in_context[LU_LOSS_CONTEXTS]; /* scalar values, of lossy contexts */
	struct lu_arena arena;
};

/* Fail for a tokenizer without a decoder, whose tokens are joined by spaces. */
int lu_losses_find(struct lu_losses *l, const struct lu_tok *tok, int threads,
		struct lu_err *err) LU_CHECKED;
/* Parse "FROM-TO", hexadecimal with or without U+, into first and last. False if malformed. */
bool lu_losses_parse_range(struct lu_losses *l, const char *range);
/* True if nothing is lost, noncharacters and normal forms aside. */
bool lu_losses_none(const struct lu_losses *l);
void lu_losses_release(struct lu_losses *l);

#endif
