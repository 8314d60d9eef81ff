#ifndef LUCIE_BASE_BASE64_H
#define LUCIE_BASE_BASE64_H
/* Base64 of RFC 4648, section 4: with padding, without line breaks. */
#include "libcommon/base/buf.h"

/* Append s in base64. */
void lu_base64(struct lu_buf *b, struct lu_str s);

#endif
