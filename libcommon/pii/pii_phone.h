#ifndef LUCIE_PII_PII_PHONE_H
#define LUCIE_PII_PII_PHONE_H
/* Telephone numbers; pii.h has the rules. */
#include "libcommon/pii/pii_context.h"

/* `p` is the first of a run of digits. If it is no number, f->end is where to go on, behind all
 * groups that were judged together. */
bool lu_pii_phone(const struct lu_pii_stretch *t, const char *p, struct lu_pii_find *f);
/* True if the ten digits have the check digit of an ISBN (ISO 2108). */
bool lu_pii_is_isbn10(const char digit[10]);

#endif
