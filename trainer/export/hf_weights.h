#ifndef LUCIE_TRAINER_EXPORT_HF_WEIGHTS_H
#define LUCIE_TRAINER_EXPORT_HF_WEIGHTS_H
/*
 * The weights of a model in the form of Hugging Face: model.safetensors, or files
 * model-00001-of-00003.safetensors and on with model.safetensors.index.json. Tensors are in the order of
 * the table, so that the same model gives the same bytes.
 */
#include "libcommon/io/safetensors.h"
#include "trainer/model/weights.h"

struct lt_hf_weights {
	enum lu_st_type type; /* of the values: F32, BF16 or F16 */
	uint64_t shard_size;  /* largest number of bytes of a file; a tensor is never split */
	const char *tool;     /* for the line of progress */
	int progress;	      /* as struct lu_std has it */
};

/* Write to a folder, which must not have the files. */
int lt_hf_weights_write(const struct lt_hf_weights *o, struct lt_weights *w, const char *dir,
		struct lu_err *err) LU_CHECKED;

#endif
