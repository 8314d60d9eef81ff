#ifndef LUCIE_DEDUP_SIGFILE_H
#define LUCIE_DEDUP_SIGFILE_H
/*
 * Files of signatures (lucie-signatures(5)): so that signing, which is most of the work and
 * independent for each input file, may run elsewhere and earlier than the join.
 *
 *	struct lu_sigwrite w;
 *	lu_sigwrite_open(&w, path, mh, &err);
 *	lu_sigwrite_add(&w, &entry, signature, &err);	in input order
 *	lu_sigwrite_commit(&w, &err)	or lu_sigwrite_abort(&w)
 *
 *	struct lu_sigread r;
 *	lu_sigread_open(&r, files, n, mh, &err);	the files are one sequence
 *	rc = lu_sigread_next(&r, &entry, signature, &err);	1, 0 at the end, -1
 *	lu_sigread_close(&r);
 *
 * A file made with other bands or rows, of another version, cut short or damaged is an error that
 * names it. `signature` is lu_minhash_size(mh) bytes.
 */
#include "libcommon/dedup/minhash.h"
#include "libcommon/hash/hash.h"
#include "libcommon/io/instream.h"
#include "libcommon/io/outstream.h"

/* What ties a signature to its document. */
struct lu_sigentry {
	uint64_t text_hash;   /* XXH3-64 of the text */
	uint64_t text_length; /* bytes */
};

struct lu_sigwrite {
	struct lu_out *out;
	const struct lu_minhash *mh;
	struct lu_hasher *hash;
	struct lu_buf block;
	uint64_t count, in_block;
};

int lu_sigwrite_open(struct lu_sigwrite *w, const char *path, const struct lu_minhash *mh,
		struct lu_err *err) LU_CHECKED;
int lu_sigwrite_add(struct lu_sigwrite *w, const struct lu_sigentry *e, const void *signature,
		struct lu_err *err) LU_CHECKED;
int lu_sigwrite_commit(struct lu_sigwrite *w, struct lu_err *err) LU_CHECKED;
void lu_sigwrite_abort(struct lu_sigwrite *w);

struct lu_sigread {
	const char *const *file;
	size_t files, next_file;
	const struct lu_minhash *mh;
	struct lu_in *in;
	struct lu_hasher *hash;
	uint64_t count, left; /* entries read; left in this block */
};

int lu_sigread_open(struct lu_sigread *r, const char *const *file, size_t files,
		const struct lu_minhash *mh, struct lu_err *err) LU_CHECKED;
int lu_sigread_next(struct lu_sigread *r, struct lu_sigentry *e, void *signature,
		struct lu_err *err) LU_CHECKED;
void lu_sigread_close(struct lu_sigread *r);

#endif
