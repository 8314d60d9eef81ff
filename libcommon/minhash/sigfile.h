#ifndef LUCIE_MINHASH_SIGFILE_H
#define LUCIE_MINHASH_SIGFILE_H
/*
 * Signature files (lucie-signatures(5)). Signing is most of the work and independent for each input
 * file, so it may run elsewhere and earlier than the join.
 *
 *	struct lu_sigwriter w;
 *	lu_sigwriter_open(&w, path, mh, &err);
 *	lu_sigwriter_add(&w, &entry, signature, &err);	in input order
 *	lu_sigwriter_commit(&w, &err)	or lu_sigwriter_abort(&w)
 *
 *	struct lu_sigreader r;
 *	lu_sigreader_init(&r, files, n, mh);		the files are one sequence
 *	rc = lu_sigreader_next(&r, &entry, signature, &err);	1, 0 at the end, -1
 *	lu_sigreader_close(&r);
 *
 * A file with other bands or rows, of another version, truncated or corrupt is an error that names
 * it. `signature` is lu_minhash_size(mh) bytes.
 */
#include "libcommon/hash/hash.h"
#include "libcommon/io/instream.h"
#include "libcommon/io/outstream.h"
#include "libcommon/minhash/minhash.h"

/* Ties a signature to its document. */
struct lu_sigentry {
	uint64_t text_hash;   /* XXH3-64 of the text */
	uint64_t text_length; /* bytes */
};

struct lu_sigwriter {
	struct lu_out *out;
	const struct lu_minhash *mh;
	struct lu_hasher *hash;
	struct lu_buf block;
	uint64_t count, in_block; /* entries in all; in the block */
};

int lu_sigwriter_open(struct lu_sigwriter *w, const char *path, const struct lu_minhash *mh,
		struct lu_err *err) LU_CHECKED;
int lu_sigwriter_add(struct lu_sigwriter *w, const struct lu_sigentry *e, const void *signature,
		struct lu_err *err) LU_CHECKED;
int lu_sigwriter_commit(struct lu_sigwriter *w, struct lu_err *err) LU_CHECKED;
void lu_sigwriter_abort(struct lu_sigwriter *w); /* { 0 } is fine, and so is twice */

struct lu_sigreader {
	const char *const *file;
	size_t files, next_file;
	const struct lu_minhash *mh;
	struct lu_in *in;
	struct lu_hasher *hash;
	uint64_t count, left; /* entries read from this file; left in this block */
};

/* `file` must outlive the reader. */
void lu_sigreader_init(struct lu_sigreader *r, const char *const *file, size_t files,
		const struct lu_minhash *mh);
int lu_sigreader_next(struct lu_sigreader *r, struct lu_sigentry *e, void *signature,
		struct lu_err *err) LU_CHECKED;
/* 0 when every signature has been read, else an error. */
int lu_sigreader_expect_end(struct lu_sigreader *r, struct lu_err *err) LU_CHECKED;
void lu_sigreader_close(struct lu_sigreader *r); /* { 0 } is fine */

#endif
