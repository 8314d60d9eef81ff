#ifndef LUCIE_TESTS_LK_TEST_H
#define LUCIE_TESTS_LK_TEST_H
/*
 * Test support for the kernels.
 *
 * A test takes a table of operations and nothing else of the backend, so the same tests run on every
 * backend: T_EACH() iterates over those of this machine. The results are compared with
 * kernels/ref/ref.h.
 *
 * A test gives t_run() a function that makes its device buffers by t_dev(), calls the operation and
 * brings the results to the host by t_get(). t_run() calls it several times, with other numbers of
 * threads (on the emulated GPU: other orders) and other alignments, and requires the same bits each time. The bytes around every buffer
 * must not change. Once it lets a queue measure the function, with buffers that cannot be touched,
 * and then requires that the operations need no more work space than that.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/lk.h"
#include "kernels/ref/ref.h"

#define T_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Rounding error of lk_real: tolerances are multiples of it. */
#define T_EPS (sizeof(lk_real) == sizeof(float) ? 6e-8 : 1.2e-16)
/* Largest relative error of rounding to the 8 significant bits of bf16, and a little for what was
 * rounded in lk_real before. */
#define T_BF16 (0x1p-8 * 1.001)

/* Which sanitizer, of gcc or clang, the test was built with. */
#ifdef __has_feature
#define T_FEATURE(x) __has_feature(x)
#else
#define T_FEATURE(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || T_FEATURE(thread_sanitizer)
#define T_TSAN true
#else
#define T_TSAN false
#endif
#if defined(__SANITIZE_ADDRESS__) || T_FEATURE(address_sanitizer)
#define T_ASAN true
#else
#define T_ASAN false
#endif

struct t_ctx; /* a queue and its buffers */
typedef void t_fn(struct t_ctx *t, const void *arg, void *out);

/* Table i of this machine; NULL after the last. */
const struct lk_ops *t_table(size_t i);
#define T_EACH(ops) for (size_t t_i = 0; (ops = t_table(t_i)); t_i++)

/* The same, and after them the model of a processor that may not be here; its products alone are its
 * own. */
const struct lk_ops *t_product_table(size_t i);
#define T_EACH_PRODUCT(ops) for (size_t t_i = 0; (ops = t_product_table(t_i)); t_i++)

/* amx without the processor (tile_model.c): products by tiles in C. NULL in the double build. */
const struct lk_ops *t_tile_model(void);

/* Whether the table is the CPU's, which guarantees more than others. */
bool t_on_cpu(const struct lk_ops *ops);

/* Run fn and store its result, `bytes` bytes, in out. */
void t_run(const struct lk_ops *ops, t_fn *fn, const void *arg, void *out, size_t bytes);

/* For a t_fn. */
const struct lk_ops *t_ops(const struct t_ctx *t);
struct lk_queue *t_queue(const struct t_ctx *t);
/* Fail the test with the queue's message unless rc is 0. */
void t_ok(struct t_ctx *t, int rc);
/* A device buffer, initialised from `init`, or with NaNs if that is NULL. Aligned to lk_real. */
void *t_dev(struct t_ctx *t, const void *init, size_t bytes);
/* The same, aligned to 8 bytes: for doubles, ids and struct lk_step. */
void *t_dev8(struct t_ctx *t, const void *init, size_t bytes);
/* Copy n bytes to the host; returns out + bytes, where the next result goes. */
void *t_get(struct t_ctx *t, void *out, const void *dev, size_t bytes);

/*
 * Activations. A test keeps them as lk_real on the host, and makes those that an operation reads by
 * t_fill_act(): the type of the table holds them exactly, so that the reference reads the same
 * numbers. The device has them in the type of the table: t_act() and t_get_act() convert, the latter
 * exactly.
 */
bool t_is_bf16(const struct lk_ops *ops);
/* From here on the buffers of a t_fn are aligned to so many bytes. */
void t_align(struct t_ctx *t, size_t align);
/* The nearest number of the activations' type. */
double t_round(const struct lk_ops *ops, double x);
/* A device buffer of n activations, aligned to one of them. */
void *t_act(struct t_ctx *t, const lk_real *init, size_t n);
/* Copy n activations to n lk_real; returns out + n * sizeof(lk_real). */
void *t_get_act(struct t_ctx *t, void *out, const void *dev, size_t n);
/* Activation i of a device buffer. */
void *t_act_at(const struct lk_ops *ops, const void *p, size_t i);
/* n random numbers in -scale..scale that are activations. */
lk_real *t_fill_act(const struct lk_ops *ops, uint64_t seed, size_t n, double scale);

/* Number i of a stream, uniform in -1..1 (splitmix64, Steele et al. 2014). */
double t_rand(uint64_t seed, uint64_t i);
/* calloc() with at least one element; never NULL. */
void *t_alloc(size_t n, size_t size);
/* n random numbers in -scale..scale. */
lk_real *t_fill(uint64_t seed, size_t n, double scale);
double *t_widen(const lk_real *x, size_t n);

/* Require |got[i] - want[i]| <= tol * m for all i, m the largest finite |want| or 1e-3. */
void t_near(const char *what, const lk_real *got, const double *want, size_t n, double tol);
/* The same of activations, which may be off by their rounding besides: T_BF16 of each of them, not of
 * the largest, since an element is rounded once. */
void t_near_act(const struct lk_ops *ops, const char *what, const lk_real *got, const double *want,
		size_t n, double tol);

#endif
