#include "libcommon/minhash/sigfile.h"

#include "libcommon/base/num.h"

#define MAGIC "lucieSIG"
#define VERSION 1
#define HEADER 40
#define TRAILER 24
#define ENTRY 16 /* bytes before each signature */
#define BLOCK_ENTRIES 1024

/* --- writing ------------------------------------------------------------------------------ */

int lu_sigwriter_open(struct lu_sigwriter *w, const char *path, const struct lu_minhash *mh,
		struct lu_err *err)
{
	unsigned char head[HEADER] = MAGIC;

	*w = (struct lu_sigwriter){ .mh = mh };
	if (lu_out_open(&w->out, path, NULL, 1, err) < 0)
		return -1;
	w->hash = lu_hasher_new();
	if (!w->hash) {
		lu_sigwriter_abort(w);
		return lu_err_nomem(err);
	}
	lu_store32(head + 8, VERSION);
	lu_store32(head + 12, lu_minhash_bands(mh));
	lu_store32(head + 16, lu_minhash_rows(mh));
	lu_store32(head + 20, lu_minhash_hashes(mh));
	lu_store64(head + 24, lu_minhash_params(mh));
	lu_store64(head + 32, ENTRY + lu_minhash_size(mh));
	if (lu_out_write(w->out, head, sizeof(head), err) < 0) {
		lu_sigwriter_abort(w);
		return -1;
	}
	return 0;
}

static int flush_block(struct lu_sigwriter *w, struct lu_err *err)
{
	unsigned char count[8];

	if (w->in_block == 0)
		return 0;
	lu_store64(count, w->in_block);
	if (lu_out_write(w->out, count, sizeof(count), err) < 0 ||
			lu_out_buf(w->out, &w->block, err) < 0)
		return -1;
	lu_hasher_add(w->hash, w->block.p, w->block.n);
	lu_buf_clear(&w->block);
	w->in_block = 0;
	return 0;
}

int lu_sigwriter_add(struct lu_sigwriter *w, const struct lu_sigentry *e, const void *signature,
		struct lu_err *err)
{
	unsigned char entry[ENTRY];

	lu_store64(entry, e->text_hash);
	lu_store64(entry + 8, e->text_length);
	lu_buf_append(&w->block, entry, sizeof(entry));
	lu_buf_append(&w->block, signature, lu_minhash_size(w->mh));
	w->count++;
	return ++w->in_block == BLOCK_ENTRIES ? flush_block(w, err) : 0;
}

int lu_sigwriter_commit(struct lu_sigwriter *w, struct lu_err *err)
{
	/* An empty block ends the sequence of blocks. */
	unsigned char tail[8 + TRAILER] = { 0 };
	struct lu_hash128 h;
	int rc = flush_block(w, err);

	if (rc == 0) {
		h = lu_hasher_end(w->hash);
		lu_store64(tail + 8, w->count);
		lu_store64(tail + 16, h.lo);
		lu_store64(tail + 24, h.hi);
		rc = lu_out_write(w->out, tail, sizeof(tail), err);
	}
	if (rc == 0) {
		rc = lu_out_commit(w->out, err);
		w->out = NULL;
	}
	lu_sigwriter_abort(w);
	return rc;
}

void lu_sigwriter_abort(struct lu_sigwriter *w)
{
	lu_out_abort(w->out);
	lu_hasher_free(w->hash);
	lu_buf_release(&w->block);
	*w = (struct lu_sigwriter){ 0 };
}

/* --- reading ------------------------------------------------------------------------------ */

void lu_sigreader_init(struct lu_sigreader *r, const char *const *file, size_t files,
		const struct lu_minhash *mh)
{
	*r = (struct lu_sigreader){ .file = file, .files = files, .mh = mh };
}

static int read_exactly(struct lu_sigreader *r, void *p, size_t n, struct lu_err *err)
{
	ssize_t got = lu_in_read(r->in, p, n, err);

	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return lu_err_set(err, "%s: truncated signature file", lu_in_name(r->in));
	return 0;
}

