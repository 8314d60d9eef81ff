#ifndef LUCIE_TRAINER_MODEL_LOW_MEMORY_H
#define LUCIE_TRAINER_MODEL_LOW_MEMORY_H
/*
 * The weights in 10 bytes a parameter (lk_ops.low_*, lt_holding.low): the bf16 that products read, and
 * the 16 bits that it lacks of the fp32 weight, so that nothing is lost of it; m, v and a lane of the
 * gradient in bf16 with stochastic rounding. A backward pass leaves the gradients of a bucket in
 * fp32, in `scratch`, from where they are added to the lane. What is read and written as fp32, for
 * checkpoints, goes by way of `scratch` or of memory that is taken for a moment.
 *
 * Random bits are a function of the seed, the number of the step, the parameter, the element, and the
 * micro-batch, so results are the same in every layout in which those of fp32 are.
 *
 * The caller has the queue's message after a failure.
 */
#include "trainer/model/weights.h"

/* p, m or v of n owned elements of a parameter as lk_real, in `scratch`. NULL on failure. */
const lk_real *lt_low_join(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n);
/* p of n owned elements, and what products read of them, from x in device memory. */
int lt_low_split(struct lt_weights *w, size_t offset, const lk_real *x, size_t n);
/* m or v, rounded to the nearest. */
int lt_low_put(struct lt_weights *w, enum lt_vector which, size_t offset, const lk_real *x,
		size_t n);

/* Add the gradients of a bucket to a lane, or overwrite it. micro: number of the micro-batch in the step,
 * over all ranks. */
int lt_low_keep(struct lt_weights *w, size_t bucket, size_t lane, uint64_t micro, bool add);
/* Update owned elements at .. at + n - 1 of the local vector, of one parameter; if it is a norm, its
 * weights in `norm` too. */
int lt_low_update(struct lt_weights *w, size_t param, size_t at, size_t n,
		const struct lk_adamw *adam);

/* Where a backward pass puts the gradients of a bucket: the element with offset i of the local vector
 * at [i], if it belongs to the bucket. */
static inline lk_real *lt_weights_gradient(const struct lt_weights *w, size_t lane, size_t bucket)
{
	if (!w->holding.low)
		return w->grad + lane * w->table.total;
	return (lk_real *)((uintptr_t)w->scratch -
			w->table.bucket[bucket].offset * sizeof(lk_real));
}

/* An element of a lane. */
static inline void *lt_weights_lane(const struct lt_weights *w, size_t lane, size_t offset)
{
	size_t i = lane * w->table.total + offset;

	return w->holding.low ? (void *)(w->half_grad + i) : (void *)(w->grad + i);
}

#endif
