#ifndef LUCIE_TOKENIZER_DECODE_TABLE_H
#define LUCIE_TOKENIZER_DECODE_TABLE_H
/*
 * A decoder's chain of steps as one pass over the ids.
 *
 * A decoder works on a list of strings, initially one per token. In the chains of published files
 * each step is of one of these kinds, and all of them can be applied at once:
 *
 *	early	on each token: Replace, Strip
 *	bytes	ByteFallback joins adjacent byte tokens to one string
 *	late	on each string: Replace, Strip, and Metaspace, which treats the first string
 *		differently
 *	strip	after Fuse: Strip removes copies of a character at the beginning of the text
 *	drop	after Fuse: steps "c s becomes c" with one s and different c: one s after a c is
 *		dropped
 *	or ByteLevel alone: every token is bytes.
 *
 * After Fuse, a Replace of a single character is late as well: a character lies in one string, so
 * it can be replaced before the strings are joined. If a strip or drop step came before it, it must
 * not involve their characters. Drop steps do not see each other's effect: each looks after its own
 * c, and dropping an s after one c moves nothing behind another.
 *
 * So the text of a token is known at load time, except for the first string and for an s at its
 * beginning. A table holds it, 16 bytes per token. A chain with any other step runs step by step
 * (decode.c); where both can run, the results are equal.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/components.h"

enum {
	LU_DECODE_SHORT = 14, /* bytes of text in the entry itself */
	LU_DECODE_LONG =
			255, /* n of longer texts: the first four bytes of `text` index long_text */
};

/* Flags of an entry. c and s are the characters of the drop steps. */
enum {
	LU_DECODE_STARTS_WITH_S = 1,
	LU_DECODE_ENDS_WITH_C = 2,
	LU_DECODE_EMPTY = 4, /* no text: a c before it still awaits its s */
	LU_DECODE_BYTES = 8, /* text is bytes of a byte run */
	LU_DECODE_SPECIAL = 16,
	LU_DECODE_MISSING = 32, /* no such id */
};

struct lu_decode_entry {
	char text[LU_DECODE_SHORT];
	uint8_t n;
	uint8_t flags;
};

struct lu_decode_table {
	struct lu_decode_entry *entry; /* by id, and one more */
	struct lu_str *long_text;
	uint32_t long_texts;
	const struct lu_decode_step **step; /* the early ones, then the late ones */
	size_t steps, early_steps;
	bool bytes, byte_level;
	bool first;	 /* a late step treats the first string differently */
	bool split_runs; /* byte runs can be decoded in parts */
	uint64_t strip_count;
	struct lu_str strip_char;
	struct lu_str drop_char;       /* s */
	struct lu_char_set drop_after; /* the c */
	uint8_t drop_lead[256];	       /* non-zero for their first bytes */
};

/* A thread's position in a text that is decoded in parts. */
struct lu_decode_state {
	bool begun;		  /* there was a string */
	bool after_c;		  /* the text so far ends with a c that awaits its s */
	bool first_run;		  /* `run` is the first string */
	uint64_t strip;		  /* copies of strip_char that may still be removed */
	struct lu_buf run;	  /* bytes not decoded yet */
	struct lu_buf repaired;	  /* run as valid UTF-8 */
	struct lu_buf scratch[2]; /* a string between two steps */
};
void lu_decode_state_release(struct lu_decode_state *d);

struct lu_tok;

/* Build the table of a tokenizer, complete but for its table. *table is NULL when the chain has
 * another step. */
int lu_decode_table_build(struct lu_decode_table **table, const struct lu_tok *tok,
		struct lu_arena *arena, struct lu_err *err) LU_CHECKED;

/* Begin a text; append the text of n ids, as far as it is certain; append the rest. The whole text
 * does not depend on how the ids are divided. */
void lu_decode_table_begin(const struct lu_decode_table *table, struct lu_decode_state *d);
int lu_decode_table_more(const struct lu_tok *tok, struct lu_decode_state *d, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err) LU_CHECKED;
int lu_decode_table_end(const struct lu_tok *tok, struct lu_decode_state *d, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err) LU_CHECKED;

#endif
