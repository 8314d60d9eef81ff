#ifndef LUCIE_BPETRAIN_PRESET_H
#define LUCIE_BPETRAIN_PRESET_H
/*
 * Whole tokenizers by preset: how text is normalised and cut into words for training, and the
 * tokenizer.json that comes out.
 *
 *	lu_preset_defaults(&p, LU_PRESET_LUCIE);
 *	struct lu_preset_cut *cut;
 *	lu_preset_cut_new(&cut, &p, &err);		read-only: shared by threads
 *	lu_preset_words(cut, &work, text, &words, &err);	each document; work and words a thread's
 *	lu_preset_train(&p, &count, &json, &info, &err);	appends the file; uses the counts up
 *	lu_preset_cut_free(cut);
 *
 * lucie-2024: the tokenizer of Lucie 7B (OpenLLM-France, 2024) and its training: what Hugging
 * Face's
 *	BpeTrainer and that project's rewriting of the file give for the same text. A space, for
 *	which U+2581 stands in pieces, is put before the text and after each of 18 opening and
 *	joining characters (line feed, tab, brackets, quotes, apostrophes, dashes, slash) that a
 *	space or word character follows, so that "l'eau" shares the piece of "de l eau"; decoding
 *	takes them out again. No pre-tokenizer: a piece never crosses the border between a word, a
 *	run of symbols, a digit or a blank, since training cuts there.
 * lucie: the same without its losses: lucie-presets(7) says which and how.
 * bytelevel: GPT-2's: bytes in place of characters, its expression for words.
 * metaspace: Llama 2's: U+2581 for the space, byte tokens for what has no piece.
 *
 * Ids: <s> </s> <unk> <pad>, the --special ones, the 256 byte tokens (not bytelevel), the
 * reserved ones, runs of blanks and digits (the two lucie presets), the alphabet, the merges.
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
};

struct lu_preset {
	enum lu_preset_kind kind;
	uint32_t vocab_size, limit_alphabet, max_chars, reserve;
	uint64_t min_frequency;
	bool single_digits; /* each digit is a word */
	bool split_symbols; /* words and symbols are never in one piece */
	int form;	    /* enum lu_uni_form, or -1: none */
	/* Longest run with a piece of its own, at most LU_PRESET_RUN_MAX; 0: none. */
	uint32_t runs[LU_PRESET_RUNS];
	const char **special; /* more special tokens */
	size_t specials;
	const uint32_t *alphabet; /* characters that come before those of the text */
	size_t alphabets;
	void (*tick)(void *ctx, uint32_t pieces);
	void *ctx;
};

/* What a preset has where nothing else is asked for. */
void lu_preset_defaults(struct lu_preset *p, enum lu_preset_kind kind);

/* Refuses special tokens that are not text, or are a piece already. */
int lu_preset_check(const struct lu_preset *p, struct lu_err *err) LU_CHECKED;
/* Has the character a piece before any alphabet? */
bool lu_preset_is_seed(const struct lu_preset *p, uint32_t c);

struct lu_preset_cut;
int lu_preset_cut_new(struct lu_preset_cut **cut, const struct lu_preset *p,
		struct lu_err *err) LU_CHECKED;
void lu_preset_cut_free(struct lu_preset_cut *cut);

/* Adds the words of one document. */
int lu_preset_words(const struct lu_preset_cut *cut, struct lu_work *work, struct lu_str text,
		struct lu_words *words, struct lu_err *err) LU_CHECKED;

struct lu_preset_info {
	uint32_t pieces, alphabet, merges; /* merges as written, those of blanks included */
	uint32_t tied; /* characters left out that are as frequent as the last one that stays */
	uint64_t chars, chars_kept;
	bool squeezed; /* characters gave way to the vocabulary's size */
};
/* Trains and appends the tokenizer.json, as Hugging Face writes it. */
int lu_preset_train(const struct lu_preset *p, struct lu_tokcount *count, struct lu_buf *json,
		struct lu_preset_info *info, struct lu_err *err) LU_CHECKED;

#endif
