#ifndef LUCIE_KERNELS_DITHER_H
#define LUCIE_KERNELS_DITHER_H
/*
 * The definitions of low_*() in lk.h: random bits, stochastic rounding, and a weight in two halves.
 * Floats are their bits here, so that the same functions run in C and in CUDA.
 *
 * Random bits are those of splitmix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195), whose
 * n-th number is a function of n: no state, and any element can be drawn by itself.
 */
#include "kernels/lk.h"

#ifdef __CUDACC__
#define LK_BOTH static __host__ __device__ __forceinline__
#else
#define LK_BOTH static inline __attribute__((always_inline, unused))
#endif

#define LK_GOLDEN ((uint64_t)0x9e3779b97f4a7c15u)

LK_BOTH uint64_t lk_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* The stream of a tensor in a step. */
LK_BOTH uint64_t lk_dither_key(const struct lk_dither *d, uint64_t number)
{
	uint64_t key = lk_mix(d->seed + LK_GOLDEN);

	key = lk_mix(key ^ ((uint64_t)d->tensor << 32 | d->draw));
	return lk_mix(key ^ number);
}

/* Number `index` of a stream: 64 random bits. */
LK_BOTH uint64_t lk_dither_bits(uint64_t key, uint64_t index)
{
	return lk_mix(key + (index + 1) * LK_GOLDEN);
}

/* A walk over logical indices: that of element i of a call, then of the next ones. */
struct lk_walk {
	uint64_t index, left; /* left: elements of the local row, this one included */
};

LK_BOTH struct lk_walk lk_walk_from(const struct lk_dither *d, uint64_t i)
{
	const uint64_t j = d->at + i;
	struct lk_walk w = { d->first + j, UINT64_MAX };

	if (d->width != 0) {
		w.index = d->first + j / d->width * d->pitch + j % d->width;
		w.left = d->width - j % d->width;
	}
	return w;
}

LK_BOTH void lk_walk_on(const struct lk_dither *d, struct lk_walk *w)
{
	w->index++;
	if (--w->left == 0) {
		w->index += d->pitch - d->width;
		w->left = d->width;
	}
}

/*
 * The bf16 of a float, rounded up in magnitude if the 16 bits that are cut off exceed those of a random
 * number, of which the low 16 bits count. What bf16 has stays as it is; so do infinity and NaN.
 */
LK_BOTH uint16_t lk_dither_round(uint32_t x, uint64_t random)
{
	const uint32_t up = x + (uint32_t)(random & 0xffff);
	const uint32_t odd = (x & 0x7fffff) != 0 ? x | 0x400000 : x;

	return (uint16_t)(((x & 0x7f800000) == 0x7f800000 ? odd : up) >> 16);
}

/* A weight in two halves. The bits of a NaN are not kept. */
LK_BOTH void lk_low_split(uint32_t x, uint16_t *hi, uint16_t *lo)
{
	const int nan = (x & 0x7fffffff) > 0x7f800000;
	const uint32_t up = x + 0x8000;

	*hi = nan ? 0x7fff : (uint16_t)(up >> 16);
	*lo = nan ? 0 : (uint16_t)(x - (up & 0xffff0000));
}

LK_BOTH uint32_t lk_low_join(uint16_t hi, uint16_t lo)
{
	return ((uint32_t)hi << 16) + (uint32_t)(int32_t)(int16_t)lo;
}

#endif
