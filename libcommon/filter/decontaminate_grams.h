#ifndef LUCIE_FILTER_DECONTAMINATE_GRAMS_H
#define LUCIE_FILTER_DECONTAMINATE_GRAMS_H
/*
 * Hashes of n-grams of words, for decontaminate*.c only: a polynomial over the hashes of the words,
 * which rolls from one n-gram to the next, and a finaliser, since tables and filter take low bits.
 */
#include "libcommon/filter/decontaminate.h"
#include "libcommon/hash/hash.h"

/* 2^64 divided by the golden ratio, made odd. */
#define LU_GRAM_BASE UINT64_C(0x9E3779B97F4A7C15)

/* fmix64 of MurmurHash3, with the length, so that lengths do not mix. */
static inline uint64_t lu_gram_hash(uint64_t sum, size_t words)
{
	uint64_t h = sum + words;

	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

/* The window over n words: hash of the word that enters, and of the one that leaves. */
struct lu_gram_window {
	uint64_t sum, power; /* power: LU_GRAM_BASE to the n */
};

static inline struct lu_gram_window lu_gram_window(size_t n)
{
	struct lu_gram_window w = { 0, 1 };

	while (n--)
		w.power *= LU_GRAM_BASE;
	return w;
}

static inline void lu_gram_roll(struct lu_gram_window *w, uint64_t enters, uint64_t leaves)
{
	w->sum = w->sum * LU_GRAM_BASE + enters - leaves * w->power;
}

static inline uint64_t lu_gram_word(const struct lu_folded_words *words, size_t i)
{
	struct lu_str s = lu_folded_run(words, i, 1);

	return lu_hash64(s.p, s.n, 0);
}

/* The n-gram with this hash, length and words, or LU_MAP_NONE. */
struct lu_gram_key {
	struct lu_str text;
	size_t words;
};
uint32_t lu_gram_find(
		const struct lu_decontaminate *d, uint64_t hash, const struct lu_gram_key *key);

#endif
