#include "libcommon/dedup/near_index.h"

#include <stdlib.h>

#include "libcommon/base/num.h"

#define MAGIC "lucieNDX"
#define VERSION 1
#define HEADER 36 /* before the name of the field */
#define ENTRY 24  /* sizes and numbers at its front */
/* A longer entry, or name of a field, is damage: a file name has at most 4096 bytes. */
#define LONGEST ((uint32_t)1 << 26)
#define FLUSH ((size_t)256 << 10)

/* --- writing ------------------------------------------------------------------------------ */

int lu_index_create(struct lu_index_writer *w, const char *path, const struct lu_minhash *mh,
		const char *by, struct lu_err *err)
{
	struct lu_str field = by ? lu_str_of(by) : LU_STR("");

	*w = (struct lu_index_writer){ .mh = mh };
	w->hash = lu_hasher_new();
	if (!w->hash)
		return lu_err_nomem(err);
	lu_buf_append(&w->buf, MAGIC, 8);
	lu_buf_le32(&w->buf, VERSION);
	lu_buf_le32(&w->buf, lu_minhash_bands(mh));
	lu_buf_le32(&w->buf, lu_minhash_rows(mh));
	lu_buf_le32(&w->buf, lu_minhash_hashes(mh));
	lu_buf_le64(&w->buf, lu_minhash_params(mh));
	lu_buf_le32(&w->buf, (uint32_t)field.n);
	lu_buf_str(&w->buf, field);
	return lu_out_open(&w->out, path, NULL, 1, err);
}

static int flush(struct lu_index_writer *w, struct lu_err *err)
{
	if (lu_out_buf(w->out, &w->buf, err) < 0)
		return -1;
	lu_hasher_add(w->hash, w->buf.p, w->buf.n);
	lu_buf_clear(&w->buf);
	return 0;
}

int lu_index_put(struct lu_index_writer *w, const struct lu_index_entry *e, struct lu_err *err)
{
	struct lu_str file = lu_str_of(e->origin.file);
	size_t size = lu_minhash_size(w->mh);

	if (e->origin.id.n > LONGEST / 2)
		return lu_err_set(err, "%s:%llu: an \"id\" of %zu bytes does not fit in an index",
				e->origin.file, (unsigned long long)e->origin.line, e->origin.id.n);
	lu_buf_le32(&w->buf, (uint32_t)(ENTRY + file.n + e->origin.id.n + size));
	lu_buf_le64(&w->buf, e->size);
	lu_buf_le64(&w->buf, e->origin.line);
	lu_buf_le32(&w->buf, (uint32_t)file.n);
	lu_buf_le32(&w->buf, (uint32_t)e->origin.id.n);
	lu_buf_str(&w->buf, file);
	lu_buf_str(&w->buf, e->origin.id);
	lu_buf_append(&w->buf, e->signature, size);
	w->count++;
	return w->buf.n >= FLUSH || !lu_buf_ok(&w->buf) ? flush(w, err) : 0;
}

int lu_index_settle(struct lu_index_writer *w, struct lu_err *err)
{
	struct lu_hash128 h;

	lu_buf_le32(&w->buf, 0);
	lu_buf_le64(&w->buf, w->count);
	if (flush(w, err) < 0)
		return -1;
	h = lu_hasher_end(w->hash);
	lu_buf_le64(&w->buf, h.lo);
	lu_buf_le64(&w->buf, h.hi);
	return flush(w, err) < 0 ? -1 : lu_out_settle(w->out, err);
}

int lu_index_commit(struct lu_index_writer *w, struct lu_err *err)
{
	int rc = lu_out_commit(w->out, err);

	w->out = NULL;
	lu_index_abort(w);
	return rc;
}

void lu_index_abort(struct lu_index_writer *w)
{
	lu_out_abort(w->out);
	lu_hasher_free(w->hash);
	lu_buf_release(&w->buf);
	*w = (struct lu_index_writer){ 0 };
}

/* --- reading ------------------------------------------------------------------------------ */

/* Read n bytes to the buffer. */
static int take(struct lu_index_reader *r, size_t n, struct lu_err *err)
{
	ssize_t got;

	lu_buf_clear(&r->buf);
	if (!lu_buf_reserve(&r->buf, n))
		return lu_err_nomem(err);
	got = lu_in_read(r->in, r->buf.p, n, err);
	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return lu_err_set(err, "%s: truncated index", lu_in_name(r->in));
	r->buf.n = n;
	lu_hasher_add(r->hash, r->buf.p, n);
	return 0;
}

