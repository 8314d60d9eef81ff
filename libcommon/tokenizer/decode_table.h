#ifndef LUCIE_TOKENIZER_DECODE_TABLE_H
#define LUCIE_TOKENIZER_DECODE_TABLE_H
/*
 * Inside the tokenizer: a decoder's chain of steps as one pass over the ids.
 *
 * A decoder works on a list of strings, at first one a token. In the chains of real files each
 * step is of one of these kinds, and then all can be done at once:
 *
 *	early	on each token by itself: Replace, Strip
 *	bytes	ByteFallback joins byte tokens that stand side by side to one string
 *	late	on each string by itself: Replace, Strip, and Metaspace, which does something else
 *		with the first string
 *	start	after Fuse: Strip takes copies of a character off the beginning of the text
 *	after	after Fuse: steps "c s becomes c", with one s and different c: one s behind a c is
 *		left out
 *	or ByteLevel alone: every token is bytes.
 *
 * After Fuse a Replace of one character is late as well: a character lies in one string, so it
 * may be replaced before the strings are joined; where `start` or `after` came before it, it
 * must have nothing to do with their characters. The steps of `after` do not see each other's
 * work: each asks what stands behind its own c, and taking an s from behind one c puts nothing
 * behind another.
 *
 * So what a token becomes is known when the file is loaded, but for the first string and for an
 * s at its beginning. A table holds it, 16 bytes a token. A chain with any other step is run
 * step by step (decode.c); where both can run, the result is the same.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/components.h"

enum {
	LU_SPELL_SHORT = 14, /* bytes of text in the entry itself */
	LU_SPELL_LONG = 255, /* lu_spelling.n: the first four bytes of text index lu_spell.text */
};

enum {
	LU_SPELL_EATEN = 1,    /* begins with s */
	LU_SPELL_AFTER = 2,    /* its last c waits for an s */
	LU_SPELL_EMPTY = 4,    /* no text: a c before it goes on waiting */
	LU_SPELL_BYTES = 8,    /* its text is bytes of a row */
	LU_SPELL_SPECIAL = 16, /* may be asked to be left out */
	LU_SPELL_MISSING = 32, /* the tokenizer has no such id */
};

struct lu_spelling {
	char text[LU_SPELL_SHORT];
	uint8_t n;
	uint8_t flags;
};

struct lu_spell {
	struct lu_spelling *id; /* one more than there are ids */
	struct lu_str *text;	/* of the long ones */
	uint32_t longs;
	const struct lu_dec_op **step; /* the early ones, then the late ones */
	size_t steps, earlies;
	bool bytes, byte_level;
	bool first;    /* a late step does something else with the first string */
	bool in_parts; /* a row of bytes may be handled in parts */
	uint64_t start;
	struct lu_str start_char, gone; /* gone: s */
	struct lu_cset after;		/* the c */
	uint8_t lead[256];		/* first bytes of them */
};

/* A thread's place in a text that is decoded in parts. */
struct lu_spell_state {
	bool begun;	      /* there was a string */
	bool after;	      /* the text so far ends with a c that waits */
	bool first_row;	      /* `row` is the first string */
	uint64_t start;	      /* copies that may still be taken off the beginning */
	struct lu_buf row;    /* bytes that are not handled yet */
	struct lu_buf fixed;  /* them as UTF-8 */
	struct lu_buf one[2]; /* a string between two steps */
};
void lu_spell_state_release(struct lu_spell_state *d);

struct lu_tok;

/* Makes the table of a whole tokenizer; *spell is NULL when its chain has another step. */
int lu_spell_make(struct lu_spell **spell, const struct lu_tok *tok, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;

/* Begins a text; appends the text of n ids, as far as it is certain; appends the rest. The sum
 * of what is appended does not depend on how the ids are divided. */
void lu_spell_begin(const struct lu_spell *sp, struct lu_spell_state *d);
int lu_spell_more(const struct lu_tok *tok, struct lu_spell_state *d, const uint32_t *ids, size_t n,
		unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err) LU_CHECKED;
int lu_spell_end(const struct lu_tok *tok, struct lu_spell_state *d, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err) LU_CHECKED;

#endif
