#include "libcommon/dedup/sigfile.h"

#include "libcommon/base/num.h"

#define MAGIC "lucieSIG"
#define VERSION 1
#define HEADER 40
#define TRAILER 24
#define BLOCK_ENTRIES 1024

int lu_sigwrite_open(struct lu_sigwrite *w, const char *path, const struct lu_minhash *mh,
		struct lu_err *err)
{
	unsigned char head[HEADER] = MAGIC;

	*w = (struct lu_sigwrite){ .mh = mh };
	if (lu_out_open(&w->out, path, NULL, 1, err) < 0)
		return -1;
	w->hash = lu_hasher_new();
	if (!w->hash) {
		lu_sigwrite_abort(w);
		return lu_err_nomem(err);
	}
	lu_store32(head + 8, VERSION);
	lu_store32(head + 12, lu_minhash_bands(mh));
	lu_store32(head + 16, lu_minhash_rows(mh));
	lu_store32(head + 20, lu_minhash_hashes(mh));
	lu_store64(head + 24, lu_minhash_params(mh));
	lu_store64(head + 32, 16 + lu_minhash_size(mh));
	if (lu_out_write(w->out, head, sizeof(head), err) < 0) {
		lu_sigwrite_abort(w);
		return -1;
	}
	return 0;
}

static int put_block(struct lu_sigwrite *w, struct lu_err *err)
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

int lu_sigwrite_add(struct lu_sigwrite *w, const struct lu_sigentry *e, const void *signature,
		struct lu_err *err)
{
	unsigned char entry[16];

	lu_store64(entry, e->text_hash);
	lu_store64(entry + 8, e->text_length);
	lu_buf_append(&w->block, entry, sizeof(entry));
	lu_buf_append(&w->block, signature, lu_minhash_size(w->mh));
	w->count++;
	return ++w->in_block == BLOCK_ENTRIES ? put_block(w, err) : 0;
}

int lu_sigwrite_commit(struct lu_sigwrite *w, struct lu_err *err)
{
	unsigned char tail[8 + TRAILER] = { 0 };
	struct lu_hash128 h;
	int rc = put_block(w, err);

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
	lu_sigwrite_abort(w);
	return rc;
}

void lu_sigwrite_abort(struct lu_sigwrite *w)
{
	lu_out_abort(w->out);
	lu_hasher_free(w->hash);
	lu_buf_release(&w->block);
	*w = (struct lu_sigwrite){ 0 };
}

/* --- reading ------------------------------------------------------------------------------ */

int lu_sigread_open(struct lu_sigread *r, const char *const *file, size_t files,
		const struct lu_minhash *mh, struct lu_err *err)
{
	(void)err;
	*r = (struct lu_sigread){ .file = file, .files = files, .mh = mh };
	return 0;
}

static int get(struct lu_sigread *r, void *p, size_t n, struct lu_err *err)
{
	ssize_t got = lu_in_read(r->in, p, n, err);

	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return lu_err_set(err, "%s: signatures end in the middle", lu_in_name(r->in));
	return 0;
}

static int open_next(struct lu_sigread *r, struct lu_err *err)
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
	if (get(r, head, sizeof(head), err) < 0)
		return -1;
	if (memcmp(head, MAGIC, 8) != 0)
		return lu_err_set(err, "%s: not a file of signatures", name);
	if (lu_load32(head + 8) != VERSION)
		return lu_err_set(err, "%s: signatures of version %u, this is %d", name,
				lu_load32(head + 8), VERSION);
	if (lu_load64(head + 24) != lu_minhash_params(r->mh) ||
			lu_load32(head + 12) != lu_minhash_bands(r->mh) ||
			lu_load32(head + 16) != lu_minhash_rows(r->mh) ||
			lu_load32(head + 20) != lu_minhash_hashes(r->mh) ||
			lu_load64(head + 32) != 16 + lu_minhash_size(r->mh))
		return lu_err_set(err, "%s: signatures with %u bands of %u rows, not %u of %u",
				name, lu_load32(head + 12), lu_load32(head + 16),
				lu_minhash_bands(r->mh), lu_minhash_rows(r->mh));
	return 0;
}

static int close_this(struct lu_sigread *r, struct lu_err *err)
{
	unsigned char tail[TRAILER], more;
	struct lu_hash128 h = lu_hasher_end(r->hash);
	ssize_t n;

	if (get(r, tail, sizeof(tail), err) < 0)
		return -1;
	if (lu_load64(tail) != r->count || lu_load64(tail + 8) != h.lo ||
			lu_load64(tail + 16) != h.hi)
		return lu_err_set(err, "%s: wrong checksum", lu_in_name(r->in));
	n = lu_in_read(r->in, &more, 1, err);
	if (n > 0)
		lu_err_set(err, "%s: data after the signatures", lu_in_name(r->in));
	if (n != 0)
		return -1;
	lu_sigread_close(r);
	return 0;
}

int lu_sigread_next(
		struct lu_sigread *r, struct lu_sigentry *e, void *signature, struct lu_err *err)
{
	unsigned char entry[16];
	size_t size = lu_minhash_size(r->mh);

	while (!r->in || r->left == 0) {
		unsigned char count[8];

		if (!r->in) {
			if (r->next_file == r->files)
				return 0;
			if (open_next(r, err) < 0)
				return -1;
		}
		if (get(r, count, sizeof(count), err) < 0)
			return -1;
		r->left = lu_load64(count);
		if (r->left == 0 && close_this(r, err) < 0)
			return -1;
	}
	if (get(r, entry, sizeof(entry), err) < 0 || get(r, signature, size, err) < 0)
		return -1;
	lu_hasher_add(r->hash, entry, sizeof(entry));
	lu_hasher_add(r->hash, signature, size);
	e->text_hash = lu_load64(entry);
	e->text_length = lu_load64(entry + 8);
	r->left--;
	r->count++;
	return 1;
}

void lu_sigread_close(struct lu_sigread *r)
{
	lu_in_close(r->in);
	lu_hasher_free(r->hash);
	r->in = NULL;
	r->hash = NULL;
}
