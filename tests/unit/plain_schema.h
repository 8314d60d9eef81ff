#ifndef LUCIE_TESTS_PLAIN_SCHEMA_H
#define LUCIE_TESTS_PLAIN_SCHEMA_H
/* JSON Schema read plainly: whether a value is valid, for the subset of lucie-schema(7). It shares
 * nothing with libcommon/schema. */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* Both are JSON; the schema is one that lu_schema_compile() takes. */
bool plain_valid(struct lu_str schema, struct lu_str value);

#endif
