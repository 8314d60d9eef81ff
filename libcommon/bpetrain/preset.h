#ifndef LUCIE_BPETRAIN_PRESET_H
#define LUCIE_BPETRAIN_PRESET_H
/*
 * Tokenizers by preset: how text is normalised and split into words for training, and the
 * tokenizer.json that comes out.
 *
 *	lu_preset_defaults(&p, LU_PRESET_LUCIE);
 *	struct lu_preset_splitter *splitter;
 *	lu_preset_splitter_new(&splitter, &p, &err);	read-only, shared by threads
 *	lu_preset_words(splitter, &work, text, &words, &err);	work and words: per thread
 *	lu_preset_train(&p, &counts, &json, &info, &err);	consumes the counts
 *	lu_preset_splitter_free(splitter);
 *
 * lucie-2024: the tokenizer of Lucie 7B (OpenLLM-France, 2024): what Hugging Face's BpeTrainer and
 *	that project's rewriting of its file give for the same text. The space is U+2581 in pieces.
 *	A space is inserted before the text and after each of 18 opening and joining characters
 *	(line feed, tab, brackets, quotes, apostrophes, dashes, slash) that a space or a word
 *	character follows, so that "l'eau" shares the piece of "de l eau"; decoding removes it
 *	again. There is no pre-tokenizer: since training splits there, no piece crosses the boundary
 *	between a word, a run of symbols, a digit or a blank.
 * lucie: the same without its losses: lucie-presets(7) lists them.
 * bytelevel: as GPT-2: bytes in place of characters, and its regular expression for words.
 * metaspace: as Llama 2: U+2581 for the space, and byte tokens for what has no piece.
 *
 * Ids: <s> </s> <unk> <pad>, the --special-token ones, the 256 byte tokens (not for bytelevel), the
 * reserved ones, runs of blanks and digits (for lucie and lucie-2024), the alphabet, the merges.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/bpetrain/bpetrain.h"
#include "libcommon/tokenizer/components.h"
#include "libcommon/tokenizer/step_buffers.h"

enum lu_preset_kind {
	LU_PRESET_LUCIE,
	LU_PRESET_LUCIE_2024,
	LU_PRESET_BYTELEVEL,
	LU_PRESET_METASPACE,
};

enum {
	LU_PRESET_RUNS = 3, /* of spaces, tabs, line feeds */
	LU_PRESET_RUN_MAX = 256,
	LU_PRESET_NO_FORM = -1,
};

struct lu_preset {
	enum lu_preset_kind kind;
	uint32_t vocab_size, limit_alphabet, max_chars, reserve;
	uint64_t min_frequency;
	bool single_digits; /* each digit is a word */
	bool split_symbols; /* words and symbols are never in one piece */
	int form;	    /* enum lu_normal_form, or LU_PRESET_NO_FORM */
	/* Longest run with a piece of its own, at most LU_PRESET_RUN_MAX; 0: none. */
	uint32_t runs[LU_PRESET_RUNS];
	const char **special; /* more special tokens */
	size_t specials;
	const uint32_t *alphabet; /* characters that precede those of the text */
	size_t alphabet_chars;
	void (*progress)(void *ctx, uint32_t pieces); /* may be NULL */
	void *ctx;
};

void lu_preset_defaults(struct lu_preset *p, enum lu_preset_kind kind);

/* Parse "8,4,2", the longest runs with a piece. */
int lu_preset_parse_runs(struct lu_preset *p, const char *text, struct lu_err *err) LU_CHECKED;

/* Fail for special tokens that are not UTF-8 text or are a piece already. */
int lu_preset_check(const struct lu_preset *p, struct lu_err *err) LU_CHECKED;
/* Fail if vocab_size is too small for the pieces that the preset has without a text. */
int lu_preset_check_size(const struct lu_preset *p, struct lu_err *err) LU_CHECKED;
/* True if the character is a seed piece. */
bool lu_preset_is_seed(const struct lu_preset *p, uint32_t c);

struct lu_preset_splitter;
int lu_preset_splitter_new(struct lu_preset_splitter **splitter, const struct lu_preset *p,
		struct lu_err *err) LU_CHECKED;
void lu_preset_splitter_free(struct lu_preset_splitter *splitter); /* NULL is fine */

/* Normalise a document, split it into words and add these to the counts. */
int lu_preset_words(const struct lu_preset_splitter *splitter, struct lu_step_buffers *work,
		struct lu_str text, struct lu_words *words, struct lu_err *err) LU_CHECKED;

struct lu_preset_info {
	uint32_t pieces, alphabet, merges; /* merges as written, those of runs included */
	uint32_t tied; /* characters dropped that are as frequent as the last one kept */
	uint64_t chars, chars_kept; /* characters of the text, and those with a piece */
	bool truncated;		    /* vocab_size left no room for the rarest characters */
};
/* Train on the counts, which are consumed, and append the tokenizer.json as Hugging Face lays it
 * out. */
int lu_preset_train(const struct lu_preset *p, struct lu_word_counts *counts, struct lu_buf *json,
		struct lu_preset_info *info, struct lu_err *err) LU_CHECKED;

#endif
