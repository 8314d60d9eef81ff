#ifndef LUCIE_BPETRAIN_BPETRAIN_H
#define LUCIE_BPETRAIN_BPETRAIN_H
/*
 * Learns the pieces and merges of a BPE tokenizer from counted words (Sennrich, Haddow, Birch,
 * "Neural machine translation of rare words with subword units", ACL 2016).
 *
 *	struct lu_bpe_train tr = { .vocab_size = 32000, ... };
 *	struct lu_bpe_trained out = { 0 };
 *	lu_bpe_train(&tr, &count, &out, &err);
 *	... out.piece[0..pieces), out.pair[0..merges) ...
 *	lu_bpe_trained_release(&out);
 *
 * The pieces and merges are those of Hugging Face's BpeTrainer (tokenizers 0.23) for the same
 * words and settings:
 *  - ids go to the seeds in order, then to the alphabet by code point, then to the merges;
 *  - the next merge is the pair with the largest count (the sum over words of the word's count
 *    times its occurrences, overlaps included); of equal ones the smaller left id, then the
 *    smaller right id;
 *  - a word is merged from left to right;
 *  - training ends at vocab_size pieces, or when no pair occurs min_frequency times;
 *  - a pair that max_chars rules out is never counted; two characters of the alphabet always are;
 *  - a character outside the alphabet is skipped, and its neighbours meet;
 *  - a merge whose text is a seed takes the seed's id, so the vocabulary does not grow (that of
 *    another merge it cannot be: learn.h).
 * Different: the vocabulary is never larger than vocab_size (characters that do not fit are left
 * out, rarest first); counts have 64 bits where Hugging Face's wrap at 2^31; and a character
 * dropped by limit_alphabet for having the same count as one that stays is the one with the larger
 * code point, where Hugging Face picks by chance.
 *
 * The result is a function of the counts: the order of the words does not matter.
 * Time is linear in the distinct words' length times the depth of merges; memory is about
 * 7 bytes for each character of a distinct word, besides the counts.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/bpetrain/counts.h"
#include "libcommon/bpetrain/learn.h"

struct lu_bpe_train {
	uint32_t vocab_size;
	uint64_t min_frequency;	 /* 0 is 1 */
	uint32_t limit_alphabet; /* most characters to keep; 0: all */
	/* A pair of which either part was merged is counted only when its length in characters is
	 * below this (Hugging Face's max_token_length, so that the longest piece has max_chars - 1
	 * characters, or 2); 0: any length. */
	uint32_t max_chars;
	bool byte_level; /* words are bytes; their alphabet is GPT-2's, whole */
	/* A pair that would spell a seed is never merged, so that no text becomes a special token.
	 * Not Hugging Face's rule. */
	bool seeds_apart;
	const uint32_t *initial; /* characters in the alphabet before all others, in the text or not */
	size_t initials;
	const struct lu_str *seed; /* pieces that come first */
	size_t seeds;
	/* May a merge make this piece? 1 yes, 0 never, -1 with *err set. NULL: it may. Not Hugging
	 * Face's rule either. */
	int (*keep)(void *keep_ctx, struct lu_str piece, struct lu_err *err);
	void *keep_ctx;
	void (*tick)(void *ctx, uint32_t pieces); /* progress; may be NULL */
	void *ctx;
};

struct lu_bpe_trained {
	struct lu_arena arena;
	struct lu_str *piece; /* by id */
	uint32_t pieces;
	struct lu_bpe_pair *pair; /* by rank */
	uint32_t merges;
	uint32_t alphabet; /* characters kept */
	uint32_t tied;	   /* characters not kept that are as frequent as the last one kept */
	uint64_t chars, chars_kept; /* of the words, with repetition: the coverage */
	bool squeezed; /* not all characters asked for fit vocab_size: the rarest gave way */
};

/* Uses the counts up. */
int lu_bpe_train(const struct lu_bpe_train *tr, struct lu_tokcount *count,
		struct lu_bpe_trained *out, struct lu_err *err) LU_CHECKED;
void lu_bpe_trained_release(struct lu_bpe_trained *out);

#endif
