#ifndef LUCIE_PII_PII_IBAN_H
#define LUCIE_PII_PII_IBAN_H
/* Bank accounts; pii.h has the rules. */
#include "libcommon/pii/pii_context.h"

/* `p` is the first of a run of digits; the country is before it. */
bool lu_pii_iban(const struct lu_pii_stretch *t, const char *p, struct lu_pii_find *f);

#endif
