#ifndef LUCIE_KERNELS_CPU_CPU_H
#define LUCIE_KERNELS_CPU_CPU_H
/*
 * Internals of the CPU backend.
 *
 * The operations (<op>.inc) are vector code, compiled once per instruction set inside isa_*.c, and
 * once more with activations in bf16 inside bf16_*.c. They use what is compiled once: the queue and its memory (device.c) and the operations on a few
 * numbers (scalar.c). lk_cpu.c chooses the instruction set.
 *
 * Work is done at once, so a queue holds no work, only the last error and work space. Every
 * operation begins with its checks and lk_cpu_begin(), before which it touches no memory.
 */
#include <omp.h>

#include "kernels/lk.h"

/*
 * Parts that a loop is cut into. Loops are task loops of the team that lk_cpu_team() opened, not
 * parallel regions: at the end of a region all threads must meet, also one that has done nothing
 * because another program has its processor. Four parts a thread leave little to wait for when one
 * stops in the middle, and cost no measurable time.
 */
#define LK_TASKS (4 * omp_get_num_threads())

/* --- device.c: queue, events, memory, packed weights ---------------------------------------- */

enum lk_cpu_space { LK_SPACE_GROWS, LK_SPACE_MEASURED, LK_SPACE_FIXED };

struct lk_queue {
	struct lk_err err;
	enum lk_cpu_space space;
	void *work;
	size_t work_size; /* bytes allocated */
	size_t work_need; /* most that an operation asked for */
};

struct lk_packed_weight {
	const lk_act *w; /* read by products with W itself */
	void *packed;	 /* read by products with its transpose */
	size_t n, k, ld;
};

/* Set the queue's error message; returns -1. */
int lk_cpu_fail(struct lk_queue *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Begin an operation that needs n * size bytes of work space: 64-byte aligned and uninitialised at
 * q->work until the next call. Returns 1 to go on; 0 if the queue only measures, and the operation
 * returns 0 at once; -1 on failure, with the message set.
 */
int lk_cpu_begin(struct lk_queue *q, size_t n, size_t size);

int lk_cpu_open(struct lk_queue **q, int device, struct lk_err *err);
void lk_cpu_close(struct lk_queue *q);
const char *lk_cpu_message(const struct lk_queue *q);
int lk_cpu_sync(struct lk_queue *q);
int lk_cpu_event_open(struct lk_queue *q, struct lk_event **e);
void lk_cpu_event_close(struct lk_queue *q, struct lk_event *e);
int lk_cpu_event_use(struct lk_queue *q, struct lk_event *e);
int lk_cpu_event_record(struct lk_queue *q, struct lk_event *e);
int lk_cpu_event_done(struct lk_queue *q, struct lk_event *e);
int lk_cpu_event_seconds(struct lk_queue *q, struct lk_event *a, struct lk_event *b, double *s);
int lk_cpu_measure(struct lk_queue *q, int on);
uint64_t lk_cpu_workspace(const struct lk_queue *q);
void *lk_cpu_alloc(struct lk_queue *q, size_t bytes);
void lk_cpu_free(struct lk_queue *q, void *p);
int lk_cpu_zero(struct lk_queue *q, void *p, size_t bytes);
int lk_cpu_copy(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how);
int lk_cpu_reserve(struct lk_queue *q, uint64_t bytes);
void lk_cpu_range_begin(struct lk_queue *q, const char *name);
void lk_cpu_range_end(struct lk_queue *q);
void *lk_cpu_native(const struct lk_queue *q);

/*
 * Allocate or reuse *p for a weight W[n][k] and room for `elements` packed elements. Returns as
 * lk_cpu_begin() does.
 */
int lk_cpu_pack_begin(struct lk_queue *q, struct lk_packed_weight **p, const lk_act *w, size_t n,
		size_t k, size_t ld, size_t elements);
void lk_cpu_pack_free(struct lk_queue *q, struct lk_packed_weight *p);

/* --- scalar.c: plain C, with the same bits on every instruction set --------------------------- */

int lk_cpu_rope_table(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
		const double *freq);
int lk_cpu_sum(struct lk_queue *q, double *out, const double *x, size_t n);
int lk_cpu_loss(struct lk_queue *q, double *out, const lk_real *logp, const lk_real *weight,
		size_t n);
int lk_cpu_clip(struct lk_queue *q, struct lk_step *step, double max_norm);
int lk_cpu_ce_merge(
		struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks, size_t rows);
int lk_cpu_kl_merge(struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks,
		size_t rows, size_t n);
int lk_cpu_dpo(struct lk_queue *q, double *out, size_t stride, lk_real *weight, const lk_real *logp,
		const double *reference, const struct lk_dpo *d);

/* --- isa_*.c, bf16_*.c: one table per instruction set and type of activations; NULL if the compiler's
 * target lacks it ----------------------------------------------------------------------------- */

const struct lk_ops *lk_cpu_base(void);
const struct lk_ops *lk_cpu_avx2(void);
const struct lk_ops *lk_cpu_avx512(void);
const struct lk_ops *lk_cpu_base_bf16(void);
const struct lk_ops *lk_cpu_avx2_bf16(void);
const struct lk_ops *lk_cpu_avx512_bf16(void);
const struct lk_ops *lk_cpu_avx512bf16(void);
const struct lk_ops *lk_cpu_amx(void);

#endif
