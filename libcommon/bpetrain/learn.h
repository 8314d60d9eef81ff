#ifndef LUCIE_BPETRAIN_LEARN_H
#define LUCIE_BPETRAIN_LEARN_H
/*
 * The merges of BPE training over symbols: which pair is next, and what a merge changes. Only
 * bpetrain.c calls this; it knows what the pieces are called.
 *
 * Symbols. All distinct words stand one behind the other in `sym`, a slot a character, with a
 * border before each and one at the end. A symbol of k characters keeps its id in the first and the
 * last of its k slots and LU_SYM_INSIDE between, so both neighbours of a symbol are found from the
 * lengths of pieces alone; a merge writes up to four slots and nothing moves, so a long word costs
 * no more than short ones. The border before a word holds the word's count, 30 bits a slot, low
 * bits next to the word: where LU_SYM_MORE is set, the slot to the left has more.
 *
 * Each text is spelt in one way. What stands between two borders of symbols that no merge has
 * crossed yet was merged by itself, in the order of the merges and from left to right; so the same
 * text is everywhere the same symbols at the same time. Therefore a piece of two or more characters
 * is made by one merge alone, and all places of a pair come up in one step, when the later of its
 * parts is made; after that its count only falls. So
 *  - a pair that occurs less than `least` times when it comes up is never merged, and is forgotten;
 *  - a merge whose text is a piece already can only spell a seed, which was in no word before;
 *  - the case in which Hugging Face's trainer has two entries of one pair in its queue, and records
 *    the pair twice, cannot arise (it can with a prefix or a suffix, which we do not have).
 *
 * Pairs. The count of a pair is exact at any time. Where it occurs is known only for pairs that are
 * frequent enough to be merged soon, those in the queue: counts of at least `floor`. When no such
 * pair is left, floor falls to a part of the largest count, and one pass over the symbols finds the
 * places of the pairs that it brings in. Most pairs never get there, so places take a tenth of what
 * all of them would.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

#define LU_SYM_BORDER UINT32_C(0x80000000)
#define LU_SYM_MORE UINT32_C(0x40000000)
#define LU_SYM_BITS 30
#define LU_SYM_INSIDE UINT32_C(0x7fffffff)
/* Ids are below this. */
#define LU_SYM_IDS (UINT32_C(1) << 28)

/* A word so long that its count is not looked for at its border. */
#define LU_LONG_WORD 48
struct lu_long_word {
	uint32_t from, to;
	uint64_t count;
};

struct lu_bpe_pair {
	uint32_t left, right;
};

struct lu_learn {
	uint32_t *sym;
	size_t n;
	const struct lu_long_word *long_word; /* ascending */
	size_t long_words;
	uint32_t ids;	       /* ids in use: pieces so far */
	uint32_t max_ids;      /* where training ends; piece() may then have been called for all */
	const uint32_t *chars; /* by id, of max_ids entries */
	uint32_t max_chars;    /* bpetrain.h */
	uint64_t least;	       /* smallest count of a merge, at least 1 */
	uint64_t memory;       /* bytes for pairs and places; 0: any */
	/* Asked for each merge: the id of a with b. 1; 0: this pair is never merged; -1. A new
	 * piece gets the id `ids`, which then grows by one, and its length in `chars`. */
	int (*piece)(void *ctx, uint32_t a, uint32_t b, uint32_t *id, struct lu_err *err);
	void *ctx;

	/* Out: by rank; malloc'd, the caller frees it. */
	struct lu_bpe_pair *merge;
	uint32_t merges;
};

int lu_learn_run(struct lu_learn *m, struct lu_err *err) LU_CHECKED;

#endif
