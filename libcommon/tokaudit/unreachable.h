#ifndef LUCIE_TOKAUDIT_UNREACHABLE_H
#define LUCIE_TOKAUDIT_UNREACHABLE_H
/*
 * Proofs, from the steps of a tokenizer file, that no text contains a string once it is normalised
 * and split. They are sound and not complete: 0 means that nothing was proved. Only dead.c uses
 * this.
 */
#include "libcommon/tokenizer/tokenizer_internal.h"

/* 1: no normalised text contains s, because of a character of it or two neighbours, stored in c[];
 * 0 0 if it is because s is not in the normal form that the last step makes. 0; -1. */
int lu_never_normal(const struct lu_tok *tok, struct lu_str s, uint32_t c[2],
		struct lu_err *err) LU_CHECKED;

/* 1: the pre-tokenizer splits s wherever it occurs; 0; -1. */
int lu_always_cut(const struct lu_tok *tok, struct lu_str s, struct lu_err *err) LU_CHECKED;

#endif
