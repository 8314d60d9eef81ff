#ifndef LUCIE_TOKAUDIT_ROUND_TRIP_H
#define LUCIE_TOKAUDIT_ROUND_TRIP_H
/*
 * One round trip: decode(encode(text)). A struct lu_round_trip belongs to one thread.
 */
#include "libcommon/tokenizer/tokenizer.h"

struct lu_round_trip {
	struct lu_buf got;  /* the text decoded last */
	struct lu_buf text; /* for the caller, to compose a text in */

	/* Private. */
	const struct lu_tok *tok;
	struct lu_tok_state *state;
	struct lu_ids ids;
	struct lu_buf form, got_form;
};

int lu_round_trip_init(
		struct lu_round_trip *t, const struct lu_tok *tok, struct lu_err *err) LU_CHECKED;
void lu_round_trip_release(struct lu_round_trip *t);

/* Encode a text as documents are (special tokens spelled out are text, none are added) and decode
 * it into t->got. 1 if that is the same text, 0, -1. */
int lu_round_trip_run(struct lu_round_trip *t, struct lu_str text, struct lu_err *err) LU_CHECKED;

/* Of the text decoded last: 1 if it is canonically equivalent to `text`, 0, -1. */
int lu_round_trip_equivalent(
		struct lu_round_trip *t, struct lu_str text, struct lu_err *err) LU_CHECKED;

#endif
