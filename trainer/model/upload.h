#ifndef LUCIE_TRAINER_MODEL_UPLOAD_H
#define LUCIE_TRAINER_MODEL_UPLOAD_H
/*
 * What the device reads of a micro-batch, by way of the model's staging. Internal to the model; see
 * model_parts.h.
 */
#include "trainer/model/model_parts.h"

/* Bytes that a stage of m->staging needs. */
size_t lt_upload_bytes(const struct lt_model *m);

/* What a chunk reads: ids where the embedding is, and places. */
int lt_upload_inputs(struct lt_model *m, struct lt_slot *slot, const struct lt_batch *b, bool embed,
		size_t rows);

/* What the head reads: labels and weights; with a pass also references and the teacher's top, and the
 * sum of the weights to where the sums of the pass are. */
int lt_upload_labels(struct lt_model *m, const struct lt_batch *b, size_t rows,
		const struct lt_pass *pass);

#endif
