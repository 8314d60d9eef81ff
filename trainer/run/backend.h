#ifndef LUCIE_TRAINER_RUN_BACKEND_H
#define LUCIE_TRAINER_RUN_BACKEND_H
/*
 * What a program computes with: the table of operations (kernels/lk.h) of the CPU or of GPUs, for the
 * type of the activations. Nothing else in the trainer knows which it is.
 *
 *	struct lt_backend b;
 *	lt_backend_choose(&b, settings.train.device, settings.train.dtype, &err)
 *	lt_backend_place(&b, comm, &device, &err)	which GPU is this rank's
 *	b.ops->open(&q, device, &kerr)
 *
 * With `auto` it is a GPU if the build has CUDA and one is there, otherwise the CPU; the type of the
 * activations is bf16 on GPUs and fp32 on the CPU.
 *
 * fp32 activations are of type lk_real, and products read the weights themselves. With bf16 they read
 * a copy of the weights in bf16; the weights, their gradients, the moments of AdamW, and all sums
 * within an operation stay lk_real. So a checkpoint is the same for both, and can be continued in
 * either, and on either.
 */
#include "kernels/lk.h"
#include "trainer/comm/comm.h"
#include "trainer/run/settings.h"

struct lt_backend {
	const struct lk_ops *ops;
	enum lt_dtype dtype;
	bool gpu;
	char why_not[256]; /* `auto`: why it is no GPU, "" if the build has none */
};

/* An error if settings cannot be had on it. */
int lt_backend_check(const struct lt_backend *b, const struct lt_settings *s,
		struct lu_err *err) LU_CHECKED;

int lt_backend_choose(struct lt_backend *b, enum lt_device device, enum lt_dtype dtype,
		struct lu_err *err) LU_CHECKED;

/*
 * The number of this rank's GPU, by its place among the ranks of the host; 0 on the CPU. Collective.
 * An error if ranks of a host have the same GPU, or ranks compute with different devices.
 */
int lt_backend_place(const struct lt_backend *b, struct lt_comm *comm, int *device,
		struct lu_err *err) LU_CHECKED;

/* Operations a second that so many GPUs like this one can do in the type of the activations, by the data
 * sheet; 0: not known. */
double lt_backend_peak(const struct lt_backend *b, int device, size_t ranks);

/* Rows of logits at once: 0, chosen by the vocabulary, on the CPU; on GPUs as many as keep the traffic of
 * the head's weight gradient, which is read and written for each block of rows, small beside the
 * products. */
#define LT_GPU_HEAD_ROWS 4096
size_t lt_backend_head_rows(const struct lk_ops *ops);

/* The level of equality that a setting stands for. */
enum lt_equality lt_backend_equality(const struct lt_backend *b, enum lt_equality set);
/* "layout", "run", "fast". */
const char *lt_equality_name(enum lt_equality level);

/* "fp32", "bf16"; and back, where anything else, such as the "" of old checkpoints, is fp32. */
const char *lt_dtype_name(enum lt_dtype dtype);
enum lt_dtype lt_dtype_of(const char *name);
/* "standard", "low". */
const char *lt_memory_name(enum lt_memory_mode memory);

#endif
