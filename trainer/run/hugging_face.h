#ifndef LUCIE_TRAINER_RUN_HUGGING_FACE_H
#define LUCIE_TRAINER_RUN_HUGGING_FACE_H
/*
 * Reading a folder in the form of Hugging Face transformers, 4 or 5: config.json, and what
 * tokenizer_config.json and chat_template.jinja say beside tokenizer.json. The weights are
 * tensorfile.h's part, writing is export/hf_files.h's. Part of the bare build.
 *
 * Only models that compute what model.h computes are read: LlamaForCausalLM, and MistralForCausalLM
 * without a window. A key of config.json that asks for anything else is refused by name and value,
 * and so is one of a wrong type; keys that have no part in the computation are passed over.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "trainer/model/params.h"

/* JSON of an id: a number, a list of numbers (transformers allows it for eos), or null. An empty
 * string stands for null. */
struct lt_hf_ids {
	struct lu_str bos, eos, pad;
	struct lu_str stop; /* what ends a generation; null: eos */
};

struct lt_hf_about {
	uint64_t context; /* max_position_embeddings; 2048 where it is missing, as in transformers */
	uint64_t steps, tokens; /* trained, where it says so (training_steps, training_tokens); else 0 */
};

/* Read config.json. An id that is no number below the vocabulary size is null. The ids live in the
 * arena. */
int lt_hf_read_config(const char *path, struct lt_shape *shape, struct lt_hf_about *about,
		struct lt_hf_ids *ids, struct lu_arena *arena, struct lu_err *err) LU_CHECKED;

/* Set ids->stop from eos_token_id of DIR/generation_config.json, where chat models list the token that
 * ends a turn too. A folder without the file, or without the key, changes nothing. */
int lt_hf_read_generation(const char *dir, size_t vocab, struct lt_hf_ids *ids,
		struct lu_arena *arena, struct lu_err *err) LU_CHECKED;

/*
 * The chat template of a folder: chat_template.jinja, or else "chat_template" of
 * tokenizer_config.json, of a list the one named "default", appended to `out`. Returns 1; 0 if there
 * is none; -1 on failure.
 */
int lt_hf_chat_template(const char *dir, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/*
 * Find out whether DIR/tokenizer_config.json names a class with which transformers 5 does not follow
 * tokenizer.json: it then builds the normalizer and pre-tokenizer of the class anew, and gives other
 * ids than those of the file, which are the ones here and in transformers 4. Returns 1 with a
 * sentence for the user in `note`; 0 if all is well or there is no such file; -1 on failure.
 */
int lt_hf_tokenizer_class(const char *dir, struct lu_buf *note, struct lu_err *err) LU_CHECKED;

#endif
