#ifndef LUCIE_TOKENIZER_TOKENIZER_INTERNAL_H
#define LUCIE_TOKENIZER_TOKENIZER_INTERNAL_H
/*
 * Inside the tokenizer: the whole of a tokenizer.json once loaded, and a thread's state.
 */
#include "libcommon/tokenizer/bpe.h"
#include "libcommon/tokenizer/components.h"
#include "libcommon/tokenizer/decode_table.h"

struct lu_added {
	struct lu_str content; /* as written */
	struct lu_str find;    /* what is searched: content, or its normal form */
	uint32_t id;
	bool special, single_word, lstrip, rstrip, normalized;
};

/* The added tokens that are searched in one kind of text, by first byte, longest first. */
struct lu_added_index {
	uint32_t *by_lead;   /* indexes into lu_tok.added, grouped by first byte */
	uint32_t start[257]; /* of each first byte's group */
	size_t longest;	     /* bytes */
	bool any, any_plain; /* has tokens; has some that are not special */
	bool looks_around;   /* some ask for what stands beside them, or take blanks there */
};

struct lu_tok {
	struct lu_arena arena;
	struct lu_frozen_unicode *uni;
	struct lu_parts parts;
	struct lu_bpe bpe;
	struct lu_added *added; /* in the file's order */
	size_t n_added;
	struct lu_added_index raw, normal; /* searched before and after the normalizer */
	struct lu_str *extra;		   /* contents of added tokens outside the vocabulary */
	enum lu_split_regex regex; /* its matches are the words; LU_SPLIT_NONE: see parts.pre */
	bool blocks;		   /* all pre-tokenizers cut at encode.c's word_border() */
	uint32_t size;		   /* largest id + 1, added tokens included */
	uint8_t *special;	   /* by id: 1 special, 2 an added token that is normalised */
	uint32_t role[4];	   /* LU_BPE_NONE: none */
	struct lu_tok_template post;
	struct lu_spell *spell; /* the decoder as one pass; NULL: as a chain of steps */
	struct lu_hash128 hash;
};

/* How the file spells an id; Hugging Face gives an added token that is searched in normalised
 * text by its normal form. */
struct lu_str lu_dec_spelling(const struct lu_tok *tok, uint32_t id);

/*
 * Metaspace's "first" means the words that begin where the text began before it was normalised.
 * That is the first word, as long as nothing was deleted before it; and when the text was cut
 * before Metaspace comes, as long as no word is cut out of what was put there, or out of what a
 * single character became. Other files are refused. The tokens must be there.
 */
int lu_tok_refuse_first(const struct lu_tok *t, const struct lu_tj *j) LU_CHECKED;

struct lu_tok_state {
	const struct lu_tok *tok;
	struct lu_work work;
	struct lu_bpe_state bpe;
	size_t block;	     /* bytes normalised at once: what becomes of them stays in the cache */
	struct lu_buf units; /* what the normalizer made and is not encoded yet */
	struct lu_buf text, text2; /* decoding */
	struct lu_spans parts, parts2;
	struct lu_ids held; /* of a text that is decoded in parts, where that is not possible */
	struct lu_spell_state spell;
};

#endif
