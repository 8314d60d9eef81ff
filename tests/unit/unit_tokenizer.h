#ifndef LUCIE_TESTS_UNIT_TOKENIZER_H
#define LUCIE_TESTS_UNIT_TOKENIZER_H
/* What the tests of the tokenizer share. All functions fail the test on errors. */
#include "libcommon/tokenizer/tokenizer_internal.h"
#include "tests/unit/unit.h"

/* The contents of tests/data/tokenizer/NAME, NUL-terminated; free() it. */
char *tokenizer_data(const char *name);

struct lu_tok *parse_tokenizer(struct lu_str json);
struct lu_tok *load_tokenizer(const char *name); /* tests/data/tokenizer/NAME */

void assert_same_ids(const struct lu_ids *got, const struct lu_ids *want);

#endif
