/*
 * cpu.h: what the files of the processor's backend share: the queue, its work space, and the
 * operations that need no vector code.  Work is done at once, so a queue holds no work: only the
 * last error and a block of scratch memory that grows and is never shrunk.
 */
#ifndef LK_CPU_H
#define LK_CPU_H

#include "kernels/lk.h"

struct lk_queue {
	struct lk_err err;
	void *ws;
	size_t ws_size;
};

struct lk_prep {
	const lk_act *w; /* for products with W itself */
	void *packed;	 /* for products with its transpose */
	size_t n, k, ld;
};

/* Puts one sentence in the queue; always -1. */
int lk_cpu_fail(struct lk_queue *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * n * size bytes of scratch, 64-byte aligned, valid until the next call; NULL with the message
 * set.  Contents are whatever was there.
 */
void *lk_cpu_scratch(struct lk_queue *q, size_t n, size_t size);

int lk_cpu_open(struct lk_queue **q, int device, struct lk_err *err);
void lk_cpu_close(struct lk_queue *q);
const char *lk_cpu_message(const struct lk_queue *q);
int lk_cpu_sync(struct lk_queue *q);
void *lk_cpu_alloc(struct lk_queue *q, size_t bytes);
void lk_cpu_free(struct lk_queue *q, void *p);
int lk_cpu_zero(struct lk_queue *q, void *p, size_t bytes);
int lk_cpu_copy(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how);
/* The handle of a prepared weight, new or again, with room for elements of lk_real. */
int lk_cpu_prepare(struct lk_queue *q, struct lk_prep **p, const lk_act *w, size_t n, size_t k,
		size_t ld, size_t elements);
void lk_cpu_unprepare(struct lk_queue *q, struct lk_prep *p);
int lk_cpu_rope_table(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
		double theta);
int lk_cpu_sum(struct lk_queue *q, double *out, const double *x, size_t n, int add);
int lk_cpu_sum_real(struct lk_queue *q, double *out, const lk_real *x, size_t n, int add);
int lk_cpu_clip(struct lk_queue *q, struct lk_step *step, double max_norm);
int lk_cpu_ce_merge(
		struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks, size_t rows);

/* One table an instruction set; NULL where the compiler's target or flags lack it. */
const struct lk_ops *lk_cpu_base(void);
const struct lk_ops *lk_cpu_avx2(void);
const struct lk_ops *lk_cpu_avx512(void);

#endif