static int open_next(struct lu_sigreader *r, struct lu_err *err)
{
	unsigned char head[HEADER];
	const char *name = r->file[r->next_file];

	if (lu_in_open(&r->in, name, err) < 0)
		return -1;
	r->next_file++;
	r->hash = lu_hasher_new();
	if (!r->hash)
		return lu_err_nomem(err);
	r->count = r->left = 0;
	if (read_exactly(r, head, sizeof(head), err) < 0)
		return -1;
	if (memcmp(head, MAGIC, 8) != 0)
		return lu_err_set(err, "%s: not a signature file", name);
	if (lu_load32(head + 8) != VERSION)
		return lu_err_set(err, "%s: signature file of version %u; only %d is supported",
				name, lu_load32(head + 8), VERSION);
	if (lu_load64(head + 24) != lu_minhash_params(r->mh) ||
			lu_load32(head + 12) != lu_minhash_bands(r->mh) ||
			lu_load32(head + 16) != lu_minhash_rows(r->mh) ||
			lu_load32(head + 20) != lu_minhash_hashes(r->mh) ||
			lu_load64(head + 32) != ENTRY + lu_minhash_size(r->mh))
		return lu_err_set(err, "%s: signatures of %u bands of %u rows, not %u of %u", name,
				lu_load32(head + 12), lu_load32(head + 16), lu_minhash_bands(r->mh),
				lu_minhash_rows(r->mh));
	return 0;
}

/* Check the trailer and close the file. */
static int close_file(struct lu_sigreader *r, struct lu_err *err)
{
	unsigned char tail[TRAILER], more;
	struct lu_hash128 h = lu_hasher_end(r->hash);
	ssize_t n;

	if (read_exactly(r, tail, sizeof(tail), err) < 0)
		return -1;
	if (lu_load64(tail) != r->count || lu_load64(tail + 8) != h.lo ||
			lu_load64(tail + 16) != h.hi)
		return lu_err_set(err, "%s: checksum mismatch", lu_in_name(r->in));
	n = lu_in_read(r->in, &more, 1, err);
	if (n > 0)
		lu_err_set(err, "%s: trailing data", lu_in_name(r->in));
	if (n != 0)
		return -1;
	lu_sigreader_close(r);
	return 0;
}

/* Advance to a block with entries: 1, 0 after the last file, -1. */
static int find_block(struct lu_sigreader *r, struct lu_err *err)
{
	while (!r->in || r->left == 0) {
		unsigned char count[8];

		if (!r->in) {
			if (r->next_file == r->files)
				return 0;
			if (open_next(r, err) < 0)
				return -1;
		}
		if (read_exactly(r, count, sizeof(count), err) < 0)
			return -1;
		r->left = lu_load64(count);
		if (r->left == 0 && close_file(r, err) < 0)
			return -1;
	}
	return 1;
}

int lu_sigreader_next(
		struct lu_sigreader *r, struct lu_sigentry *e, void *signature, struct lu_err *err)
{
	unsigned char entry[ENTRY];
	size_t size = lu_minhash_size(r->mh);
	int rc = find_block(r, err);

	if (rc <= 0)
		return rc;
	if (read_exactly(r, entry, sizeof(entry), err) < 0 ||
			read_exactly(r, signature, size, err) < 0)
		return -1;
	lu_hasher_add(r->hash, entry, sizeof(entry));
	lu_hasher_add(r->hash, signature, size);
	e->text_hash = lu_load64(entry);
	e->text_length = lu_load64(entry + 8);
	r->left--;
	r->count++;
	return 1;
}

int lu_sigreader_expect_end(struct lu_sigreader *r, struct lu_err *err)
{
	int rc = find_block(r, err);

	return rc > 0 ? lu_err_set(err, "%s: more signatures than documents", lu_in_name(r->in))
		      : rc;
}

void lu_sigreader_close(struct lu_sigreader *r)
{
	lu_in_close(r->in);
	lu_hasher_free(r->hash);
	r->in = NULL;
	r->hash = NULL;
}
