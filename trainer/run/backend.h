#ifndef LUCIE_TRAINER_RUN_BACKEND_H
#define LUCIE_TRAINER_RUN_BACKEND_H
/*
 * What a program computes with: the table of operations (kernels/lk.h) for the type of the
 * activations.
 *
 * fp32 activations are of type lk_real, and products read the weights themselves. With bf16 they read
 * a copy of the weights in bf16; the weights, their gradients, the moments of AdamW, and all sums
 * within an operation stay lk_real. So a checkpoint is the same for both, and can be continued in
 * either.
 */
#include "kernels/lk.h"
#include "trainer/run/settings.h"

/* Never NULL. */
const struct lk_ops *lt_backend(enum lt_dtype dtype);

/*
 * Rows of logits that the head computes at once, for lt_model_plan: 0 on the CPU, where the vocabulary
 * decides, so that they stay in a cache; 4096 on a GPU, since the gradient of the head's weights is
 * read and written once for each block. A recorded choice: it cuts a sum.
 */
size_t lt_head_rows(const struct lk_ops *ops);

/* "fp32", "bf16"; and back, where anything else, such as the "" of old checkpoints, is fp32. */
const char *lt_dtype_name(enum lt_dtype dtype);
enum lt_dtype lt_dtype_of(const char *name);

#endif
