#ifndef LUCIE_SHARD_FROM_DOC_H
#define LUCIE_SHARD_FROM_DOC_H
/*
 * From the record of a document to what a writer of shards takes (writer.h).
 */
#include "libcommon/par/docstream.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/tokenizer/tokenizer.h"

/* Set id, source, license and lang: raw JSON that lives as long as the document. */
int lu_from_doc_members(struct lu_ledger_doc *d, struct lu_doc *doc, struct lu_err *err) LU_CHECKED;

/* What a document is held out by (holdout.h): its member `by`, else its text, else its ids. *keyed
 * tells whether it has the member. */
struct lu_str lu_from_doc_key(struct lu_doc *doc, const char *by, bool *keyed);

/* Read the array "ids"; a record without one, or with an id that is not below `vocab`, is bad. */
int lu_from_doc_ids(struct lu_doc *doc, uint64_t vocab, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/* Pack n runs of ids one after the other, as lu_shard_pack() does; the result lives as long as the
 * document. */
int lu_from_doc_pack(struct lu_doc *doc, unsigned width, const struct lu_ids *const *run, size_t n,
		void **out, struct lu_err *err) LU_CHECKED;

#endif
