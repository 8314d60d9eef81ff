#ifndef LUCIE_PARQUET_CODEC_H
#define LUCIE_PARQUET_CODEC_H
/*
 * The compression of pages.
 *
 *	lu_pq_unpack(codec, in, &out, size, &err);	appends exactly `size` bytes
 *
 * Pages that are too large to be held: parquet_stream.h.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

enum lu_pq_codec {
	LU_PQ_NONE,
	LU_PQ_SNAPPY,
	LU_PQ_GZIP,
	LU_PQ_LZO,
	LU_PQ_BROTLI,
	LU_PQ_LZ4_HADOOP,
	LU_PQ_ZSTD,
	LU_PQ_LZ4,
	LU_PQ_CODECS,
};

/* "snappy"; NULL: a codec that is unknown or not read (LZO). */
const char *lu_pq_codec_name(int64_t codec);

int lu_pq_unpack(enum lu_pq_codec codec, struct lu_str in, struct lu_buf *out, size_t size,
		struct lu_err *err) LU_CHECKED;

#endif
