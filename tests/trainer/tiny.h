#ifndef LUCIE_TESTS_TINY_H
#define LUCIE_TESTS_TINY_H
/* Fixtures of the trainer's tests: a model of a few thousand parameters, a scratch folder, a
 * shard. Every function fails the test on error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer/data/corpus.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"
#include "trainer/model/weights.h"

#define TINY_VOCAB 37
#define TINY_CONTEXT 10
#define TINY_BATCH 3
#define TINY_MICROS 16
#define TINY_ROWS (TINY_BATCH * TINY_CONTEXT)

struct tiny {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w;
	struct lt_optimizer *o;
	double *loss; /* device: sums of up to TINY_MICROS micro-batches, the losses first */
	uint32_t ids[TINY_ROWS], labels[TINY_ROWS];
	lk_real weight[TINY_ROWS]; /* of the labels: 1, or 0 for some */
};

/*
 * The type of the activations of what tests open from now on: LK_REAL, unless a test is listed by
 * TINY_BF16(), which also gives it a name of its own. tiny_is_bf16() says which, for limits.
 */
extern enum lk_type tiny_act;
bool tiny_is_bf16(void);
int tiny_use_bf16(void **state);
int tiny_use_real(void **state);
#define TINY_BF16(f)                                                 \
	{                                                            \
#f " in bf16", f, tiny_use_bf16, tiny_use_real, NULL \
	}

struct lt_shape tiny_shape(bool tied);
/* The whole model on one rank. */
void tiny_open(struct tiny *t, size_t lanes, bool tied);
/* A part of a model, of a run of several ranks. */
void tiny_open_part(struct tiny *t, const struct lt_shape *shape, const struct lt_place *place,
		const struct lt_holding *holding, const struct lt_groups *groups);
void tiny_close(struct tiny *t);
/* ids, labels and weights. */
struct lt_batch tiny_batch(const struct tiny *t);
struct lt_model_plan tiny_plan(enum lt_model_mode mode);

/* Copy n elements from the device, such as gradients; the losses of the first n passes. */
void tiny_read(struct tiny *t, const lk_real *from, lk_real *to, size_t n);
void tiny_read_loss(struct tiny *t, size_t n, double *out);
/* Make the sums of one micro-batch those of labels with these weights and no loss. */
void tiny_set_weights(struct tiny *t, double weights);

/* Fail the test with the message of err if rc < 0. */
void ok(int rc, const struct lu_err *err);

/* Create a folder in TMPDIR; remove it with its contents. */
char *scratch_new(void);
void scratch_remove(char *dir);
char *path_in(const char *dir, const char *name);

/* Write PREFIX.bin and PREFIX.idx: `docs` documents of varying lengths; token i of the shard is
 * (i * 7 + i / 5) % vocab. Returns the number of tokens. */
uint64_t make_shard(const char *prefix, size_t docs, uint32_t vocab);

/* lt_corpus_sample() of consecutive tokens: context + 1 of them, and the places of all but the last
 * unless pos is NULL. */
int read_sample(const struct lt_corpus *c, uint64_t i, uint32_t *tokens, uint32_t *pos,
		struct lu_err *err);

#endif
