#include "libcommon/tokaudit/round_trip.h"

#include "libcommon/text/unicode.h"

int lu_round_trip_init(struct lu_round_trip *t, const struct lu_tok *tok, struct lu_err *err)
{
	*t = (struct lu_round_trip){ .tok = tok, .state = lu_tok_state_new(tok) };
	return t->state ? 0 : lu_err_nomem(err);
}

void lu_round_trip_release(struct lu_round_trip *t)
{
	lu_tok_state_free(t->state);
	lu_ids_release(&t->ids);
	lu_buf_release(&t->text);
	lu_buf_release(&t->got);
	lu_buf_release(&t->form);
	lu_buf_release(&t->got_form);
}

int lu_round_trip_run(struct lu_round_trip *t, struct lu_str text, struct lu_err *err)
{
	t->ids.n = 0;
	lu_buf_clear(&t->got);
	if (lu_tok_encode(t->tok, t->state, text, LU_TOK_SPECIAL_TEXT, &t->ids, err) < 0 ||
			lu_tok_decode(t->tok, t->state, t->ids.p, t->ids.n, 0, &t->got, NULL, err) <
					0)
		return -1;
	return lu_str_eq(lu_buf_slice(&t->got), text);
}

int lu_round_trip_equivalent(struct lu_round_trip *t, struct lu_str text, struct lu_err *err)
{
	struct lu_str got = lu_buf_slice(&t->got);

	lu_buf_clear(&t->form);
	lu_buf_clear(&t->got_form);
	if (lu_unicode_normalize(LU_FORM_NFC, text, &t->form, err) < 0 ||
			lu_unicode_normalize(LU_FORM_NFC, got, &t->got_form, err) < 0)
		return -1;
	return lu_str_eq(lu_buf_slice(&t->form), lu_buf_slice(&t->got_form));
}
