#ifndef LUCIE_TOKENIZER_TOKENIZER_H
#define LUCIE_TOKENIZER_TOKENIZER_H
/*
 * Text to token ids and back, by a Hugging Face tokenizer.json with a BPE model.
 *
 *	struct lu_tok *tok;
 *	if (lu_tok_load(&tok, "tokenizer.json", &err) < 0) ...
 *	struct lu_tok_state *st = lu_tok_state_new(tok);	one for each thread
 *	struct lu_ids ids = { 0 };
 *	lu_tok_encode(tok, st, text, LU_TOK_SPECIAL_TEXT, &ids, &err);	appends to ids
 *	lu_tok_decode(tok, st, ids.p, ids.n, 0, &out, &replaced, &err);	appends to out
 *	lu_ids_release(&ids);
 *	lu_tok_state_free(st);
 *	lu_tok_free(tok);
 *
 * Threads: a struct lu_tok is read-only once loaded and may be shared by any number of threads;
 * a struct lu_tok_state belongs to one thread at a time and to the lu_tok it was made for.
 *
 * The ids are those of Hugging Face tokenizers 0.23 for the same file. What cannot be honoured
 * exactly is refused when the file is loaded, by a sentence that names the component; nothing
 * is ignored silently. lucie-tokenizer(5) lists the components.
 *
 * Cost: words are cut wherever no merge of the model can cross, and long rests are merged by
 * windows; neither changes an id (bpe.h says why), and both make encoding linear in the text.
 * Memory of a state: 20 MiB, and at most 3 bytes a byte of the longest stretch that cannot be cut.
 * That is 40 bytes in a file that lacks some byte token, and with a chain of normalizers or with
 * normalised added tokens that no real file has, the normalised text is kept as a whole.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/hash/hash.h"

/* Token ids that grow. Start from { 0 }; a failed allocation is an error of the call. */
struct lu_ids {
	uint32_t *p;
	size_t n, cap;
};
int lu_ids_reserve(struct lu_ids *ids, size_t more, struct lu_err *err) LU_CHECKED;
void lu_ids_release(struct lu_ids *ids);

struct lu_tok;
struct lu_tok_state;

/* Reads a file, at most 1 GiB. */
int lu_tok_load(struct lu_tok **tok, const char *path, struct lu_err *err) LU_CHECKED;
/* The same from memory; `name` stands for the file in messages. Nothing of `json` is kept. */
int lu_tok_parse(struct lu_tok **tok, const char *name, struct lu_str json,
		struct lu_err *err) LU_CHECKED;
void lu_tok_free(struct lu_tok *tok); /* NULL is fine */

struct lu_tok_state *lu_tok_state_new(const struct lu_tok *tok); /* NULL when memory is out */
void lu_tok_state_free(struct lu_tok_state *st);		 /* NULL is fine */

/* What a special token that is spelled out in a text means. Added tokens that are not special
 * are always found. */
enum lu_tok_special {
	LU_TOK_SPECIAL_TEXT,  /* nothing: it is text (the only safe choice for documents) */
	LU_TOK_SPECIAL_PARSE, /* the token, as Hugging Face does by default */
	LU_TOK_SPECIAL_ERROR, /* a fault of the text: encode returns 1 and appends nothing */
};

/* Appends the ids of `text` (valid UTF-8; any length; may be empty). No beginning or end token
 * is added: see lu_tok_template(). 0; 1 when a special token was met under SPECIAL_ERROR; -1
 * when memory is out. */
int lu_tok_encode(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		enum lu_tok_special special, struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

/*
 * A long text in parts, which any number of threads can encode at once: the ids of the parts, one
 * after the other, are those of the whole.
 *
 *	for (size_t from = 0; from < text.n; from = to) {
 *		to = lu_tok_split(tok, text, from + 262144, special);
 *		lu_tok_encode_part(tok, st, text, from, to, special, &ids, &err);
 *	}
 *
 * lu_tok_split() gives the first place at or behind `least` where the text can be divided, or its
 * end: some files cannot be divided anywhere, and no text within a long word.
 */
size_t lu_tok_split(const struct lu_tok *tok, struct lu_str text, size_t least,
		enum lu_tok_special special);
/* from and to: 0, text.n or what lu_tok_split() gave for the same text. Otherwise as above. */
int lu_tok_encode_part(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		size_t from, size_t to, enum lu_tok_special special, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

enum {
	LU_TOK_SKIP_SPECIAL = 1, /* decode: leave special tokens out */
};

/* Appends the text of n ids, always valid UTF-8: bytes that do not make a character become
 * U+FFFD, one for each maximal part, and *replaced (when not NULL) grows by their number. An id
 * that the tokenizer does not have is an error. */
int lu_tok_decode(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids, size_t n,
		unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err) LU_CHECKED;

/* The same in parts, for texts longer than memory: begin, any number of times more, end. What is
 * appended, all together, is what lu_tok_decode() appends for all ids; a few bytes may come one
 * call later. Only for a decoder that needs the whole text (a chain of steps of no known model)
 * more() keeps the ids, and all text comes at the end. After an error begin anew. */
void lu_tok_decode_begin(const struct lu_tok *tok, struct lu_tok_state *st);
int lu_tok_decode_more(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err) LU_CHECKED;
int lu_tok_decode_end(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err) LU_CHECKED;

/* One more than the largest id: how many rows an embedding needs at least. */
uint32_t lu_tok_size(const struct lu_tok *tok);
/* The id of a piece as the file spells it, added tokens included ("<s>", "▁de"). */
bool lu_tok_id(const struct lu_tok *tok, struct lu_str piece, uint32_t *id);
/* How the file spells an id; .p is NULL for an id that it does not have. Lives as long as tok. */
struct lu_str lu_tok_piece(const struct lu_tok *tok, uint32_t id);
bool lu_tok_is_special(const struct lu_tok *tok, uint32_t id);

/* The ids by part. A tokenizer.json does not name them; they are taken from the special tokens
 * by the names in use: <s> <bos> <|begin_of_text|> ..., </s> <eos> <|end_of_text|>
 * <|endoftext|> ..., <unk>, <pad>. False when there is none. */
enum lu_tok_role { LU_TOK_BOS, LU_TOK_EOS, LU_TOK_UNK, LU_TOK_PAD };
bool lu_tok_role(const struct lu_tok *tok, enum lu_tok_role role, uint32_t *id);

/* What the file's post_processor puts before and after one text; empty when there is none.
 * The arrays live as long as tok. */
struct lu_tok_template {
	const uint32_t *before, *after;
	size_t n_before, n_after;
};
struct lu_tok_template lu_tok_template(const struct lu_tok *tok);

/* XXH3-128 of the file's bytes: what a shard or a checkpoint notes to know its tokenizer. */
struct lu_hash128 lu_tok_hash(const struct lu_tok *tok);

#endif
