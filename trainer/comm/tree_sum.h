#ifndef LUCIE_TRAINER_COMM_TREE_SUM_H
#define LUCIE_TRAINER_COMM_TREE_SUM_H
/*
 * Sums over the members of a group, by the one binary tree that comm.h describes.
 */
#include <stddef.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

enum lt_sum_type { LT_SUM_F32, LT_SUM_F64, LT_SUM_BF16, LT_SUM_BYTES };

/* out[n] = sum of member[0..k-1][n]. out may be one of the members; all of these are left undefined
 * otherwise. BF16 rounds each addition to nearest even; bytes are added modulo 256. */
void lt_tree_sum(void *out, char *const *member, size_t k, size_t n, enum lt_sum_type type);
size_t lt_sum_size(enum lt_sum_type type); /* bytes of an element */

#endif
