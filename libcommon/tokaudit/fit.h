#ifndef LUCIE_TOKAUDIT_FIT_H
#define LUCIE_TOKAUDIT_FIT_H
/*
 * How well tokenizers fit texts: characters and bytes a token, and tokens a word (the fertility), by
 * group of documents, such as their language.
 *
 *	struct lu_fit f;
 *	lu_fit_init(&f, tok, file, n, &err);
 *	struct lu_fit_text size;
 *	lu_fit_measure(text, &size);			each document, by any thread
 *	lu_fit_count(&f, i, ids, n, &tokens[i]);	each document and tokenizer, by any thread
 *	lu_fit_add(&f, group, &size, tokens, &err);	each document, by one thread, in any order
 *	lu_fit_table(&f, "lang", &out, &err);  or lu_fit_json(&f, "lang", &out, &err);
 *	lu_fit_release(&f);
 *
 * A word is a maximal run of characters other than White_Space and U+001C to U+001F, as Python's
 * str.split() has it, by which the table published for Lucie 7B counts.
 *
 * A byte token stands for bytes and not for characters: <0xNN> with byte_fallback; in a byte-level
 * file a piece whose bytes are not whole characters.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/tokenizer/tokenizer.h"

/* Groups beyond this number are counted together as "other". */
#define LU_FIT_GROUPS 1000

struct lu_fit_text {
	uint64_t docs, characters, bytes, words;
};

struct lu_fit_tokens {
	uint64_t tokens, byte_tokens, unknown;
};

struct lu_fit_row {
	char *group;
	struct lu_fit_text text;
	struct lu_fit_tokens *tokens; /* one a tokenizer */
};

struct lu_fit {
	struct lu_tok *const *tok;
	const char *const *file;
	size_t toks;
	uint8_t **kind; /* by tokenizer and id: byte token, unknown token or neither */
	struct LU_VEC(struct lu_fit_row) row;
	struct lu_map groups; /* over the rows */
	uint32_t last;	      /* row added to last */
};

/* The arrays and what they point to must live as long as f. Release f after a failure too. */
int lu_fit_init(struct lu_fit *f, struct lu_tok *const *tok, const char *const *file, size_t n,
		struct lu_err *err) LU_CHECKED;
void lu_fit_release(struct lu_fit *f);

/* Measure one text (valid UTF-8). */
void lu_fit_measure(struct lu_str text, struct lu_fit_text *out);
/* Count the tokens of one text by kind. */
void lu_fit_count(const struct lu_fit *f, size_t tok, const uint32_t *ids, size_t n,
		struct lu_fit_tokens *out);
/* Add one document. An empty or absent group (.p NULL) is "none". */
int lu_fit_add(struct lu_fit *f, struct lu_str group, const struct lu_fit_text *text,
		const struct lu_fit_tokens *tokens, struct lu_err *err) LU_CHECKED;

/* Number of tokens of all documents. */
uint64_t lu_fit_total(const struct lu_fit *f, size_t tok);
/* Append a report, the group with most characters first: a text table, or a JSON object. `by` names
 * what the groups are. */
int lu_fit_table(const struct lu_fit *f, const char *by, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
int lu_fit_json(const struct lu_fit *f, const char *by, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

#endif
