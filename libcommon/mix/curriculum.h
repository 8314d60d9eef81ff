#ifndef LUCIE_MIX_CURRICULUM_H
#define LUCIE_MIX_CURRICULUM_H
/*
 * The order of documents by a member of theirs, as keys that are compared as bytes (arrange.h).
 */
#include "libcommon/mix/arrange.h"
#include "libcommon/par/docstream.h"

/*
 * Numbers come first, by value; then strings, by their first LU_ARRANGE_KEY - 1 bytes, so that dates like
 * 2024-05-01 are in their order; then documents that have neither. Equal keys: the order of the input.
 * False for a document that has neither.
 */
bool lu_curriculum_key(struct lu_doc *doc, const char *field, unsigned char key[LU_ARRANGE_KEY]);

#endif
