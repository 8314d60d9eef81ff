#ifndef LUCIE_ORDER_GOLDFISH_H
#define LUCIE_ORDER_GOLDFISH_H
/*
 * Goldfish loss (Hans et al., "Be like a goldfish, don't memorize!", NeurIPS 2024): a model that is not
 * trained on every token of a passage cannot recite it. Label x[i] is left out of the loss where
 *	f(x[i - 13], ..., x[i - 1]) < 1 / K
 * with a hash f that is uniform in [0, 1): about one label of K, and the same ones wherever and however
 * often the passage occurs. This is the formula of their section 3.1 with its context of 13 tokens.
 * (Their program counts the label as the last of the 13.)
 *
 * The 13 tokens are of the label's own document: labels with fewer before them there always count, so
 * that what surrounds a document changes nothing.
 *
 * f: h = 0; h = h * 0x9e3779b97f4a7c15 + x + 1 mod 2^64 for each x in order; then the 64-bit finaliser
 * of MurmurHash3 (Appleby); h / 2^64. Part of what a run is defined by: it must not change.
 */
#include <stddef.h>
#include <stdint.h>

#define LU_GOLDFISH_CONTEXT 13

/*
 * Clear mask[i] of the tokens that are left out as labels. starts[i] is not 0 where token i is the
 * first of a document; nothing is known of what precedes token 0, so of the tokens before the first
 * start only those behind the 13th can be left out. k is at least 2.
 */
void lu_goldfish(const uint32_t *token, const uint8_t *starts, size_t n, uint64_t k, uint8_t *mask);

#endif
