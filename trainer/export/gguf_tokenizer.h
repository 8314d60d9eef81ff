#ifndef LUCIE_TRAINER_EXPORT_GGUF_TOKENIZER_H
#define LUCIE_TRAINER_EXPORT_GGUF_TOKENIZER_H
/*
 * A tokenizer.json in the words of llama.cpp, which knows some kinds of tokenizers, not their parts.
 *
 * Pieces of characters with U+2581 for the space and tokens for bytes (the presets lucie, lucie-2024 and
 * metaspace) become its kind "llama". That kind joins the neighbours whose piece has the highest score;
 * the score of a piece is minus the number of the first merge that makes it, which gives the order of
 * the merges. It differs from BPE in two ways only: it joins any two pieces whose text is a piece, also
 * where the file has no merge of these two; and it has no normalizer, but for spaces and one in front of
 * each stretch of text. So the ids are those of the file for text that the file's normalizer leaves as
 * it is (lucie-export(1) says what that means), and decoding shows the spaces that the normalizer put in.
 *
 * Pieces of bytes (the preset bytelevel and the schemes of GPT-2, Llama 3 and Qwen 2) become its kind
 * "gpt2" under the name that it has for the expression which splits the text.
 *
 * Everything else is refused by name.
 */
#include "trainer/export/gguf.h"
#include "trainer/export/gguf_pairs.h"

/* Append the pairs for a model of `vocab` tokens; those beyond the tokenizer's are unused. */
int lt_gguf_tokenizer(struct lt_gguf_pairs *p, const struct lt_gguf *g, size_t vocab,
		struct lu_err *err) LU_CHECKED;

#endif
