#ifndef LUCIE_TRAINER_MODEL_DECODING_PARTS_H
#define LUCIE_TRAINER_MODEL_DECODING_PARTS_H
/* What model.c and layer.c need of decoding; see decoding.h. Internal to the model. */
#include "trainer/model/layer.h"

/* Arrays in host memory of a model in the mode DECODE; closing one without them is fine. */
int lt_decode_open(struct lt_model *m, struct lu_err *err) LU_CHECKED;
void lt_decode_close(struct lt_model *m);

/* Keep the keys and values of a layer, rotated, and compute a->o from a->qkv and the cache. Returns
 * 0, or -1 with the reason in the queue. */
int lt_decode_attention(struct lt_model *m, struct lt_acts *a);

/* Of model.c: the layers over rows; an error of the queue or of communication, returns -1. */
int lt_chunk_forward(
		struct lt_model *m, size_t chunk, struct lt_slot *slot, const struct lt_span *at);
int lt_model_failed(struct lt_model *m, struct lu_err *err);

#endif
