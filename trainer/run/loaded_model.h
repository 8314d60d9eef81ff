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
 *
 * A model belongs to one tokenizer: that of its folder (tokenizer.json, for a checkpoint that of its
 * run), or else that of the shards it was trained on, as far as they are still there. A given
 * tokenizer, and the shards that the model is to score, must be of the same, compared by the
 * XXH3-128 of the file as in manifests. Where the model's is unknown, the first one given counts.
 */
#include <stdbool.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"
#include "libcommon/shard/reader.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/weights.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/hugging_face.h"
#include "trainer/run/settings.h"

/* What the activations are computed in: as the model was trained, or one of enum lt_dtype. A Hugging
 * Face model counts as trained in fp32. */
enum lt_compute { LT_COMPUTE_AS_TRAINED, LT_COMPUTE_FP32, LT_COMPUTE_BF16 };
extern const struct lu_enum lt_computes[]; /* for an option: "run", "fp32", "bf16" */

struct lt_model_spec {
	const char *path;
	uint64_t step;	       /* UINT64_MAX: the latest */
	bool init;	       /* the weights of the run before its first step */
	const char *tokenizer; /* must be the model's; NULL: the one in the folder */
	bool generate;	       /* the weights are read a row at a time: pack them */
	enum lt_compute compute;
	enum lt_device device;
};

struct lt_loaded_model {
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w; /* without gradients */
	bool generate;	      /* of the specification */
	enum lt_compute compute;
	enum lt_device device;
	struct lt_position pos; /* context only, if not from a checkpoint */
	char *tokenizer;	/* path; NULL if there is none */
	char expected[33];	/* hash of the tokenizer; "": unknown */
	char *expected_by;	/* file or shard that says so */
	struct lt_hf_ids ids;	/* of a Hugging Face model; in the arena */
	struct lu_arena arena;
};

/* On failure there is nothing to close. */
int lt_loaded_model_open(struct lt_loaded_model *m, const struct lt_model_spec *spec,
		struct lu_err *err) LU_CHECKED;

/* Load the tokenizer; fails without one, and if it has more tokens than the model. */
int lt_loaded_model_tokenizer(const struct lt_loaded_model *m, struct lu_tok **tok,
		struct lu_err *err) LU_CHECKED;
/* Fail if the shard was made with another tokenizer than the model's or an earlier shard. */
int lt_loaded_model_check_shard(struct lt_loaded_model *m, const struct lu_shard *shard,
		struct lu_err *err) LU_CHECKED;

void lt_loaded_model_close(struct lt_loaded_model *m);

#endif
