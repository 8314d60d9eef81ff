#ifndef LUCIE_DEDUP_DOC_KEY_H
#define LUCIE_DEDUP_DOC_KEY_H
/*
 * What exact deduplication compares of a document: the XXH3-128 hash of its text or of a member (--key),
 * folded or not (--fold), mixed with that of the member --by.
 */
#include "libcommon/dedup/steps.h"
#include "libcommon/hash/hash.h"
#include "libcommon/par/docstream.h"

/* The key of a document: 1; 0 if it has none, since the member is missing or null; -1. */
int lu_doc_key(const struct lu_dedup_options *o, struct lu_doc *doc, struct lu_hash128 *key,
		struct lu_err *err) LU_CHECKED;

/* The hash of the member --by, with which keys are mixed so that only documents of one value meet; 0
 * without --by. Documents without the member, or in which it is null, are a group of their own. */
int lu_doc_by(const struct lu_dedup_options *o, struct lu_doc *doc, uint64_t *hash,
		struct lu_err *err) LU_CHECKED;

/* The settings on which keys depend, for stepfile.h: "exact, key text, folded". */
void lu_doc_key_settings(const struct lu_dedup_options *o, struct lu_buf *out);

#endif
