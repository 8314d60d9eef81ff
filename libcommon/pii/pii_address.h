#ifndef LUCIE_PII_PII_ADDRESS_H
#define LUCIE_PII_PII_ADDRESS_H
/* E-mail and IP addresses; pii.h has the rules. */
#include "libcommon/pii/pii_context.h"

/* `at` is an '@'. */
bool lu_pii_email(const struct lu_pii_stretch *t, const char *at, struct lu_pii_find *f);
/* `p` is the first of a run of digits. */
bool lu_pii_ipv4(const struct lu_pii_stretch *t, const char *p, struct lu_pii_find *f);
/* `colon` is a ':'. */
bool lu_pii_ipv6(const struct lu_pii_stretch *t, const char *colon, struct lu_pii_find *f);

#endif
