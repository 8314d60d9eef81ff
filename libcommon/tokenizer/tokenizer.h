#ifndef LUCIE_TOKENIZER_TOKENIZER_H
#define LUCIE_TOKENIZER_TOKENIZER_H
/*
 * Text to token ids and back, by a Hugging Face tokenizer.json with a BPE model.
 *
 *	struct lu_tok *tok;
 *	if (lu_tok_load(&tok, "tokenizer.json", &err) < 0) ...
 *	struct lu_tok_state *st = lu_tok_state_new(tok);	one per thread
 *	struct lu_ids ids = { 0 };
 *	lu_tok_encode(tok, st, text, LU_TOK_SPECIAL_TEXT, &ids, &err);	appends to ids
 *	lu_tok_decode(tok, st, ids.p, ids.n, 0, &out, &replaced, &err);	appends to out
 *	lu_ids_release(&ids);
 *	lu_tok_state_free(st);
 *	lu_tok_free(tok);
 *
 * Threads: a loaded struct lu_tok is read-only and may be shared; a struct lu_tok_state belongs to
 * one thread at a time and to the lu_tok it was made for.
 *
 * The ids are those of Hugging Face tokenizers 0.23 for the same file. A file that cannot be
 * followed exactly is refused on loading, with an error that names the component; nothing is
 * ignored silently. lucie-tokenizer(5) lists the supported components.
 *
 * Cost: words are cut wherever no merge of the model can cross, and long chunks are merged in
 * windows; neither changes an id (bpe.h says why), and both make encoding linear in the text. A
 * state takes up to 36 MiB, and up to 3 bytes per byte of the longest stretch that cannot be cut (40 if
 * the file lacks some byte token). With unusual chains of normalizer steps, or normalised added
 * tokens, the normalised text is held as a whole.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "libcommon/base/vec.h"
#include "libcommon/hash/hash.h"

/* A growable array of token ids (base/vec.h), with the allocation error as an error of the call. */
struct lu_ids LU_VEC(uint32_t);
int lu_ids_reserve(struct lu_ids *ids, size_t more, struct lu_err *err) LU_CHECKED;
void lu_ids_release(struct lu_ids *ids);

struct lu_tok;
struct lu_tok_state;

/* Load a file of at most 1 GiB. */
int lu_tok_load(struct lu_tok **tok, const char *path, struct lu_err *err) LU_CHECKED;
/* Load from memory; `name` stands for the file in messages. `json` is not kept. */
int lu_tok_parse(struct lu_tok **tok, const char *name, struct lu_str json,
		struct lu_err *err) LU_CHECKED;
void lu_tok_free(struct lu_tok *tok); /* NULL is fine */

struct lu_tok_state *lu_tok_state_new(const struct lu_tok *tok); /* NULL when memory is out */
void lu_tok_state_free(struct lu_tok_state *st);		 /* NULL is fine */

/* Treatment of special tokens spelled out in a text. Added tokens that are not special are always
 * recognised. */
enum lu_tok_special {
	LU_TOK_SPECIAL_TEXT,  /* ordinary text: the only safe choice for documents */
	LU_TOK_SPECIAL_PARSE, /* the token, the default of Hugging Face */
	LU_TOK_SPECIAL_ERROR, /* an error in the text: encode returns 1 and appends nothing */
};

/* Append the ids of `text`, valid UTF-8 of any length. Adds no beginning or end token: see
 * lu_tok_template(). Returns 0; 1 for a special token under LU_TOK_SPECIAL_ERROR; -1 when memory is
 * out. */
