#include "libcommon/office/zip_parts.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>

struct lu_zip {
	struct archive *a;
	bool encrypted; /* the current part */
};

/* The result for a failure of libarchive. */
static int fault(struct archive *a, struct lu_err *err)
{
	return archive_errno(a) == ENOMEM ? lu_err_nomem(err) : LU_PARTS_DAMAGED;
}

static int walk(struct lu_zip *z, struct lu_str bytes, lu_zip_fn *each, void *ctx,
		struct lu_err *err)
{
	struct archive_entry *e;
	int rc = archive_read_support_format_zip_seekable(z->a);

	if (rc >= ARCHIVE_WARN)
		rc = archive_read_open_memory(z->a, bytes.p, bytes.n);
	if (rc < ARCHIVE_WARN)
		return fault(z->a, err);
	for (;;) {
		const char *name;

		rc = archive_read_next_header(z->a, &e);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc < ARCHIVE_WARN)
			return fault(z->a, err);
		name = archive_entry_pathname(e);
		if (!name)
			name = archive_entry_pathname_utf8(e);
		if (!name || archive_entry_filetype(e) == AE_IFDIR)
			continue;
		z->encrypted = archive_entry_is_encrypted(e) != 0;
		rc = each(ctx, z, lu_str_of(name), err);
		if (rc != 0)
			return rc == LU_PARTS_STOP ? 0 : rc;
	}
}

int lu_zip_walk(struct lu_str bytes, lu_zip_fn *each, void *ctx, struct lu_err *err)
{
	struct lu_zip z = { .a = archive_read_new() };
	/* libarchive converts names through the charset of the locale, and ours is "C". */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
	int rc = -1;

	if (!z.a || !utf8) {
		lu_err_nomem(err);
		goto out;
	}
	before = uselocale(utf8);
	rc = walk(&z, bytes, each, ctx, err);
	uselocale(before);
out:
	if (z.a)
		archive_read_free(z.a);
	if (utf8)
		freelocale(utf8);
	return rc;
}

ssize_t lu_zip_read(struct lu_zip *z, void *p, size_t n, int *rc, struct lu_err *err)
{
	la_ssize_t got;

	if (z->encrypted) {
		*rc = LU_PARTS_ENCRYPTED;
		return -1;
	}
	do
		got = archive_read_data(z->a, p, n);
	while (got == ARCHIVE_RETRY);
	if (got < 0)
		*rc = fault(z->a, err);
	return got < 0 ? -1 : (ssize_t)got;
}

int lu_zip_all(struct lu_zip *z, uint64_t limit, struct lu_buf *out, struct lu_err *err)
{
	const size_t block = 32768;
	uint64_t all = 0;

	for (;;) {
		ssize_t n;
		int rc = 0;

		if (!lu_buf_reserve(out, block))
			return lu_err_nomem(err);
		n = lu_zip_read(z, out->p + out->n, block, &rc, err);
		if (n <= 0)
			return rc;
		out->n += (size_t)n;
		all += (uint64_t)n;
		if (all > limit)
			return LU_PARTS_LARGE;
	}
}

const char *lu_parts_reason(int rc)
{
	switch (rc) {
	case LU_PARTS_DAMAGED: return "damaged";
	case LU_PARTS_LARGE: return "too large";
	case LU_PARTS_BOUNDS: return "markup out of bounds";
	case LU_PARTS_ENCRYPTED: return "encrypted";
	default: return "not text";
	}
}
