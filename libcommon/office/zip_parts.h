#ifndef LUCIE_OFFICE_ZIP_PARTS_H
#define LUCIE_OFFICE_ZIP_PARTS_H
/*
 * The parts of a document that is a zip archive in memory: docx, odt, EPUB. By libarchive, which reads
 * the archive in order, so that parts which need each other are read in several walks; a walk that
 * skips a part does not decompress it.
 *
 *	lu_zip_walk(bytes, each, ctx, &err)
 *	int each(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err)
 *		lu_zip_all(z, limit, &buf, err)		or several lu_zip_read()
 */
#include <stdbool.h>
#include <sys/types.h>

#include "libcommon/base/buf.h"

/* Results of all functions here and in xml_events.h, besides 0 and -1 (out of memory). */
enum lu_parts {
	LU_PARTS_DAMAGED = 1, /* the archive, a checksum, or the XML in it */
	LU_PARTS_LARGE = 2,   /* beyond a limit of bytes */
	LU_PARTS_BOUNDS = 3,  /* nests too deeply, or declares entities */
	LU_PARTS_ENCRYPTED = 4,
	LU_PARTS_OTHER = 5, /* not the format that the caller looks for */
	LU_PARTS_STOP = 6,  /* to end a walk early without a fault */
};

struct lu_zip;

/* Visit a part; its content can be read during the call. Not 0: end the walk with that. */
typedef int lu_zip_fn(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err);

/* Walk over the files of the archive. Returns 0, -1 or enum lu_parts; LU_PARTS_STOP becomes 0. */
int lu_zip_walk(struct lu_str bytes, lu_zip_fn *each, void *ctx, struct lu_err *err) LU_CHECKED;

/* Read on in the current part: the number of bytes, 0 at its end; *rc says why for -1. */
ssize_t lu_zip_read(struct lu_zip *z, void *p, size_t n, int *rc, struct lu_err *err) LU_CHECKED;

/* Append the current part. */
int lu_zip_all(struct lu_zip *z, uint64_t limit, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/* The word of lucie-import for a result above 0. */
const char *lu_parts_reason(int rc);

#endif
