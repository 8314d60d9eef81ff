#ifndef LUCIE_TRAINER_EXPORT_MODEL_CARD_H
#define LUCIE_TRAINER_EXPORT_MODEL_CARD_H
/*
 * README.md of an exported model: what it is, what it was trained on, how much was computed, and how it
 * scores. Everything comes from files: the run's config.ini, metrics.jsonl and timing.jsonl, the plans
 * and the manifests of the shards that it names, and files of results (lucie-task(5), or of
 * lm-evaluation-harness). What they do not say, the card says is not known; nothing is inferred, and no
 * licence is chosen.
 *
 * The bytes depend on these files alone.
 */
#include "libcommon/base/buf.h"
#include "libcommon/io/safetensors.h"
#include "trainer/model/params.h"
#include "trainer/run/checkpoint_manifest.h"

struct lt_card {
	const char *run;  /* a run, a checkpoint in one, or a folder that is neither */
	const char *name; /* NULL: none is given */
	const struct lt_table *table;
	const struct lt_position *pos;
	enum lu_st_type type; /* of the weights */
	bool initial;	      /* the weights before the first step */
	bool chat;	      /* there is a chat template */
	const char *const *results;
	size_t n_results;
};

int lt_card_write(const struct lt_card *c, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
