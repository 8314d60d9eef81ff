#ifndef LUCIE_IO_INSTREAM_H
#define LUCIE_IO_INSTREAM_H
/*
 * Input streams, decompressed. The format (zstd, gzip, xz, bzip2, lz4 or none) is recognised by the
 * first bytes, never by the name, and on standard input too.
 *
 *	struct lu_in *in;
 *	ssize_t n;
 *
 *	if (lu_in_open(&in, path, err) < 0)		"-": standard input
 *		return -1;
 *	while ((n = lu_in_read(in, buf, size, err)) > 0)
 *		use(buf, n);
 *	lu_in_close(in);
 *	return n < 0 ? -1 : 0;
 *
 * All members of a stream are read: several zstd or lz4 frames (skippable frames are skipped), gzip
 * members, xz or bzip2 streams. Checksums are verified. A stream that ends inside a member, a wrong
 * checksum, and anything behind the last member except zero padding (gzip; xz, in multiples of four
 * bytes) are errors that name the file. An empty file is an empty stream.
 *
 * A file of zstd frames that share a dictionary carries it in a skippable frame 0x184D2A5D at its
 * beginning, compressed by zstd or not (IIPC, "Use of Zstandard in WARC files", for .warc.zst).
 *
 * Legacy formats are not read: .lzma has no checksum, so that damage could not be told, and lz4's
 * first format has no end.
 *
 * One thread at a time per stream.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcommon/base/err.h"

struct lu_in;

int lu_in_open(struct lu_in **in, const char *path, struct lu_err *err) LU_CHECKED;
/* Open a stream over the bytes of a callback (a member of an archive, a buffer). It stores up to n
 * bytes at p and returns their number: 0 at the end, -1 on error. */
typedef ssize_t lu_in_fn(void *ctx, void *p, size_t n, struct lu_err *err);
int lu_in_open_fn(struct lu_in **in, const char *name, lu_in_fn *fn, void *ctx,
		struct lu_err *err) LU_CHECKED;
/* Read n bytes; fewer only at the end of the stream. Returns their number, or -1. */
ssize_t lu_in_read(struct lu_in *in, void *buf, size_t n, struct lu_err *err) LU_CHECKED;
/* Let no lu_in_read() cross the end of a member (a gzip member, zstd frame or xz stream): it then
 * returns fewer bytes, but 0 only at the end of the stream. lu_in_begins_member() tells whether the
 * bytes of the last read are the first of a member. */
void lu_in_stop_at_members(struct lu_in *in);
bool lu_in_begins_member(const struct lu_in *in);
/* Read a stream, of which nothing was read yet and whose name says so, as brotli (RFC 7932), which has
 * neither a mark nor a checksum; but not if its first bytes are those of another format or text. */
int lu_in_named_brotli(struct lu_in *in, struct lu_err *err) LU_CHECKED;
/* After lu_in_read() failed where lu_in_stop_at_members() was asked for: is it damage of the stream, as
 * opposed to a failing read? What was decoded in front of the damage was given before. */
bool lu_in_is_damaged(const struct lu_in *in);
/* Go on behind the damage at the next byte that begins a member, which is where records begin that are
 * members of their own. 1; 0: there is none; -1. */
int lu_in_pass_damage(struct lu_in *in, struct lu_err *err) LU_CHECKED;
/* Name for messages, as given to open; valid until close. */
const char *lu_in_name(const struct lu_in *in);
/* For progress: compressed bytes read so far, and the size of a regular file (otherwise 0). */
uint64_t lu_in_consumed(const struct lu_in *in);
uint64_t lu_in_size(const struct lu_in *in);
void lu_in_close(struct lu_in *in); /* NULL is fine */

#endif
