#ifndef LUCIE_TOKAUDIT_FIT_H
#define LUCIE_TOKAUDIT_FIT_H
/*
 * How well tokenizers fit texts: characters and bytes a token, tokens a word, by group of
 * documents (their language).
 *
 *	struct lu_eval e;
 *	lu_eval_start(&e, tok, file, n, &err);		byte pieces and unknown tokens by id
 *	struct lu_eval_text size;
 *	lu_eval_measure(text, &size);			for each document, by any thread
 *	lu_eval_count(&e, i, ids, n, &count[i]);	and tokenizer
 *	lu_eval_add(&e, group, &size, count, &err);	by one thread, in any order
 *	lu_eval_table(&e, "lang", &out);  or lu_eval_json(&e, "lang", &out);
 *	lu_eval_release(&e);
 *
 * A word is a maximal run of characters that are not White_Space, nor one of U+001C to U+001F:
 * what Python's str.split() gives, by which the table published for Lucie 7B counts.
 *
 * A byte token stands for bytes, not for characters: <0xNN> under byte_fallback; in a byte-level
 * file a piece whose bytes are not whole characters.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/tokenizer/tokenizer.h"

/* More groups than this are counted as "other". */
#define LU_EVAL_GROUPS 1000

struct lu_eval_text {
	uint64_t docs, characters, bytes, words;
};

struct lu_eval_tokens {
	uint64_t tokens, bytes, unknown;
};

struct lu_eval_row {
	char *group;
	struct lu_eval_text text;
	struct lu_eval_tokens *tokens; /* one a tokenizer */
};

struct lu_eval {
	struct lu_tok *const *tok;
	const char *const *file;
	size_t toks;
	uint8_t **kind; /* by tokenizer and id: a byte piece, the unknown token */
	struct lu_eval_row *row;
	size_t rows, last;
};

/* The arrays and what they point to must live as long as e. After a failure release e too. */
int lu_eval_start(struct lu_eval *e, struct lu_tok *const *tok, const char *const *file, size_t n,
		struct lu_err *err) LU_CHECKED;
/* The measures of one text (valid UTF-8). */
void lu_eval_measure(struct lu_str text, struct lu_eval_text *out);
void lu_eval_count(const struct lu_eval *e, size_t tok, const uint32_t *ids, size_t n,
		struct lu_eval_tokens *out);
/* An empty or absent group (.p NULL) counts as "none". */
int lu_eval_add(struct lu_eval *e, struct lu_str group, const struct lu_eval_text *text,
		const struct lu_eval_tokens *tokens, struct lu_err *err) LU_CHECKED;
/* Both sort the groups: most characters first. `by` names what the groups are. */
int lu_eval_table(struct lu_eval *e, const char *by, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
int lu_eval_json(struct lu_eval *e, const char *by, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
void lu_eval_release(struct lu_eval *e);

#endif
