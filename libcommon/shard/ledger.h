#ifndef LUCIE_SHARD_LEDGER_H
#define LUCIE_SHARD_LEDGER_H
/*
 * The ledger of a shard, PREFIX.docs.jsonl.zst (lucie-shard(5)): the document, source, licence and
 * language of each token.
 *
 *	struct lu_ledger *l;
 *	struct lu_ledger_doc d;
 *	if (lu_ledger_open(&l, shard, &err) < 0) ...
 *	while ((rc = lu_ledger_next(l, &d, &err)) > 0) ...	from document 0
 *	lu_ledger_seek(l, document, &err);	the next document returned
 *	lu_ledger_close(l);
 *
 * Each line is checked against the index; a difference is an error. In a shard that was joined from
 * others the lines count tokens from the beginning of each; here they are numbers of the whole. Seeking forward skips at about
 * the speed of decompression, seeking backward reads the part's file again from its start.
 * Not in the bare build.
 */
#include "libcommon/shard/reader.h"

struct lu_ledger;

struct lu_ledger_doc {
	uint64_t document; /* number in the shard */
	uint64_t first, tokens;
	uint64_t bytes; /* of text */
	/* Raw JSON as in the document's record, null where it had none. */
	struct lu_str id, source, license, lang;
};

/* The shard must stay open while the ledger is used. */
int lu_ledger_open(struct lu_ledger **l, const struct lu_shard *s, struct lu_err *err) LU_CHECKED;
/* 1: the next document, valid until the next call; 0: no more; -1. */
int lu_ledger_next(struct lu_ledger *l, struct lu_ledger_doc *d, struct lu_err *err) LU_CHECKED;
/* `document` is at most lu_shard_documents(), which is the end. */
int lu_ledger_seek(struct lu_ledger *l, uint64_t document, struct lu_err *err) LU_CHECKED;
void lu_ledger_close(struct lu_ledger *l); /* NULL is fine */

/* Append the line of a document, with its newline. */
void lu_ledger_write(const struct lu_ledger_doc *d, struct lu_buf *out);
/* Append the members of that line, but for "bytes", to the object that is open. */
void lu_ledger_put_members(const struct lu_ledger_doc *d, struct lu_buf *out);

#endif
