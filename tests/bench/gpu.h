#ifndef LUCIE_BENCH_GPU_H
#define LUCIE_BENCH_GPU_H
/*
 * bench_gpu in parts: gpu_kernels.c times single operations, gpu_steps.c whole training steps,
 * gpu_profile.c what a step consists of. Each measurement is a line of tab-separated values on
 * standard output:
 *	part  what  shape  milliseconds  value  unit  limit  share of it in percent  note
 * where "-" stands for nothing. A part that cannot be measured is a line with a note.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kernels/lk.h"

struct bench {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lk_device device;
	bool small;	  /* tiny sizes, each timed once: on the emulation */
	double bandwidth; /* measured: bytes read and written a second */
	double flops;	  /* by the data sheet, or measured if it is not known */
};

struct row {
	const char *part, *what, *unit, *note;
	double seconds, value, limit;
};

/* Print a row; the shape as by printf. */
void row_put(const struct row *r, const char *shape, ...) __attribute__((format(printf, 2, 3)));

/* Open a queue of a type; exits if there is none. */
void bench_open(struct bench *b, enum lk_type act, bool small);
void bench_close(struct bench *b);
/* Exit with the queue's message unless rc is 0. */
void must(const struct bench *b, int rc);

double now(void);
/* Median of the seconds of a call, over several runs of many calls. */
double seconds_of(const struct bench *b, int (*call)(void *ctx), void *ctx);

/* Device memory; exits if there is not enough. Random, normal-like, of standard deviation `scale`. */
void *device(const struct bench *b, size_t bytes);
lk_real *random_reals(const struct bench *b, size_t n, double scale);
lk_act *random_acts(const struct bench *b, size_t n, double scale);

/* The parts; 0, or 1 if a result is wrong. */
int bench_copy(struct bench *b);
int bench_kernels(struct bench *b);
int bench_attention(struct bench *b);
int bench_products(struct bench *b);
int bench_parity(bool small);
int bench_step(struct bench *b, const char *name, bool profile);

/* gpu_profile.c: a table that waits after each operation and adds up its time by kind. */
#define PROFILE_KINDS 10
const struct lk_ops *profile_ops(const struct lk_ops *ops);
void profile_clear(void);
double profile_seconds(size_t kind, const char **name, uint64_t *calls);

#endif
