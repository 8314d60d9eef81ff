#ifndef LUCIE_TRAINER_EXPORT_HF_FILES_H
#define LUCIE_TRAINER_EXPORT_HF_FILES_H
/*
 * The small files of a Llama model in the form of Hugging Face transformers, laid out as transformers
 * lays them out. What reads them is run/hugging_face.h.
 *
 * config.json has rotary positions in both spellings, rope_theta with rope_scaling for transformers 4
 * and rope_parameters for 5; either version passes over the other's. An id that does not exist is null
 * there, not left out: transformers takes 1 and 2 for a bos_token_id and eos_token_id that are missing.
 *
 * tokenizer_config.json names the class PreTrainedTokenizerFast, with which both versions follow
 * tokenizer.json to the letter. transformers 5 builds normalizer and pre-tokenizer of the classes of
 * models, such as LlamaTokenizer, anew, whatever the file says.
 *
 * Each lt_hf_...() that writes appends a whole file; check the buffer afterwards.
 */
#include "libcommon/io/safetensors.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/hugging_face.h"

/* The ids of a tokenizer, in the arena. `chat` is the chat template, empty without one: the tokens in
 * it that end a turn end a generation too. */
int lt_hf_tokenizer_ids(const struct lu_tok *tok, struct lu_str chat, struct lt_hf_ids *ids,
		struct lu_arena *arena, struct lu_err *err) LU_CHECKED;

/* config.json and generation_config.json. `type` is that of the weights. */
void lt_hf_config(const struct lt_shape *s, const struct lt_position *pos,
		const struct lt_hf_ids *ids, enum lu_st_type type, struct lu_buf *out);
void lt_hf_generation_config(
		const struct lt_position *pos, const struct lt_hf_ids *ids, struct lu_buf *out);
/* tokenizer_config.json: without the members of tokens that the tokenizer does not have, which
 * transformers takes for none. */
void lt_hf_tokenizer_config(
		const struct lu_tok *tok, uint64_t context, struct lu_str chat, struct lu_buf *out);

/* model.safetensors.index.json: `map` is an object that is open, with a member for each tensor by
 * lt_hf_put_tensor(). */
void lt_hf_put_tensor(struct lu_buf *map, const char *tensor, const char *file);
void lt_hf_index(uint64_t bytes, const struct lu_buf *map, struct lu_buf *out);

#endif
