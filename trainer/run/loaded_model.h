#ifndef LUCIE_TRAINER_RUN_LOADED_MODEL_H
#define LUCIE_TRAINER_RUN_LOADED_MODEL_H
/*
 * Loading a trained model from a folder: a run (its latest checkpoint, that of a given step, or its
 * initial weights), a single checkpoint, or a Hugging Face model (config.json and safetensors).
 *
 *	struct lt_model_spec spec = { .path = "run", .step = UINT64_MAX };
 *	struct lt_loaded_model m;
 *	lt_loaded_model_open(&m, &spec, &err)
 *	... m.w, m.pos ...
 *	lt_loaded_model_close(&m);
 */
#include <stdbool.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "trainer/model/weights.h"
#include "trainer/run/checkpoint_manifest.h"

struct lt_model_spec {
	const char *path;
	uint64_t step;	       /* UINT64_MAX: the latest */
	bool init;	       /* the weights of the run before its first step */
	const char *tokenizer; /* NULL: the one in the folder */
};

struct lt_loaded_model {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w;	/* without gradients */
	struct lt_position pos; /* context only, if not from a checkpoint */
	char *tokenizer;	/* path; NULL if there is none */
};

/* On failure there is nothing to close. */
int lt_loaded_model_open(struct lt_loaded_model *m, const struct lt_model_spec *spec,
		struct lu_err *err) LU_CHECKED;
void lt_loaded_model_close(struct lt_loaded_model *m);

#endif
