#ifndef LUCIE_KERNELS_CUDA_RESERVE_H
#define LUCIE_KERNELS_CUDA_RESERVE_H
/*
 * Parts of one range of bytes, handed out and taken back: the list behind reserve(). It knows offsets
 * only and touches none of the memory. A part is taken from the first hole that is large enough;
 * holes that meet become one. A model takes some hundred parts, so a list that is walked will do.
 *
 *	lk_reserve_init(&a, bytes)
 *	offset = lk_reserve_take(&a, size)	LK_RESERVE_NONE: no hole is large enough
 *	lk_reserve_give(&a, offset)		-1: no part begins there
 *	lk_reserve_release(&a)
 *
 * Offsets and sizes are multiples of LK_RESERVE_ALIGN: a size is rounded up, 0 takes one unit.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LK_RESERVE_ALIGN ((uint64_t)256)
#define LK_RESERVE_NONE UINT64_MAX

struct lk_reserve_part {
	uint64_t at, bytes;
	int used;
};

struct lk_reserve {
	struct lk_reserve_part *part; /* in the order of `at`; together they are the whole range */
	size_t n, room;
	uint64_t bytes, taken;
};

/* Returns -1 without memory for the list. */
int lk_reserve_init(struct lk_reserve *a, uint64_t bytes);
void lk_reserve_release(struct lk_reserve *a);
uint64_t lk_reserve_take(struct lk_reserve *a, uint64_t bytes);
int lk_reserve_give(struct lk_reserve *a, uint64_t at);
/* Size of the largest hole. */
uint64_t lk_reserve_largest(const struct lk_reserve *a);

#ifdef __cplusplus
}
#endif
#endif
