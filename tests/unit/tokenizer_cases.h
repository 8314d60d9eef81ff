#ifndef LUCIE_TESTS_TOKENIZER_CASES_H
#define LUCIE_TESTS_TOKENIZER_CASES_H
/*
 * Tokenizers for tests, from files of tests/data with a JSON object on each line. The members
 * normalizer, pre_tokenizer, decoder and model are those of a tokenizer.json. Without a model it is
 * that of GPT-2's 256 characters, each with its byte as id, and without the others there is none.
 *
 *	struct tok_cases c;
 *	tok_cases_read(&c, "tokenizers.jsonl");
 *	struct lu_tok *tok = tok_make(tok_case(&c, "lossy"));
 *	lu_tok_free(tok);
 *	tok_cases_release(&c);
 *
 * The functions fail the test when they fail.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/vec.h"
#include "libcommon/tokenizer/tokenizer.h"

struct tok_case {
	struct lu_str name, dead;				 /* strings */
	struct lu_str normalizer, pre_tokenizer, decoder, model; /* raw JSON; .p NULL: absent */
};

struct tok_cases {
	struct LU_VEC(struct tok_case) line;

	/* Private. */
	struct lu_arena arena;
	char *text;
};

void tok_cases_read(struct tok_cases *c, const char *file);
void tok_cases_release(struct tok_cases *c);
/* The line with this name. */
const struct tok_case *tok_case(const struct tok_cases *c, const char *name);

struct lu_tok *tok_make(const struct tok_case *t);
/* Append the members of GPT-2's characters to an open vocabulary. */
void tok_put_bytes(struct lu_buf *json);

#endif
