#ifndef LUCIE_TRAINER_RUN_HUGGING_FACE_H
#define LUCIE_TRAINER_RUN_HUGGING_FACE_H
/*
 * A Llama model in the form of Hugging Face transformers: config.json, read and written, and the
 * small files beside it, laid out as transformers lays them out. The weights are tensorfile.h's
 * part.
 *
 * An id that does not exist is null in config.json, not left out: transformers takes 1 and 2 for a
 * bos_token_id and eos_token_id that are missing.
 *
 * Each lt_hf_...() that writes appends a whole file; check the buffer afterwards.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/io/safetensors.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/params.h"
#include "trainer/run/checkpoint_manifest.h"

/* JSON of an id: a number, a list of numbers (transformers allows it for eos), or null. An empty
 * string stands for null. */
struct lt_hf_ids {
	struct lu_str bos, eos, pad;
};

/* Read config.json. An id that is no number below the vocabulary size is null. The ids live in the
 * arena. */
int lt_hf_read_config(const char *path, struct lt_shape *shape, uint64_t *context,
		struct lt_hf_ids *ids, struct lu_arena *arena, struct lu_err *err) LU_CHECKED;

/* The ids of a tokenizer, in the arena. */
int lt_hf_tokenizer_ids(const struct lu_tok *tok, struct lt_hf_ids *ids, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;

/* config.json and generation_config.json. `type` is that of the weights. */
void lt_hf_config(const struct lt_shape *s, const struct lt_position *pos,
		const struct lt_hf_ids *ids, enum lu_st_type type, struct lu_buf *out);
void lt_hf_generation_config(
		const struct lt_position *pos, const struct lt_hf_ids *ids, struct lu_buf *out);
/* tokenizer_config.json: without the members of tokens that the tokenizer does not have, which
 * transformers takes for none. */
void lt_hf_tokenizer_config(const struct lu_tok *tok, uint64_t context, struct lu_buf *out);

/* model.safetensors.index.json: `map` is an object that is open, with a member for each tensor by
 * lt_hf_put_tensor(). */
void lt_hf_put_tensor(struct lu_buf *map, const char *tensor, const char *file);
void lt_hf_index(uint64_t bytes, const struct lu_buf *map, struct lu_buf *out);

#endif
