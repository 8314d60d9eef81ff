#ifndef LUCIE_IO_OUTSTREAM_H
#define LUCIE_IO_OUTSTREAM_H
/*
 * Output bytes, compressed or not, onto an atomic file (sys/atomicfile.h).
 *
 *	struct lu_out *out;
 *	if (lu_out_open(&out, std->output, std->compress, threads, &err) < 0) ...
 *	lu_out_write(out, p, n, &err) ...
 *	lu_out_commit(out, &err)	or lu_out_abort(out); both free it
 *
 * The compression comes from `how` ("zstd", "zstd:19", "gz", "gz:9", "xz", "none"), or when
 * that is NULL from the end of the name: .zst .gz .xz, else none. The bytes depend only on the
 * data and the level: zstd writes its checksum and always uses its worker threads (its output
 * differs between no worker and some, but not between numbers of workers); gzip stores neither
 * name nor time. Commit finishes the stream, syncs and renames; every step is checked.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

struct lu_out;

int lu_out_open(struct lu_out **out, const char *target, const char *how, int threads,
		struct lu_err *err) LU_CHECKED;
int lu_out_write(struct lu_out *out, const void *p, size_t n, struct lu_err *err) LU_CHECKED;
/* Writes the buffer if it is whole (lu_buf_ok), else fails. Does not clear it. */
int lu_out_buf(struct lu_out *out, const struct lu_buf *b, struct lu_err *err) LU_CHECKED;
/* -1 when one of the input files ("-": standard input) is the file that is written. Call it
 * before reading: a small input would be closed again by the time anyone looks. */
int lu_out_refuse(const struct lu_out *out, char **file, size_t n, struct lu_err *err) LU_CHECKED;
int lu_out_commit(struct lu_out *out, struct lu_err *err) LU_CHECKED;
void lu_out_abort(struct lu_out *out); /* NULL is fine */

#endif
