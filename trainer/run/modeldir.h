#ifndef LUCIE_TRAINER_RUN_MODELDIR_H
#define LUCIE_TRAINER_RUN_MODELDIR_H
/*
 * Opening a trained model by the name of a folder: a run (its latest checkpoint, or that of a
 * step, or its weights as they were before the first step), one checkpoint, or a Hugging Face
 * folder (config.json and safetensors).
 *
 *	struct lt_opened m;
 *	if (lt_opened_open(&m, &(struct lt_which){ .path = "run", .step = UINT64_MAX }, &err) < 0)
 *	... m.w, m.at ...
 *	lt_opened_close(&m);
 */
#include <stdbool.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/model/weights.h"
#include "trainer/run/checkpoint.h"

struct lt_which {
	const char *path;
	uint64_t step;	   /* UINT64_MAX: the latest */
	bool init;	   /* of a run: the weights that it starts or started from */
	const char *token; /* tokenizer.json to use; NULL: the folder's own */
};

struct lt_opened {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w;  /* no gradients */
	struct lt_position at; /* context at least; step 0 for a Hugging Face folder */
	char *tokenizer;       /* path; NULL when there is none */
};

int lt_opened_open(
		struct lt_opened *m, const struct lt_which *which, struct lu_err *err) LU_CHECKED;
void lt_opened_close(struct lt_opened *m);

#endif
