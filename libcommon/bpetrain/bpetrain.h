#ifndef LUCIE_BPETRAIN_BPETRAIN_H
#define LUCIE_BPETRAIN_BPETRAIN_H
/*
 * Training of a BPE vocabulary from word counts (Sennrich, Haddow, Birch, "Neural machine
 * translation of rare words with subword units", ACL 2016).
 *
 *	struct lu_bpe_train options = { .vocab_size = 32000, ... };
 *	struct lu_bpe_trained out;
 *	lu_bpe_train(&options, &counts, &out, &err);
 *	... out.piece[0..pieces), out.merge[0..merges) ...
 *	lu_bpe_trained_release(&out);
 *
 * The pieces and merges are those of Hugging Face's BpeTrainer (tokenizers 0.23) for the same words
 * and settings:
 *  - ids go to the seeds in order, then to the alphabet by code point, then to the merges;
 *  - the next merge is the pair with the largest count (the sum over words of the word's count
 *    times its occurrences of the pair, overlaps included); ties go to the smaller left id, then
 *    to the smaller right id;
 *  - a word is merged from left to right;
 *  - training ends at vocab_size pieces, or when no pair occurs min_frequency times;
 *  - a pair that max_chars rules out is never counted; two characters of the alphabet always are;
 *  - a character outside the alphabet is skipped, and its neighbours become adjacent;
 *  - a merge that spells a seed takes the seed's id, so the vocabulary does not grow (it cannot
 *    spell the piece of another merge: learn.h).
 * Three things differ. The vocabulary is never larger than vocab_size: characters that do not fit
 * are left out, rarest first. Counts have 64 bits; Hugging Face's wrap at 2^31. Among characters
 * with equal counts at the edge of limit_alphabet the smaller code points stay; Hugging Face picks
 * at random.
 *
 * The result is a function of the counts: the order of the words does not matter. Time is linear in
 * the length of the distinct words times the depth of merges; memory is about 7 bytes a character
 * of the distinct words, besides the counts.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/bpetrain/counts.h"
#include "libcommon/bpetrain/learn.h"

struct lu_bpe_train {
	uint32_t vocab_size;
	uint64_t min_frequency;	 /* 0 means 1 */
	uint32_t limit_alphabet; /* most characters to keep; 0: all */
	/* Hugging Face's max_token_length: a pair with a merged part is counted only if its length
	 * in characters is below this, so the longest piece has max_chars - 1 characters, but at
	 * least 2. 0: no limit. */
	uint32_t max_chars;
	bool byte_level; /* words are bytes; the alphabet is GPT-2's 256 characters */
	/* Never merge a pair that would spell a seed, so that no text becomes a special token. Not
	 * in Hugging Face's trainer. */
	bool protect_seeds;
	/* Characters that precede all others in the alphabet, whether or not the text has them. */
	const uint32_t *initial_alphabet;
	size_t initial_chars;
	const struct lu_str *seed; /* pieces with the first ids */
	size_t seeds;
	/* Whether a merge may make this piece: 1, 0, or -1 with *err set. NULL: always. Not in
	 * Hugging Face's trainer. */
	int (*accept)(void *accept_ctx, struct lu_str piece, struct lu_err *err);
	void *accept_ctx;
	void (*progress)(void *ctx, uint32_t pieces); /* may be NULL */
	void *ctx;
};

struct lu_bpe_trained {
	struct lu_arena arena;
	struct lu_str *piece; /* by id */
	uint32_t pieces;
	struct lu_bpe_pair *merge; /* by rank */
	uint32_t merges;
	uint32_t alphabet; /* characters kept */
	uint32_t tied;	   /* characters dropped that are as frequent as the last one kept */
	uint64_t chars, chars_kept; /* characters of the text, and those with a piece */
	bool truncated;		    /* vocab_size left no room for the rarest characters */
};

/* Consumes the counts. */
int lu_bpe_train(const struct lu_bpe_train *options, struct lu_word_counts *counts,
		struct lu_bpe_trained *out, struct lu_err *err) LU_CHECKED;
void lu_bpe_trained_release(struct lu_bpe_trained *out);

#endif
