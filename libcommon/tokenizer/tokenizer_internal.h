#ifndef LUCIE_TOKENIZER_TOKENIZER_INTERNAL_H
#define LUCIE_TOKENIZER_TOKENIZER_INTERNAL_H
/* Internal to the tokenizer and its audits: a loaded tokenizer.json, and the state of a thread. */
#include "libcommon/base/arena.h"
#include "libcommon/text/frozen_unicode.h"
#include "libcommon/text/split_regex.h"
#include "libcommon/tokenizer/added_tokens.h"
#include "libcommon/tokenizer/bpe.h"
#include "libcommon/tokenizer/bpe_cut.h"
#include "libcommon/tokenizer/components.h"
#include "libcommon/tokenizer/decode_table.h"
#include "libcommon/tokenizer/step_buffers.h"
#include "libcommon/tokenizer/tokenizer.h"

/* Larger ids are refused, and so are ids so sparse that tables by id would be mostly empty. */
#define LU_TOK_MAX_ID (((uint32_t)1 << 24) - 1)

/* Flags of an id. */
enum {
	LU_ID_SPECIAL = 1,
	LU_ID_NORMALIZED = 2, /* an added token that is searched for in normalised text */
};

struct lu_tok {
	struct lu_arena arena;
	struct lu_frozen_unicode *unicode;
	struct lu_components components;
	struct lu_bpe bpe;
	struct lu_added_token *added; /* in the order of the file */
	size_t n_added;
	struct lu_added_index raw_index, normalized_index;
	struct lu_str *extra_piece;  /* by id - bpe.size: added tokens beyond the vocabulary */
	enum lu_split_regex regex;   /* its matches are the words, or LU_SPLIT_NONE */
	bool splits_at_spaces;	     /* lu_pre_splits_at_spaces() */
	uint32_t size;		     /* largest id + 1, added tokens included */
	uint8_t *id_flags;	     /* by id: LU_ID_... */
	uint32_t role[LU_TOK_ROLES]; /* by enum lu_tok_role; LU_BPE_NONE: none */
	struct lu_tok_template post;
	struct lu_decode_table *decode_table; /* NULL: the decoder runs step by step */
	struct lu_hash128 hash;
};

struct lu_tok_state {
	const struct lu_tok *tok; /* the one it was made for */
	struct lu_step_buffers work;
	struct lu_bpe_state bpe;
	size_t block;	     /* bytes normalised at once; small enough for the cache */
	struct lu_buf units; /* normalised text that is not encoded yet */
	/* Decoding step by step: the strings and those that a step writes; ids not decoded yet. */
	struct lu_buf text, new_text;
	struct lu_spans strings, new_strings;
	struct lu_ids pending;
	struct lu_decode_state decode;
};

/* The spelling of an id for decoding: as lu_tok_piece(), but Hugging Face spells normalised added
 * tokens in their normal form. .p is NULL for unused ids. */
struct lu_str lu_tok_spelling(const struct lu_tok *tok, uint32_t id);

#endif
