#ifndef LUCIE_TRAINER_EXPORT_GGUF_H
#define LUCIE_TRAINER_EXPORT_GGUF_H
/*
 * GGUF, version 3: a model in one file for llama.cpp and what is built on it, as described in
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Little-endian:
 *
 *	"GGUF", u32 version, u64 tensors, u64 pairs
 *	the pairs: key, u32 type, value			a string is a u64 length and its bytes
 *	the tensors: name, u32 dimensions, u64 each, the fastest first, u32 type, u64 offset
 *	zeros up to a multiple of 32, where the offsets begin
 *	the data, each tensor at a multiple of 32
 *
 * The architecture is "llama". Its tensors are those of the table under other names, with one change:
 * llama.cpp turns neighbours x[2i], x[2i+1] of a head, we and Hugging Face turn x[i], x[i + dim/2]; so
 * the rows of each head of q and k change places. Vectors are F32 whatever the type. Where the head is
 * the embedding there is no tensor for it. Frequencies scaled as in Llama 3.1 are a tensor of factors,
 * rope_freqs.weight.
 *
 * gguf_pairs.h has the pairs, gguf_tokenizer.h those of the tokenizer.
 */
#include "libcommon/io/safetensors.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/weights.h"
#include "trainer/run/hugging_face.h"

struct lt_gguf {
	enum lu_st_type type; /* of the matrices: F32, F16 or BF16 */
	uint64_t context;
	const char *name;	  /* of the model; NULL: none is written */
	const char *tokenizer;	  /* path of tokenizer.json; NULL: the file has no vocabulary */
	const struct lu_tok *tok; /* the same, loaded */
	struct lu_str chat;	  /* chat template, empty without one */
	const char *tool;	  /* for the line of progress */
	int progress;		  /* as struct lu_std has it */
};

/* Write a file atomically. */
int lt_gguf_write(const struct lt_gguf *g, struct lt_weights *w, const char *path,
		struct lu_err *err) LU_CHECKED;

#endif
