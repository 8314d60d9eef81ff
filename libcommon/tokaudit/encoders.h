#ifndef LUCIE_TOKAUDIT_ENCODERS_H
#define LUCIE_TOKAUDIT_ENCODERS_H
/*
 * Several tokenizers side by side, in one thread.
 *
 *	struct lu_encoders e = { 0 };
 *	lu_encoders_init(&e, tok, n, &err);	also when it fails, release
 *	lu_encoders_run(&e, i, text, &ids, &err);
 *	lu_encoders_release(&e);
 */
#include "libcommon/tokenizer/tokenizer.h"

struct lu_encoders {
	struct lu_tok *const *tok; /* must outlive it */
	struct lu_tok_state **state;
	size_t n;
};

int lu_encoders_init(struct lu_encoders *e, struct lu_tok *const *tok, size_t n,
		struct lu_err *err) LU_CHECKED;
/* Encode a text with tokenizer i; marks of special tokens in it are text. */
int lu_encoders_run(struct lu_encoders *e, size_t i, struct lu_str text, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;
void lu_encoders_release(struct lu_encoders *e);

#endif
