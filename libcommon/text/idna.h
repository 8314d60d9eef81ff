#ifndef LUCIE_TEXT_IDNA_H
#define LUCIE_TEXT_IDNA_H
/* Host names in their ASCII form, as they are in the domain name system. */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* Append the ASCII form of a host name in UTF-8: mapped by UTS #46 (lower case, NFC), labels beyond
 * ASCII in Punycode, "Müller.de" as "xn--mller-kva.de". False if a label cannot be a name; nothing
 * is appended then. Memory that runs out shows in the buffer. */
bool lu_idna(struct lu_str host, struct lu_buf *out);

#endif
