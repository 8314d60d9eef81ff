#ifndef LUCIE_TOKAUDIT_UNREACHABLE_H
#define LUCIE_TOKAUDIT_UNREACHABLE_H
/*
 * Inside the tokenizer: proofs, from the steps of a file, that a string of characters stands in
 * no normalised text, or in no word of the pre-tokenizer. They are sound and not complete: 0
 * means that nothing was shown.
 */
#include "libcommon/tokenizer/tokenizer_internal.h"

/* 1: `s` is in no normalised text, and c[] is a character of it that is not, or two neighbours
 * (else 0 0: the whole is not in the normal form that the last step makes); 0; or -1. */
int lu_never_normal(const struct lu_tok *tok, struct lu_str s, uint32_t c[2],
		struct lu_err *err) LU_CHECKED;

/* 1: the pre-tokenizer cuts within `s` wherever it stands; 0; or -1. */
int lu_always_cut(const struct lu_tok *tok, struct lu_str s, struct lu_err *err) LU_CHECKED;

#endif
