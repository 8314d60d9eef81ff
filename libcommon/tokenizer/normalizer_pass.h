#ifndef LUCIE_TOKENIZER_NORMALIZER_PASS_H
#define LUCIE_TOKENIZER_NORMALIZER_PASS_H
/*
 * Inside the tokenizer: a normalizer's chain of steps as one pass over the text.
 *
 * The chains of real files are: a normal form first; then steps that replace a character by a
 * fixed string whatever stands around it; at most one row of steps "after one of these, when one
 * of those follows, insert s"; at most one step that prepends a string. Such a chain is a
 * machine with three states (at the start; after a character that may want an insertion; else)
 * that maps each character to a short string. For ASCII the whole step is one table cell. Other
 * chains run step by step (normalizer.c), with the same result.
 *
 * The mark. Files that have a sign for the space (U+2581) turn each space into its three bytes.
 * Inside the encoder it is the one byte LU_MARK, which no UTF-8 holds: text is shorter, and all
 * that English is made of is a unit of one byte. U+2581 spelled in three bytes means the same.
 *
 *	lu_pass_make(&pass, &parts, uni, &arena, &err);		once, read-only then
 *	unsigned state = LU_PASS_START;				each fragment
 *	lu_pass_run(&pass, uni, true, &state, piece, &out);	its pieces in order; appends
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/components.h"

#define LU_MARK 0xFF
#define LU_MARK_CHAR 0x2581

enum {
	LU_PASS_INSIDE,
	LU_PASS_AFTER,
	LU_PASS_START,
	LU_PASS_STATES,
	LU_PASS_GONE = LU_PASS_STATES,
	LU_PASS_ODD,
	LU_PASS_LONG,
};

/* What a character below 128 becomes, with what is inserted before it. */
struct lu_pass_cell {
	char out[7];
	uint8_t n;
};

/* A string in plain UTF-8, and the same with LU_MARK. */
struct lu_pass_text {
	struct lu_str plain, marked;
};

/* A character from 128 on that does not simply stay. */
struct lu_pass_odd {
	uint32_t c;
	bool after, ahead; /* may want an insertion behind it; makes the one before it insert */
	bool gone;	   /* becomes nothing */
	struct lu_pass_text image;
};

struct lu_pass {
	bool ok;   /* the chain is of this kind; otherwise nothing below is set */
	bool none; /* the chain is empty: text stays as it is */
	int form;  /* enum lu_normal_form, -1: none */
	bool inserts;
	struct lu_cset ahead;
	struct lu_pass_text gap, start;			  /* what is inserted; what is prepended */
	struct lu_pass_cell cell[2][LU_PASS_STATES][128]; /* [0] plain, [1] with LU_MARK */
	/* By first byte: the state after a character below 128, or that it needs a closer look:
	 * it becomes nothing (and the state stays), or it is odd, or just longer than a byte. */
	uint8_t next[256];
	struct lu_pass_odd *odd; /* few */
	size_t odds;
};

int lu_pass_make(struct lu_pass *pass, const struct lu_parts *parts,
		const struct lu_frozen_unicode *u, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;

/* The first step: *text in the chain's form, which it is already or which is put into `to`. */
int lu_pass_form(const struct lu_pass *pass, const struct lu_frozen_unicode *u, struct lu_buf *to,
		struct lu_str *text, struct lu_err *err) LU_CHECKED;
/* The others: appends what a piece of the text, which is in the form, becomes. A failed allocation
 * shows in `to`. */
void lu_pass_run(const struct lu_pass *pass, const struct lu_frozen_unicode *u, bool marked,
		unsigned *state, struct lu_str text, struct lu_buf *to);

#endif
