#ifndef LUCIE_SCHEMA_TOKEN_BYTES_H
#define LUCIE_SCHEMA_TOKEN_BYTES_H
/*
 * The bytes that each token of a vocabulary adds to a text.
 *
 * They may depend on what is before: the decoders of SentencePiece's kind strip a blank at the
 * beginning of a text, and some drop one behind certain characters, such as an opening bracket. Then a
 * token that begins with the blank `dropped` loses it.
 */
#include "libcommon/base/arena.h"
#include "libcommon/tokenizer/tokenizer.h"

struct lu_token_bytes {
	struct lu_str *bytes; /* [tokens]; empty for special tokens and ids that are not used */
	size_t tokens;
	struct lu_str dropped; /* empty: never */
	uint32_t *after;       /* the characters behind which it is */
	size_t n_after;
};

/* Everything is in the arena. A tokenizer whose decoder needs the whole text is refused. */
int lu_token_bytes_read(struct lu_token_bytes *b, const struct lu_tok *tok, struct lu_arena *arena,
		struct lu_err *err) LU_CHECKED;

/* True if the text that is being decoded (lu_tok_decode_more()) is at a place where `dropped` is
 * dropped. */
bool lu_token_bytes_awaited(const struct lu_token_bytes *b, const struct lu_tok *tok,
		const struct lu_tok_state *st);

/* True if text ends with one of the characters of `after`. */
bool lu_token_bytes_ends_after(const struct lu_token_bytes *b, struct lu_str text);

#endif