int lu_tok_encode(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		enum lu_tok_special special, struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

/*
 * Encode a long text in parts, by any number of threads at once: the ids of the parts, in order,
 * are those of the whole.
 *
 *	for (size_t from = 0; from < text.n; from = to) {
 *		to = lu_tok_split(tok, text, from + 262144, special);
 *		lu_tok_encode_part(tok, st, text, from, to, special, &ids, &err);
 *	}
 *
 * lu_tok_split() returns the first offset >= min at which the text can be divided, or text.n: some
 * files cannot be divided anywhere, and no text inside a long word.
 */
size_t lu_tok_split(const struct lu_tok *tok, struct lu_str text, size_t min,
		enum lu_tok_special special);
/* `from` and `to` are 0, text.n or results of lu_tok_split() for the same text; otherwise as
 * lu_tok_encode(). */
int lu_tok_encode_part(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		size_t from, size_t to, enum lu_tok_special special, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/*
 * Encode a text in which special tokens count where the caller has put them and nowhere else: a chat,
 * where the template writes the tokens and the messages may contain their spellings. The ids are those
 * of LU_TOK_SPECIAL_PARSE, but for special tokens of which is_data() says that they are data.
 *
 *	struct lu_tok_guard g = { .is_data = is_data, .ctx = ctx };
 *	lu_tok_encode_guarded(tok, st, text, &g, &ids, &err);
 *	... g.stretch.p[0 .. g.stretch.n - 1] ...	which bytes became which ids
 *	lu_vec_release(&g.stretch);
 */
struct lu_tok_stretch {
	size_t from, to; /* bytes of the text: an added token, or what stands between two */
	size_t ids;	 /* ids of the call before it */
	bool added;
};
struct lu_tok_guard {
	/* True if one of the bytes from .. to - 1 is data. */
	bool (*is_data)(void *ctx, size_t from, size_t to);
	void *ctx;
	struct LU_VEC(struct lu_tok_stretch) stretch; /* of the last call */
};
int lu_tok_encode_guarded(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		struct lu_tok_guard *guard, struct lu_ids *ids, struct lu_err *err) LU_CHECKED;
/* Append the ids of the beginning of a stretch that is no added token, up to byte `to` of the text, as
 * if the text ended there. */
int lu_tok_encode_stretch(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_str text,
		const struct lu_tok_stretch *stretch, size_t to, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/* Flags of decoding. */
enum {
	LU_TOK_SKIP_SPECIAL = 1, /* omit special tokens */
};

/* Append the text of n ids, always valid UTF-8: bytes that form no character become U+FFFD, one per
 * maximal subpart, and *replaced (unless NULL) is increased by their number. An id that the
 * tokenizer does not have is an error. */
int lu_tok_decode(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids, size_t n,
		unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err) LU_CHECKED;

/* Decode in parts a text larger than memory: begin, any number of more, end. All together they
 * append what lu_tok_decode() appends for all ids; a few bytes may come one call later. Only if the
 * decoder needs the whole text (an unusual chain of steps) more() collects the ids, and the text
 * comes at the end. After an error, begin again. */
void lu_tok_decode_begin(const struct lu_tok *tok, struct lu_tok_state *st);
int lu_tok_decode_more(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err) LU_CHECKED;
int lu_tok_decode_end(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err) LU_CHECKED;

/* Largest id + 1: the minimum number of rows of an embedding. */
uint32_t lu_tok_size(const struct lu_tok *tok);
/* The id of a piece as spelled in the file, added tokens included ("<s>", "▁de"). */
bool lu_tok_id(const struct lu_tok *tok, struct lu_str piece, uint32_t *id);
/* The piece of an id as spelled in the file, valid as long as tok; .p is NULL for unused ids. */
struct lu_str lu_tok_piece(const struct lu_tok *tok, uint32_t id);
bool lu_tok_is_special(const struct lu_tok *tok, uint32_t id);

/* The id of a role; false when there is none. A tokenizer.json does not record roles, so they are
 * found among the special tokens by the names in use: <s> <bos> <|begin_of_text|> ..., </s> <eos>
 * <|end_of_text|> <|endoftext|> ..., <unk>, <pad>. */
enum lu_tok_role { LU_TOK_BOS, LU_TOK_EOS, LU_TOK_UNK, LU_TOK_PAD };
#define LU_TOK_ROLES 4
bool lu_tok_role(const struct lu_tok *tok, enum lu_tok_role role, uint32_t *id);

/* The ids that the file's post_processor puts before and after one text, valid as long as tok. */
struct lu_tok_template {
	const uint32_t *before, *after;
	size_t n_before, n_after;
};
struct lu_tok_template lu_tok_template(const struct lu_tok *tok);

/* XXH3-128 of the file's bytes, by which shards and checkpoints identify their tokenizer. */
struct lu_hash128 lu_tok_hash(const struct lu_tok *tok);

#endif
