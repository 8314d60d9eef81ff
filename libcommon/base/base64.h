#ifndef LUCIE_BASE_BASE64_H
#define LUCIE_BASE_BASE64_H
/* Base64 of RFC 4648 section 4, with padding, no line breaks. */
#include "libcommon/base/buf.h"

void lu_base64(struct lu_buf *b, struct lu_str s);

#endif
