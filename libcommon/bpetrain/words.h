#ifndef LUCIE_BPETRAIN_WORDS_H
#define LUCIE_BPETRAIN_WORDS_H
/*
 * Word counts of a training text: a hash table of distinct strings, for one thread.
 *
 *	struct lu_words w = { 0 };
 *	w.group = 2;				optional: applies to the words added from now on
 *	lu_words_add(&w, word, 1, &err);
 *	lu_words_flush(&w, &err);		before any use other than adding
 *	struct lu_words_cursor c = LU_WORDS_CURSOR(&w, 0, 0);
 *	while ((rc = lu_words_next(&c, &err)) > 0)
 *		... c.word ...			in ascending order of the hash
 *	lu_words_cursor_release(&c);
 *	lu_words_release(&w);
 *
 * Each group (counts.h: the languages) has its own count of a word. Words of up to 14 bytes are
 * stored in the slot itself, 24 bytes a slot, so that a lookup touches one cache line; longer ones
 * are stored apart. Adding a word prefetches that line and defers the lookup until LU_WORDS_PENDING
 * words are pending, so that many fetches overlap; lu_words_flush() completes them. Slots are in
 * the order of the hash, which is the same on every machine: a table is read in that order without
 * sorting, and two tables are merged by reading both (counts.h).
 *
 * Memory: 34 to 60 bytes a distinct word, plus the bytes of words longer than 14. With `limit` the
 * table calls full() instead of growing beyond it, and full() must empty the table by
 * lu_words_clear(). Only a single word larger than the limit exceeds it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

struct lu_words_slot;

#define LU_WORDS_PENDING 32
#define LU_WORD_GROUPS 4096

struct lu_words {
	struct lu_words_slot *slot;
	size_t slots;		   /* home slots; the overflow area follows */
	size_t n;		   /* distinct pairs of word and group */
	struct LU_VEC(char) bytes; /* of long words */
	uint16_t group;		   /* below LU_WORD_GROUPS */
	uint64_t limit;		   /* bytes; 0: none */
	int (*full)(void *ctx, struct lu_words *w, struct lu_err *err);
	void *ctx;
	/* Short words added and not yet looked up, packed as in a slot. */
	struct {
		uint64_t lo, hi, count, hash;
	} pending[LU_WORDS_PENDING];
	unsigned n_pending;
};

int lu_words_add(
		struct lu_words *w, struct lu_str s, uint64_t count, struct lu_err *err) LU_CHECKED;
int lu_words_flush(struct lu_words *w, struct lu_err *err) LU_CHECKED;
/* Drop the words, keep the memory. */
void lu_words_clear(struct lu_words *w);
void lu_words_release(struct lu_words *w);

/* Hash of any bytes, the same on every machine. */
uint64_t lu_word_hash(struct lu_str s);

struct lu_word {
	uint64_t hash;
	struct lu_str s;
	uint64_t count;
	uint16_t group;
};
/* Order of reading: by hash, length, bytes. The groups of a word are adjacent. */
int lu_word_cmp(const struct lu_word *x, const struct lu_word *y);

struct lu_word_ref;

struct lu_words_cursor {
	const struct lu_words *words;
	uint64_t from, to;   /* hashes with from <= hash < to; to 0: no upper end */
	struct lu_word word; /* its bytes are valid until the next call */

	/* Private. */
	bool started;
	size_t at;			       /* next slot */
	struct LU_VEC(struct lu_word_ref) ref; /* of the current cluster, sorted */
	size_t next;
	char text[16];
};
#define LU_WORDS_CURSOR(w, lo, hi)                     \
	{                                              \
		.words = (w), .from = (lo), .to = (hi) \
	}

/* 1, 0 at the end, or -1. */
int lu_words_next(struct lu_words_cursor *c, struct lu_err *err) LU_CHECKED;
void lu_words_cursor_release(struct lu_words_cursor *c);

#endif
