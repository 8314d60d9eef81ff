#ifndef LUCIE_IO_OUTSTREAM_H
#define LUCIE_IO_OUTSTREAM_H
/*
 * Output streams, compressed or not, to an atomic file (sys/atomicfile.h).
 *
 *	struct lu_out *out;
 *
 *	if (lu_out_open(&out, std->output, std->compress, threads, err) < 0)
 *		return -1;
 *	if (lu_out_write(out, p, n, err) < 0) {
 *		lu_out_abort(out);
 *		return -1;
 *	}
 *	return lu_out_commit(out, err);
 *
 * Compression is `how`: "zstd", "zstd:19", "zstd:3:frames=4M", "gz", "gz:9", "xz", "none"; if that is
 * NULL it follows from the name: .zst, .gz, .xz, else none, and a name that promises a format which is
 * not written (.bz2, .lz4) is an error, .parquet too: that is written by par/account.h. The bytes depend
 * only on the data and `how`. zstd writes its checksum and always uses worker threads, since its output
 * differs between none and some, but not between numbers of them; gzip stores neither name nor time.
 *
 * With frames=SIZE the output is a sequence of zstd frames, each ended by the first line end behind SIZE
 * bytes of text (and at 1 GiB in any case), and then a skippable frame with the table of their sizes: the
 * seekable format, so that a reader can begin at any frame or read several at once, while any zstd reads
 * the whole (https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/
 * zstd_seekable_compression_format.md).
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

struct lu_out;

/* target: a file name; NULL or "-" is standard output. */
int lu_out_open(struct lu_out **out, const char *target, const char *how, int threads,
		struct lu_err *err) LU_CHECKED;
int lu_out_write(struct lu_out *out, const void *p, size_t n, struct lu_err *err) LU_CHECKED;
/* Write a buffer after checking it (lu_buf_check); the buffer is not cleared. */
int lu_out_buf(struct lu_out *out, const struct lu_buf *b, struct lu_err *err) LU_CHECKED;
/* Fail if one of the input files ("-": standard input) is the file being written. Call it before
 * reading. */
int lu_out_refuse_inputs(
		const struct lu_out *out, char **file, size_t n, struct lu_err *err) LU_CHECKED;
/* Finish the stream and sync it, under its temporary name: what is left to lu_out_commit(), the
 * rename, hardly ever fails. For what must be written before an output appears. */
int lu_out_settle(struct lu_out *out, struct lu_err *err) LU_CHECKED;
/* Finish the stream unless it is settled, sync, rename; every step is checked. Frees `out`, also on
 * failure. */
int lu_out_commit(struct lu_out *out, struct lu_err *err) LU_CHECKED;
/* Remove the temporary file and free `out`, which may be NULL. */
void lu_out_abort(struct lu_out *out);

#endif
