#ifndef LUCIE_TOKENIZER_NORMALIZER_PASS_H
#define LUCIE_TOKENIZER_NORMALIZER_PASS_H
/*
 * A normalizer's chain of steps as one pass over the text.
 *
 * The chains of published files are: a normal form first; then steps that replace a character by a
 * fixed string whatever its context; at most one Insert step ("after one of these, before one of
 * those, insert s"); at most one Prepend step. Such a chain is an automaton with three states (at
 * the start; after a character that may require an insertion; elsewhere) that maps each character
 * to a short string. For ASCII a transition is one table cell. Other chains run step by step
 * (normalizer.c), with the same result.
 *
 * The mark byte. Files that write the space as U+2581 turn each space into three bytes. Inside the
 * encoder it is the single byte LU_MARK_BYTE, which no UTF-8 contains: the text is shorter, and
 * English consists of one-byte units only. U+2581 spelled in three bytes means the same.
 *
 *	lu_normalizer_pass_build(&pass, &components, u, &arena, &err);	once; read-only then
 *	unsigned state = LU_NORMALIZER_START;				per text
 *	lu_normalizer_pass_form(&pass, u, &buf, &piece, &err);		its pieces in order, split
 *	lu_normalizer_pass_run(&pass, u, true, &state, piece, &out);	before plain characters
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/components.h"

#define LU_MARK_BYTE 0xFF
#define LU_MARK_CHAR 0x2581

/* The states, and the other values of lu_normalizer_pass.next[]. */
enum {
	LU_NORMALIZER_INSIDE,
	LU_NORMALIZER_PENDING, /* after a character that may require an insertion */
	LU_NORMALIZER_START,
	LU_NORMALIZER_STATES,
	LU_NORMALIZER_DELETED = LU_NORMALIZER_STATES, /* the state does not change */
	LU_NORMALIZER_EXCEPTION,		      /* lead byte of some exception */
	LU_NORMALIZER_MULTIBYTE,		      /* other bytes from 128 on */
};

/* Output for an ASCII character in one state, including what is inserted or prepended before it. */
struct lu_normalizer_cell {
	char out[7];
	uint8_t n;
};

/* A string in plain UTF-8, and with LU_MARK_BYTE for U+2581. */
struct lu_normalizer_string {
	struct lu_str plain, marked;
};

/* A character from 128 on that some step names. */
struct lu_normalizer_exception {
	uint32_t c;
	bool insert_after;  /* is in the Insert step's set `after` */
	bool insert_before; /* is in its look-ahead */
	bool deleted;
	struct lu_normalizer_string mapping;
};

struct lu_normalizer_pass {
	bool ok;       /* false: the chain is of another kind, and nothing below is set */
	bool identity; /* no step but the normal form */
	int form;      /* enum lu_normal_form, or -1 */
	struct lu_char_set lookahead;	      /* look-ahead of the Insert step */
	struct lu_normalizer_string inserted; /* by the Insert step */
	struct lu_normalizer_string prefix;   /* from the Prepend step */
	struct lu_normalizer_cell cell[2][LU_NORMALIZER_STATES][128]; /* [1]: with LU_MARK_BYTE */
	uint8_t next[256]; /* by first byte: next state or another value of the enum above */
	struct lu_normalizer_exception *exception; /* few */
	size_t exceptions;
};

int lu_normalizer_pass_build(struct lu_normalizer_pass *pass,
		const struct lu_components *components, const struct lu_frozen_unicode *u,
		struct lu_arena *arena, struct lu_err *err) LU_CHECKED;

/* Bring *text into the chain's normal form: leave it if it is already, else make it a slice of
 * `to`. */
int lu_normalizer_pass_form(const struct lu_normalizer_pass *pass,
		const struct lu_frozen_unicode *u, struct lu_buf *to, struct lu_str *text,
		struct lu_err *err) LU_CHECKED;

/* Append the result of the other steps on a piece of text in normal form. `marked` chooses
 * LU_MARK_BYTE. A failed allocation shows in `to`. */
void lu_normalizer_pass_run(const struct lu_normalizer_pass *pass,
		const struct lu_frozen_unicode *u, bool marked, unsigned *state, struct lu_str text,
		struct lu_buf *to);

#endif
