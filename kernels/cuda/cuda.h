#ifndef LUCIE_KERNELS_CUDA_CUDA_H
#define LUCIE_KERNELS_CUDA_CUDA_H
/*
 * Internals of the CUDA backend.
 *
 * One file an operation, named as its twin in kernels/cpu/: a kernel, and the function of the table
 * that checks its arguments, sizes the grid and launches. queue.cu has queues and events, memory.cu
 * memory, reserve.c the list of its parts, table.cu the two tables, of float and of bf16. gemm_lt.c calls
 * cuBLASLt, attention_cudnn.cc cuDNN; attention.cu and attention_back.cu are ours. access.h: accesses
 * of 16 bytes and conversions, reduce.h: sums over a warp and a block by a fixed tree, ptx.h: the
 * instructions that C++ has no name for (mma, ldmatrix, cp.async), and nowhere else.
 *
 * A KERNEL
 * reads nothing back to the host, takes no 32-bit index over elements, uses no atomic addition of
 * floating-point numbers, and gives the same bits on every call. Launches and shared memory go
 * through the macros below, so that the same source compiles against tests/kernels/emu, where
 * it runs on the CPU.
 *	LK_LAUNCH(k, grid, block, shared, q, args...)	launch in the queue's stream; k is the name of
 *							a kernel or a pointer to it; `shared` bytes of
 *							dynamic shared memory
 *	LK_SHARED(type, name, count)			type name[count] in shared memory, in a kernel's
 *							outermost block
 *	LK_SHARED_DYNAMIC(type, name)			type *name, the dynamic part, aligned to 128
 * After a launch: return lk_cuda_launched(q, "rmsnorm").
 *
 * AN OPERATION of the table begins with its checks and lk_cuda_begin(), as on the CPU.
 */
#include <stddef.h>
#include <stdint.h>

/* For the emulation the compiler is told to include emu.h first. */
#ifndef LK_EMU
#include <cuda_runtime.h>
#ifdef __CUDACC__
#include <cuda_bf16.h>
#define LK_LAUNCH(k, grid, block, shared, q, ...) \
	(k)<<<(grid), (block), (shared), (q)->stream>>>(__VA_ARGS__)
#define LK_SHARED(type, name, count) __shared__ type name[count]
#define LK_SHARED_DYNAMIC(type, name)                                \
	extern __shared__ __align__(128) unsigned char lk_dynamic[]; \
	type *name = reinterpret_cast<type *>(lk_dynamic)
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#include "kernels/lk.h"

enum lk_cuda_space { LK_CUDA_GROWS, LK_CUDA_MEASURED, LK_CUDA_FIXED };

struct lk_cuda_products; /* gemm_lt.c: cuBLASLt's handle and plans */
struct lk_cudnn;	 /* attention_cudnn.cc: cuDNN's handle and plans */

struct lk_queue {
	struct lk_err err;
	enum lk_type act; /* LK_F32 or LK_BF16 */
	int device, processors;
	cudaStream_t stream;
	enum lk_cuda_space space;
	int recording; /* between record_begin() and record_end() */
	void *work;    /* device memory, aligned to 256 bytes */
	size_t work_size, work_need;
	struct lk_cuda_products *products;
	struct lk_cudnn *cudnn;
	enum lk_attention attention;
	int fast; /* sums may have any order */
};

