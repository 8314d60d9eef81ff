#ifndef LUCIE_PARQUET_STREAM_H
#define LUCIE_PARQUET_STREAM_H
/*
 * A page that is decompressed piece by piece.
 *
 *	lu_pq_stream_open(&s, codec, fd, at, n, size, crc, &err);
 *	lu_pq_stream_read(s, p, n, &err);		fills p; fewer bytes only at the end
 *	lu_pq_stream_close(s);
 *
 * It takes memory for its input (64 kB) and for what the method refers back to: 64 kB with snappy and
 * lz4, whose encoders do not look further back (a page of snappy that does is an error), at most 8 MB
 * with zstd.
 */
#include <stdint.h>
#include <sys/types.h>

#include "libcommon/parquet/parquet_codec.h"

struct lu_pq_stream;

/* Over the n bytes at offset `at` of a file, which expand to `size`. LU_PQ_LZ4_HADOOP has no stream.
 * `crc`: NULL, or the checksum of those bytes, which is compared when the last one has been read. */
int lu_pq_stream_open(struct lu_pq_stream **s, enum lu_pq_codec codec, int fd, uint64_t at,
		size_t n, size_t size, const uint32_t *crc, struct lu_err *err) LU_CHECKED;
ssize_t lu_pq_stream_read(struct lu_pq_stream *s, void *p, size_t n, struct lu_err *err) LU_CHECKED;
void lu_pq_stream_close(struct lu_pq_stream *s); /* NULL is fine */

#endif
