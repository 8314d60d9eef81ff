#ifndef LUCIE_KERNELS_CUDA_ATTENTION_CUDNN_H
#define LUCIE_KERNELS_CUDA_ATTENTION_CUDNN_H
/*
 * cuDNN's attention, for the shapes that it has: bf16, one document a sequence, the last query at the
 * last key, results overwritten, rows and buffers aligned to 16 bytes. attention_cudnn.cc is built where cuDNN's headers and those of its
 * front end are, no_cudnn.c elsewhere; the library is loaded when it is first wanted. Which attention
 * a queue uses is decided in attention_choice.c.
 *
 * O and lse mean the same as in attention.cu, so a backward pass by one after a forward pass by the
 * other is right.
 *
 * Repeatable: cuDNN's backward pass adds up dQ in the order in which blocks finish unless it is asked
 * not to. Before version 9.25 it then keeps the gradient of all scores, 2 batch heads tq tk bytes:
 * 1.07 GB for 32 heads and 4,096 tokens. Above LK_CUDNN_SPACE the shape is left to our own kernel.
 */
#include "kernels/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LK_CUDNN_SPACE ((size_t)2 << 30) /* bytes of work space */

/* Load the library and open it for the queue's device, once; -1 with the reason as the message. */
int lk_cudnn_open(struct lk_queue *q);
void lk_cudnn_close(struct lk_queue *q);

/* 1: done, or measured; 0: not for this shape, nothing was done; -1: failed. After lk_cudnn_open(). */
int lk_cudnn_attention(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *Q, const lk_act *K, const lk_act *V);
int lk_cudnn_attention_back(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
		lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
		const lk_act *K, const lk_act *V);

/* The plans so far, as lk_cuda_choices() writes them. */
size_t lk_cudnn_choices(const struct lk_queue *q, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