/* Compare with what is asked for; the buffer holds the header. */
static int check_header(struct lu_index_reader *r, uint32_t *length, struct lu_err *err)
{
	const char *name = lu_in_name(r->in), *head = r->buf.p;

	if (memcmp(head, MAGIC, 8) != 0)
		return lu_err_set(err, "%s: not an index of lucie-dedup", name);
	if (lu_load32(head + 8) != VERSION)
		return lu_err_set(err, "%s: index of version %u; only %d is supported", name,
				lu_load32(head + 8), VERSION);
	if (lu_load32(head + 12) != lu_minhash_bands(r->mh) ||
			lu_load32(head + 16) != lu_minhash_rows(r->mh) ||
			lu_load32(head + 20) != lu_minhash_hashes(r->mh))
		return lu_err_set(err, "%s: index of %u bands of %u rows, not %u of %u", name,
				lu_load32(head + 12), lu_load32(head + 16), lu_minhash_bands(r->mh),
				lu_minhash_rows(r->mh));
	if (lu_load64(head + 24) != lu_minhash_params(r->mh))
		return lu_err_set(err, "%s: index of another version of the hashes; make it again",
				name);
	*length = lu_load32(head + 32);
	if (*length > LONGEST)
		return lu_err_set(err, "%s: damaged index", name);
	return 0;
}

int lu_index_open(struct lu_index_reader *r, const char *path, const struct lu_minhash *mh,
		const char *by, struct lu_err *err)
{
	uint32_t length = 0;

	*r = (struct lu_index_reader){ .mh = mh, .hash = lu_hasher_new() };
	if (!r->hash)
		return lu_err_nomem(err);
	if (lu_in_open(&r->in, path, err) < 0 || take(r, HEADER, err) < 0 ||
			check_header(r, &length, err) < 0 || take(r, length, err) < 0)
		return -1;
	if (!lu_str_is(lu_buf_slice(&r->buf), by ? by : ""))
		return lu_err_set(err, "%s: index made with --by '" LU_STR_FMT "', not '%s'", path,
				LU_STR_ARG(lu_buf_slice(&r->buf)), by ? by : "");
	return 0;
}

/* Behind the last entry. */
static int check_end(struct lu_index_reader *r, struct lu_err *err)
{
	const char *name = lu_in_name(r->in);
	struct lu_hash128 h;
	char more;
	ssize_t n;

	if (take(r, 8, err) < 0)
		return -1;
	h = lu_hasher_end(r->hash);
	if (lu_load64(r->buf.p) != r->count)
		return lu_err_set(err, "%s: damaged index", name);
	if (take(r, 16, err) < 0)
		return -1;
	if (lu_load64(r->buf.p) != h.lo || lu_load64(r->buf.p + 8) != h.hi)
		return lu_err_set(err, "%s: damaged index", name);
	n = lu_in_read(r->in, &more, 1, err);
	return n > 0 ? lu_err_set(err, "%s: trailing data", name) : (int)n;
}

int lu_index_next(struct lu_index_reader *r, struct lu_index_entry *e, struct lu_err *err)
{
	size_t size = lu_minhash_size(r->mh);
	uint32_t n, file, id;
	const char *p;

	if (take(r, 4, err) < 0)
		return -1;
	n = lu_load32(r->buf.p);
	if (n == 0)
		return check_end(r, err);
	if (n < ENTRY + size || n > LONGEST)
		return lu_err_set(err, "%s: damaged index", lu_in_name(r->in));
	if (take(r, n, err) < 0)
		return -1;
	p = r->buf.p;
	file = lu_load32(p + 16);
	id = lu_load32(p + 20);
	if (file > n || id > n || ENTRY + (uint64_t)file + id + size != n)
		return lu_err_set(err, "%s: damaged index", lu_in_name(r->in));
	lu_buf_clear(&r->file);
	lu_buf_append(&r->file, p + ENTRY, file);
	if (lu_buf_check(&r->file, err) < 0)
		return -1;
	*e = (struct lu_index_entry){ .size = lu_load64(p),
		.origin = { file ? r->file.p : "", lu_load64(p + 8), { p + ENTRY + file, id } },
		.signature = p + n - size };
	r->count++;
	return 1;
}

void lu_index_close(struct lu_index_reader *r)
{
	lu_in_close(r->in);
	lu_hasher_free(r->hash);
	lu_buf_release(&r->buf);
	lu_buf_release(&r->file);
	*r = (struct lu_index_reader){ 0 };
}
