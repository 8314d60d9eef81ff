#ifndef LUCIE_DEDUP_NEAR_INDEX_H
#define LUCIE_DEDUP_NEAR_INDEX_H
/*
 * Indexes of near deduplication (lucie-index(5)): the documents that a run kept, with their
 * signatures, where they came from and how many documents each stands for. The next dump is compared
 * with them.
 *
 *	struct lu_index_writer w = { 0 };
 *	lu_index_create(&w, path, mh, by, &err);
 *	lu_index_put(&w, &entry, &err);			any number of times
 *	lu_index_settle(&w, &err);			all but the rename
 *	lu_index_commit(&w, &err)	or lu_index_abort(&w)
 *
 *	struct lu_index_reader r = { 0 };
 *	lu_index_open(&r, path, mh, by, &err);
 *	while ((rc = lu_index_next(&r, &entry, &err)) > 0)
 *	lu_index_close(&r);
 *
 * `by` is the field of --by, whose content the band keys depend on, or NULL. An index made with other
 * bands, rows, hashes or field, of another version, truncated or corrupt is an error that names it.
 * It may be compressed.
 */
#include "libcommon/dedup/removed.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/instream.h"
#include "libcommon/io/outstream.h"
#include "libcommon/minhash/minhash.h"

struct lu_index_entry {
	uint64_t size; /* documents that it stands for, with itself */
	struct lu_origin origin;
	const void *signature;
};

struct lu_index_writer {
	struct lu_out *out;
	const struct lu_minhash *mh;
	struct lu_hasher *hash;
	struct lu_buf buf;
	uint64_t count;
};

int lu_index_create(struct lu_index_writer *w, const char *path, const struct lu_minhash *mh,
		const char *by, struct lu_err *err) LU_CHECKED;
int lu_index_put(struct lu_index_writer *w, const struct lu_index_entry *e,
		struct lu_err *err) LU_CHECKED;
int lu_index_settle(struct lu_index_writer *w, struct lu_err *err) LU_CHECKED;
int lu_index_commit(struct lu_index_writer *w, struct lu_err *err) LU_CHECKED;
void lu_index_abort(struct lu_index_writer *w); /* { 0 } is fine, and so is twice */

struct lu_index_reader {
	struct lu_in *in;
	const struct lu_minhash *mh;
	struct lu_hasher *hash;
	struct lu_buf buf, file; /* the entry; its file name, with a NUL */
	uint64_t count;
};

int lu_index_open(struct lu_index_reader *r, const char *path, const struct lu_minhash *mh,
		const char *by, struct lu_err *err) LU_CHECKED;
/* 1 and the next entry, which is valid until the next call; 0 behind the last one; -1. */
int lu_index_next(
		struct lu_index_reader *r, struct lu_index_entry *e, struct lu_err *err) LU_CHECKED;
void lu_index_close(struct lu_index_reader *r); /* { 0 } is fine */

#endif
