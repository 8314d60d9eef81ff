#ifndef LUCIE_TRAINER_PARALLEL_SLICES_H
#define LUCIE_TRAINER_PARALLEL_SLICES_H
/*
 * Slices of a bucket: which data-parallel rank owns which elements when the optimizer is sharded
 * (ZeRO-1; Rajbhandari et al., "ZeRO: memory optimizations toward training trillion parameter
 * models", SC 2020).
 *
 * A bucket is a run of tensors without gaps, such as those of one layer. It is cut into one
 * contiguous slice a rank, for lt_reduce_scatter() and lt_all_gather(), where every cut lies a
 * multiple of `chunk` elements behind the start of a tensor: with chunk = LK_NORM_CHUNK the sums of
 * squares over chunks of each tensor (lk_ops.sqnorm) have the same bits for any number of slices.
 */
#include <stddef.h>

#include "libcommon/base/err.h"

/*
 * Cut n tensors of count[k] elements (the local ones of this rank) into d slices: slice i has the
 * elements bound[i] .. bound[i + 1] - 1, counted from the start of the bucket; bound[0 .. d]. Each
 * bound is the permitted cut nearest to an even split, so a slice has total / d elements give or
 * take `chunk`; it is empty where there are fewer chunks than slices. d and chunk are at least 1.
 * The only error is a total that is out of range.
 */
int lt_slices_cut(const size_t *count, size_t n, size_t chunk, size_t d, size_t *bound,
		struct lu_err *err) LU_CHECKED;

#endif
