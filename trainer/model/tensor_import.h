#ifndef LUCIE_TRAINER_MODEL_TENSOR_IMPORT_H
#define LUCIE_TRAINER_MODEL_TENSOR_IMPORT_H
/*
 * Weights from a folder: weights.safetensors (a checkpoint), model.safetensors, or the files listed by
 * model.safetensors.index.json (Hugging Face), the first of these that is there.
 *
 * Everything that the files' headers say is checked before anything is read: each tensor of the model
 * is there once, of a real type (F64, F32, F16, BF16) and the right shape, in the file where the index
 * has it; files of the index lie in the folder; and no tensor is left over. Left aside are only the
 * tables of rotary positions that old versions of transformers wrote (*.rotary_emb.inv_freq), and,
 * where the head is the embedding, a head that is the same bytes. Values must be finite.
 *
 *	lt_import_check(&shape, dir, NULL, &err)	before memory is allocated
 *	lt_tensors_import(w, dir, NULL, &err)
 *
 * With `pad`, embedding and head have fewer rows than the model; the rest get the values that a new run
 * begins with.
 */
#include "trainer/model/tensorfile.h"

int lt_import_check(const struct lt_shape *shape, const char *dir, const struct lt_pad *pad,
		struct lu_err *err) LU_CHECKED;
/* Check, read what this rank holds, and refresh. */
int lt_tensors_import(struct lt_weights *w, const char *dir, const struct lt_pad *pad,
		struct lu_err *err) LU_CHECKED;

#endif
