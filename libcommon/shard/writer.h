#ifndef LUCIE_SHARD_WRITER_H
#define LUCIE_SHARD_WRITER_H
/*
 * Writes a shard (lucie-shard(5)): .bin, .idx, ledger, masks and manifest, in one part or several.
 *
 *	struct lu_shard_writer *w;
 *	struct lu_shard_format f = { .vocab = 65024, ... };
 *	if (lu_shard_writer_open(&w, "shards/fr", &f, &err) < 0) ...
 *	lu_shard_writer_add(w, &doc, packed, &err);	any number of times, in order
 *	lu_shard_writer_settle(w, &err);		everything is complete and on the disk
 *	lu_shard_writer_commit(w, &err);		the shard appears
 *	lu_shard_writer_free(w);			in any case; discards what is not committed
 *
 * Nothing is visible under the shard's names before commit. Commit removes the manifest and the
 * indexes of an existing shard, renames the new files, the manifest last, and removes the parts of
 * the old shard that have no successor. So at any moment, also after a kill or a power failure,
 * what opens under the name is the old shard, the new one or nothing. Where several shards belong
 * together, settle all of them before the first commit.
 *
 * Memory: some MiB, and the totals by language and licence. The index is spooled to f.tmpdir, 4
 * bytes a document. One thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/hash/hash.h"
#include "libcommon/shard/ledger.h"

struct lu_shard_format {
	uint64_t vocab; /* ids are below it; decides their width */
	bool has_tokenizer, has_bos, has_eos;
	struct lu_hash128 tokenizer; /* of the tokenizer.json */
	uint32_t bos, eos;	     /* that each document begins and ends with */
	uint64_t max_tokens;	     /* of a part; a longer document gets its own; 0: one part */
	/* "chat" or "preference": each document comes with masks; NULL: text, without. */
	const char *kind;
	bool joined;	       /* written as if joined from shards: lu_shard_writer_next() */
	struct lu_str options; /* raw JSON object for the manifest */
	const char *tmpdir;
};

struct lu_shard_writer;

int lu_shard_writer_open(struct lu_shard_writer **w, const char *prefix,
		const struct lu_shard_format *f, struct lu_err *err) LU_CHECKED;

/* Add a document. `packed` are d->tokens ids from lu_shard_pack(); d->first and d->document are
 * ignored. With f.kind, `mask` has a byte for each token, 1 where it is a target (mask.h); without, it is
 * NULL. The strings of d need not outlive the call. */
int lu_shard_writer_add_masked(struct lu_shard_writer *w, const struct lu_ledger_doc *d,
		const void *packed, const uint8_t *mask, struct lu_err *err) LU_CHECKED;
/* Add one without a mask. */
static inline int LU_CHECKED lu_shard_writer_add(struct lu_shard_writer *w,
		const struct lu_ledger_doc *d, const void *packed, struct lu_err *err)
{
	return lu_shard_writer_add_masked(w, d, packed, NULL, err);
}

/* With f.joined: end the part that is being written, and begin another shard within this one, as if
 * the documents so far and those that follow had been written apart and joined (joined.h). */
int lu_shard_writer_next(struct lu_shard_writer *w, struct lu_err *err) LU_CHECKED;
/* Documents since then. */
uint64_t lu_shard_writer_since(const struct lu_shard_writer *w);

int lu_shard_writer_settle(struct lu_shard_writer *w, struct lu_err *err) LU_CHECKED;
int lu_shard_writer_commit(struct lu_shard_writer *w, struct lu_err *err) LU_CHECKED;
void lu_shard_writer_free(struct lu_shard_writer *w); /* NULL is fine */

uint64_t lu_shard_writer_documents(const struct lu_shard_writer *w);
uint64_t lu_shard_writer_tokens(const struct lu_shard_writer *w);
/* Tokens that are targets; without masks all of them. */
uint64_t lu_shard_writer_targets(const struct lu_shard_writer *w);

/* Convert ids to the form of the .bin, lu_idx_width_for(vocab) bytes each (shard/format.h). */
void lu_shard_pack(unsigned width, const uint32_t *ids, size_t n, void *out);

#endif
