#ifndef LUCIE_BPETRAIN_WORDS_H
#define LUCIE_BPETRAIN_WORDS_H
/*
 * A count of distinct strings: the words of a training text, in one thread.
 *
 *	struct lu_words w = { 0 };
 *	w.group = 2;				optional: of what is added from now on
 *	lu_words_add(&w, word, 1, &err);
 *	lu_words_flush(&w, &err);		before anything else than adding
 *	struct lu_words_cursor c = LU_WORDS_CURSOR(&w, 0, 0);
 *	while ((rc = lu_words_next(&c, &err)) > 0)
 *		... c.word ...			by rising hash
 *	lu_words_cursor_release(&c);
 *	lu_words_release(&w);
 *
 * A word is counted apart in each group (count.h: the languages). The table keeps words of up to
 * 14 bytes in the slot itself, 24 bytes each, so that finding one again touches one cache line.
 * This line is fetched when the word is added and looked at some words later, so that the fetches
 * of many overlap; that is what lu_words_flush() ends. Longer ones lie in a second place. Slots
 * stand in the order of the hash, which is the same everywhere, so a table is read in order without
 * sorting it, and two tables are added up by reading both (count.h).
 *
 * Memory: 34 to 60 bytes a distinct word, and the bytes of words longer than 14. With `limit`, no
 * growth goes beyond it: full() is called instead, which must empty the table by lu_words_clear();
 * only one word longer than that goes past it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_words_slot;

#define LU_WORDS_AHEAD 32

struct lu_words {
	struct lu_words_slot *slot;
	size_t slots; /* homes; more follow for what is pushed past the last */
	size_t n;     /* distinct words of distinct groups */
	char *bytes;  /* of the long words */
	size_t used, cap;
	uint8_t group;
	uint64_t limit; /* bytes; 0: none */
	int (*full)(void *ctx, struct lu_words *w, struct lu_err *err);
	void *ctx;
	/* Added, but not yet looked up: as in a slot, and the hash. */
	struct {
		uint64_t lo, hi, count, hash;
	} waiting[LU_WORDS_AHEAD];
	unsigned wait;
};

int lu_words_add(
		struct lu_words *w, struct lu_str s, uint64_t count, struct lu_err *err) LU_CHECKED;
int lu_words_flush(struct lu_words *w, struct lu_err *err) LU_CHECKED;
/* Forgets the words, keeps the memory. */
void lu_words_clear(struct lu_words *w);
void lu_words_release(struct lu_words *w);

/* Of any bytes; the same in every build. */
uint64_t lu_words_hash(struct lu_str s);

struct lu_word {
	uint64_t hash;
	struct lu_str s;
	uint64_t count;
	uint8_t group;
};
/* The order of reading: hash, then length, then bytes; groups of a word come one behind the
 * other. */
int lu_word_cmp(const struct lu_word *x, const struct lu_word *y);

struct lu_word_ref;

struct lu_words_cursor {
	const struct lu_words *words;
	uint64_t from, to;   /* hashes from <= h < to; to 0: to the end */
	struct lu_word word; /* its bytes live until the next step */

	bool started;
	size_t at; /* next slot */
	struct lu_word_ref *ref;
	size_t refs, next, cap;
	char text[16];
};
#define LU_WORDS_CURSOR(w, lo, hi)                     \
	{                                              \
		.words = (w), .from = (lo), .to = (hi) \
	}

/* 1, or 0 at the end, or -1. */
int lu_words_next(struct lu_words_cursor *c, struct lu_err *err) LU_CHECKED;
void lu_words_cursor_release(struct lu_words_cursor *c);

#endif
