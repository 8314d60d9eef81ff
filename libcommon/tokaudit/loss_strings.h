#ifndef LUCIE_TOKAUDIT_LOSS_STRINGS_H
#define LUCIE_TOKAUDIT_LOSS_STRINGS_H
/*
 * The strings of the lossless check. Only lossless.c uses this; lossless.h is the manual.
 */
#include "libcommon/tokaudit/lossless.h"
#include "libcommon/tokaudit/round_trip.h"

/* Try each string, and add those that do not come back to l->string. */
int lu_loss_strings_try(struct lu_losses *l, struct lu_round_trip *t, const struct lu_tok *tok,
		struct lu_err *err) LU_CHECKED;

#endif
