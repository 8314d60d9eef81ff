#ifndef LUCIE_TRAINER_MODEL_ENDS_H
#define LUCIE_TRAINER_MODEL_ENDS_H
/*
 * The two ends of the model: embedding; final norm, head and loss. Internal to the model; see
 * model_parts.h.
 */
#include "trainer/model/model_parts.h"

/* x[share][hidden] of the ids. */
int lt_embed_forward(struct lt_model *m, const uint32_t *ids, lk_act *x, size_t rows);
int lt_embed_backward(
		struct lt_model *m, const struct lt_slot *slot, lk_act *dx, lk_real *g, bool add);

/* log p of m->labels after the layers, whose output is x. With a pass also the loss, the gradients of
 * the head, and that of x in dx. */
int lt_head(struct lt_model *m, const lk_act *x, size_t rows, lk_act *dx,
		const struct lt_pass *pass, lk_real *g, bool weighted);
/* Logits of rows first .. first + n - 1 of n[rows][hidden] into m->logits. */
int lt_head_logits(struct lt_model *m, const lk_act *n, size_t first, size_t rows);
int lt_final_norm(struct lt_model *m, const lk_act *x, size_t rows);

#endif
