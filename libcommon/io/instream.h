#ifndef LUCIE_IO_INSTREAM_H
#define LUCIE_IO_INSTREAM_H
/*
 * Input bytes, decompressed. What compresses them (zstd, gzip, xz, or nothing) is told by the
 * first bytes, never by the name, on standard input as well.
 *
 *	struct lu_in *in;
 *	if (lu_in_open(&in, path, &err) < 0) ...	"-" is standard input
 *	while ((n = lu_in_read(in, buf, size, &err)) > 0) ...
 *	lu_in_close(in);
 *
 * All members are read: several zstd frames (skippable ones are skipped), several gzip members
 * or xz streams. Checksums are verified. A stream that stops in the middle, a wrong checksum
 * and anything that follows the last member, except zero bytes of padding, is an error that
 * names the file. An empty file is an empty stream.
 *
 * One thread at a time per stream.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcommon/base/err.h"

struct lu_in;

int lu_in_open(struct lu_in **in, const char *path, struct lu_err *err) LU_CHECKED;
/* The same over bytes that a function gives (a member of an archive, a buffer): it returns how
 * many it put at p, at most n, 0 at the end, -1 with a sentence. */
typedef ssize_t lu_in_fn(void *ctx, void *p, size_t n, struct lu_err *err);
int lu_in_open_fn(struct lu_in **in, const char *name, lu_in_fn *fn, void *ctx,
		struct lu_err *err) LU_CHECKED;
/* Fills buf unless the stream ends: fewer than n bytes means the end. 0 at the end, -1 on error. */
ssize_t lu_in_read(struct lu_in *in, void *buf, size_t n, struct lu_err *err) LU_CHECKED;
/* Name for messages: the path, or "-". Valid until close. */
const char *lu_in_name(const struct lu_in *in);
/* Bytes taken from the file so far, and the file's size or 0 when it has none: for progress. */
uint64_t lu_in_consumed(const struct lu_in *in);
uint64_t lu_in_size(const struct lu_in *in);
void lu_in_close(struct lu_in *in); /* NULL is fine */

#endif
