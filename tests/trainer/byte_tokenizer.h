#ifndef LUCIE_TESTS_BYTE_TOKENIZER_H
#define LUCIE_TESTS_BYTE_TOKENIZER_H
/* A tokenizer of 261 tokens: all bytes by their value, the special token </s>, and the pairs ab, abc,
 * ": and 12. */
#include "libcommon/tokenizer/tokenizer.h"

#define BYTE_TOKENIZER_EOS 256

struct lu_tok *byte_tokenizer(void);

#endif
