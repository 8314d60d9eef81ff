#ifndef LUCIE_TESTS_TINY_H
#define LUCIE_TESTS_TINY_H
/* What the tests of the trainer share: a model of a few thousand parameters, made-up tokens, a
 * scratch folder and a shard in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer/comm/comm.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"
#include "trainer/model/weights.h"

#define TINY_VOCAB 37
#define TINY_CONTEXT 10
#define TINY_BATCH 3
#define TINY_ROWS (TINY_BATCH * TINY_CONTEXT)

struct tiny {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_comm *comm;
	struct lt_weights *w;
	double *loss; /* device */
	uint32_t ids[TINY_ROWS];
	int32_t labels[TINY_ROWS];
};

struct lt_shape tiny_shape(bool tied);
/* Fails the test when anything fails. */
void tiny_open(struct tiny *t, size_t lanes, bool tied);
void tiny_close(struct tiny *t);

/* Fails the test with the sentence of err. */
void ok(int rc, const struct lu_err *err);

/* A fresh folder below TMPDIR, and its removal with all that is in it. */
char *scratch_new(void);
void scratch_remove(char *dir);
char *path_in(const char *dir, const char *name);

/* Writes PREFIX.bin and PREFIX.idx: `docs` documents of made-up lengths, token i of the stream
 * being (i * 7 + i / 5) % vocab. Returns tokens. */
uint64_t make_shard(const char *prefix, size_t docs, uint32_t vocab);

#endif