/* Set the queue's error message; returns -1. */
int lk_cuda_fail(struct lk_queue *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* 0 if e is cudaSuccess; otherwise -1 with "what: CUDA's reason" as the message. */
int lk_cuda_check(struct lk_queue *q, cudaError_t e, const char *what);
/* lk_cuda_check() of the launch that was just made. */
int lk_cuda_launched(struct lk_queue *q, const char *what);
/*
 * Begin an operation that needs n * size bytes of device memory at q->work until the next operation.
 * Returns 1 to go on; 0 if the queue only measures, and the operation returns 0 at once; -1 on
 * failure, with the message set.
 */
int lk_cuda_begin(struct lk_queue *q, size_t n, size_t size);

/* How many devices there are, or -1 and why there is none (table.cu). */
int lk_cuda_count(int *n, struct lk_err *err);
/* Count the queues of a device; the last one to go returns what reserve() took (memory.cu). */
int lk_cuda_memory_open(struct lk_queue *q);
void lk_cuda_memory_close(struct lk_queue *q);

/* --- queue.cu, memory.cu ---------------------------------------------------------------------- */

int lk_cuda_open_f32(struct lk_queue **q, int device, struct lk_err *err);
int lk_cuda_open_bf16(struct lk_queue **q, int device, struct lk_err *err);
void lk_cuda_close(struct lk_queue *q);
const char *lk_cuda_message(const struct lk_queue *q);
int lk_cuda_sync(struct lk_queue *q);
int lk_cuda_event_open(struct lk_queue *q, struct lk_event **e);
void lk_cuda_event_close(struct lk_queue *q, struct lk_event *e);
int lk_cuda_event_record(struct lk_queue *q, struct lk_event *e);
int lk_cuda_event_wait(struct lk_queue *q, struct lk_event *e);
int lk_cuda_event_sync(struct lk_queue *q, struct lk_event *e);
int lk_cuda_event_done(struct lk_queue *q, struct lk_event *e);
int lk_cuda_event_seconds(struct lk_queue *q, struct lk_event *a, struct lk_event *b, double *s);
int lk_cuda_measure(struct lk_queue *q, int on);
uint64_t lk_cuda_workspace(const struct lk_queue *q);
void *lk_cuda_alloc(struct lk_queue *q, size_t bytes);
void lk_cuda_free(struct lk_queue *q, void *p);
int lk_cuda_zero(struct lk_queue *q, void *p, size_t bytes);
int lk_cuda_copy(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how);
int lk_cuda_reserve(struct lk_queue *q, uint64_t bytes);
void *lk_cuda_host_alloc(struct lk_queue *q, size_t bytes);
void lk_cuda_host_free(struct lk_queue *q, void *p);
void lk_cuda_range_begin(struct lk_queue *q, const char *name);
void lk_cuda_range_end(struct lk_queue *q);
int lk_cuda_record_begin(struct lk_queue *q);
int lk_cuda_record_end(struct lk_queue *q, struct lk_graph **g);
int lk_cuda_replay(struct lk_queue *q, struct lk_graph *g);
void lk_cuda_graph_free(struct lk_queue *q, struct lk_graph *g);
void *lk_cuda_native(const struct lk_queue *q);

/* --- gemm_lt.c (tests/kernels/emu has another for the emulation) ---------------------------------- */

int lk_cuda_gemm(struct lk_queue *q, const struct lk_gemm *g, void *D, const void *A, const void *B,
		const void *C);
int lk_cuda_pack(struct lk_queue *q, struct lk_packed_weight **p, const lk_act *w, size_t n,
		size_t k, size_t ld);
void lk_cuda_pack_free(struct lk_queue *q, struct lk_packed_weight *p);
uint64_t lk_cuda_pack_bytes(size_t n, size_t k);
/* Called by open and close of a queue. */
int lk_cuda_products_open(struct lk_queue *q);
void lk_cuda_products_close(struct lk_queue *q);

/* --- attention.cu, attention_back.cu, attn_merge.cu -------------------------------------------- */

int lk_cuda_attention(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *Q, const lk_act *K, const lk_act *V);
int lk_cuda_attention_back(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
		lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
		const lk_act *K, const lk_act *V);
int lk_cuda_attn_merge(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *O2, const lk_real *lse2);

/* --- attention_choice.c: cuDNN's attention or ours ---------------------------------------------- */

int lk_cuda_attention_any(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *Q, const lk_act *K, const lk_act *V);
int lk_cuda_attention_back_any(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
		lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
		const lk_act *K, const lk_act *V);
void lk_cudnn_close(struct lk_queue *q);

/* --- the other operations, one file each ------------------------------------------------------- */

int lk_cuda_to_act(struct lk_queue *q, lk_act *y, const lk_real *x, size_t n);
int lk_cuda_embed(struct lk_queue *q, lk_act *y, const lk_act *w, const uint32_t *ids, size_t rows,
		size_t n, size_t v0, size_t v);
int lk_cuda_embed_back(struct lk_queue *q, lk_real *dw, const lk_act *dy, const struct lk_ids *ids,
		size_t n, size_t v0, size_t v, int add);
int lk_cuda_rmsnorm(struct lk_queue *q, lk_act *y, lk_real *rstd, lk_act *sum, const lk_act *x,
		const lk_act *res, const lk_real *w, size_t rows, size_t n, double eps);
int lk_cuda_rmsnorm_again(struct lk_queue *q, lk_act *y, const lk_act *x, const lk_real *w,
		const lk_real *rstd, size_t rows, size_t n);
int lk_cuda_rmsnorm_back(struct lk_queue *q, lk_act *dx, lk_real *dw, const lk_act *dy,
		const lk_act *dres, const lk_act *x, const lk_real *w, const lk_real *rstd,
		size_t rows, size_t n, int add);
int lk_cuda_add(struct lk_queue *q, lk_act *y, const lk_act *a, const lk_act *b, size_t n);
int lk_cuda_rope_table(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
		const double *freq);
int lk_cuda_rope(struct lk_queue *q, lk_act *x, const lk_real *table, const uint32_t *pos,
		size_t seq, size_t rows, size_t heads, size_t dim, size_t ld, int inverse);
int lk_cuda_swiglu(struct lk_queue *q, lk_act *y, const lk_act *gu, size_t rows, size_t f);
int lk_cuda_swiglu_back(struct lk_queue *q, lk_act *dgu, lk_act *y, const lk_act *dy,
		const lk_act *gu, size_t rows, size_t f);
int lk_cuda_cross_entropy(struct lk_queue *q, lk_real *logp, lk_act *dx, const lk_real *x,
		const uint32_t *label, const lk_real *weight, size_t rows, size_t v, size_t ld);
int lk_cuda_ce_stats(struct lk_queue *q, lk_real *stats, const lk_real *x, const uint32_t *label,
		size_t rows, size_t v, size_t ld, size_t v0);
int lk_cuda_ce_merge(
		struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks, size_t rows);
int lk_cuda_ce_grad(struct lk_queue *q, lk_real *logp, lk_act *dx, const lk_real *x,
		const uint32_t *label, const lk_real *weight, const lk_real *stats, size_t rows,
		size_t v, size_t ld, size_t v0);
int lk_cuda_dpo(struct lk_queue *q, double *out, size_t stride, lk_real *weight,
		const lk_real *logp, const double *reference, const struct lk_dpo *d);
int lk_cuda_kl_stats(struct lk_queue *q, lk_real *stats, lk_real *x, const uint32_t *label,
		const uint32_t *top, size_t n, size_t rows, size_t v, size_t ld, size_t v0);
int lk_cuda_kl_merge(struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks,
		size_t rows, size_t n);
int lk_cuda_kl_grad(struct lk_queue *q, lk_real *loss_row, lk_act *dx, const lk_real *x,
		const lk_real *stats, const struct lk_kl *k, size_t rows, size_t v, size_t ld,
		size_t v0);
int lk_cuda_sum(struct lk_queue *q, double *out, const double *x, size_t n);
int lk_cuda_loss(struct lk_queue *q, double *out, const lk_real *logp, const lk_real *weight,
		size_t n);
int lk_cuda_sqnorm(struct lk_queue *q, double *sums, const lk_real *x, size_t n);
int lk_cuda_clip(struct lk_queue *q, struct lk_step *step, double max_norm);
int lk_cuda_finite(struct lk_queue *q, uint32_t *ok, const lk_real *x, size_t n);
int lk_cuda_adamw(struct lk_queue *q, lk_real *p, lk_real *m, lk_real *v, const lk_real *g,
		lk_act *copy, size_t n, const struct lk_adamw *h, const struct lk_step *step);
int lk_cuda_accumulate(struct lk_queue *q, lk_real *y, const lk_real *x, size_t n);
int lk_cuda_lane_sum(struct lk_queue *q, lk_real *x, size_t lanes, size_t stride, size_t n,
		double *sums);
int lk_cuda_low_split(struct lk_queue *q, uint16_t *hi, uint16_t *lo, const lk_real *p, size_t n);
int lk_cuda_low_join(
		struct lk_queue *q, lk_real *p, const uint16_t *hi, const uint16_t *lo, size_t n);
int lk_cuda_low_accumulate(struct lk_queue *q, uint16_t *g, const lk_real *x, size_t n, int add,
		const struct lk_dither *d, const struct lk_step *step);
int lk_cuda_low_sqnorm(struct lk_queue *q, double *sums, const uint16_t *g, size_t n);
int lk_cuda_low_adamw(struct lk_queue *q, uint16_t *hi, uint16_t *lo, uint16_t *m, uint16_t *v,
		const uint16_t *g, size_t n, const struct lk_adamw *h, const struct lk_dither *d,
		const struct lk_step *step);

#ifdef __cplusplus
}
#endif
#endif
