#include "libcommon/tokaudit/encoders.h"

#include <stdlib.h>

int lu_encoders_init(struct lu_encoders *e, struct lu_tok *const *tok, size_t n, struct lu_err *err)
{
	*e = (struct lu_encoders){ .tok = tok, .state = calloc(n + 1, sizeof(*e->state)) };
	if (!e->state)
		return lu_err_nomem(err);
	for (; e->n < n; e->n++) {
		e->state[e->n] = lu_tok_state_new(tok[e->n]);
		if (!e->state[e->n])
			return lu_err_nomem(err);
	}
	return 0;
}

int lu_encoders_run(struct lu_encoders *e, size_t i, struct lu_str text, struct lu_ids *ids,
		struct lu_err *err)
{
	ids->n = 0;
	return lu_tok_encode(e->tok[i], e->state[i], text, LU_TOK_SPECIAL_TEXT, ids, err);
}

void lu_encoders_release(struct lu_encoders *e)
{
	for (size_t i = 0; i < e->n; i++)
		lu_tok_state_free(e->state[i]);
	free(e->state);
	*e = (struct lu_encoders){ 0 };
}
