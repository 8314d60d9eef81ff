#ifndef LUCIE_BPETRAIN_LEARN_H
#define LUCIE_BPETRAIN_LEARN_H
/*
 * The merge loop of BPE training over symbols: which pair is merged next, and which counts a merge
 * changes. Only bpetrain.c uses this; it knows the pieces that the ids stand for.
 *
 * Symbols. All distinct words lie end to end in `sym`, one slot a character, with a boundary before
 * each and one at the end. A symbol of k characters has its id in the first and the last of its k
 * slots and LU_SYM_INSIDE between, so that both neighbours of a symbol are found by the lengths of
 * pieces alone. A merge writes at most four slots and moves nothing, so a long word costs no more
 * than short ones. The boundary before a word holds the word's count, 30 bits a slot, low bits next
 * to the word; LU_SYM_MORE says that the slot to the left has more bits.
 *
 * Uniqueness. A text has one spelling at a time. Between two symbol boundaries that no merge has
 * crossed yet, merging went on independently, in the order of the merges and from left to right, so
 * equal texts are equal symbols everywhere. Hence a piece of two or more characters is made by one
 * merge only, and all occurrences of a pair appear in one step, the one that makes the later of its
 * two parts; after that its count only falls. Therefore
 *  - a pair that occurs less than `least` times when it appears is never merged, and is dropped;
 *  - a merge whose text is a piece already can only spell a seed, which was in no word before;
 *  - the case in which Hugging Face's trainer queues one pair twice, and records it twice, cannot
 *    arise (it can with a prefix or a suffix of words, which we do not have).
 *
 * Pairs. The count of a pair is always exact. Its positions are known only if it is a candidate: if
 * its count is at least the threshold. When no candidate is left, the threshold falls to a fraction
 * of the largest count, and one pass over the symbols collects the positions of the new candidates.
 * Most pairs never become candidates, so this takes a tenth of the memory that the positions of all
 * pairs would.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

#define LU_SYM_BOUNDARY UINT32_C(0x80000000) /* the bit of a boundary slot */
#define LU_SYM_MORE UINT32_C(0x40000000)
#define LU_SYM_BITS 30
#define LU_SYM_INSIDE UINT32_C(0x7fffffff)
#define LU_SYM_MAX_IDS (UINT32_C(1) << 28)

/* The count of a word of more than LU_LONG_WORD symbols is looked up here, since its boundary may
 * be far from an occurrence. */
#define LU_LONG_WORD 48
struct lu_long_word {
	uint64_t from, to; /* slots */
	uint64_t count;
};

struct lu_bpe_pair {
	uint32_t left, right;
};

struct lu_bpe_learner {
	uint32_t *sym;
	size_t n;
	const struct lu_long_word *long_word; /* ascending */
	size_t long_words;
	uint32_t ids;	       /* in use: pieces so far */
	uint32_t max_ids;      /* training ends at this number */
	const uint32_t *chars; /* length of a piece, by id; max_ids entries */
	uint32_t max_chars;    /* bpetrain.h */
	uint64_t least;	       /* smallest count of a merge, at least 1 */
	uint64_t memory;       /* limit in bytes for symbols, pairs and positions; 0: none */
	/* Called for each merge: stores the id of the pair's piece and returns 1; 0 if the pair
	 * must never be merged; -1. A new piece gets the id `ids`, which the callback then
	 * increments, and its length in `chars`. */
	int (*piece)(void *ctx, uint32_t left, uint32_t right, uint32_t *id, struct lu_err *err);
	void *ctx;

	/* Out: by rank; malloc'd, the caller frees it. */
	struct lu_bpe_pair *merge;
	uint32_t merges;
};

int lu_bpe_learn(struct lu_bpe_learner *m, struct lu_err *err) LU_CHECKED;

#endif
