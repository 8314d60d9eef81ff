#include "libcommon/parquet/parquet_codec.h"

#include <brotli/decode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "libcommon/base/num.h"

const char *lu_pq_codec_name(int64_t codec)
{
	static const char *const name[] = { "none", "snappy", "gzip", NULL, "brotli", "lz4", "zstd",
		"lz4_raw" };

	return codec >= 0 && codec < LU_PQ_CODECS ? name[codec] : NULL;
}

/* Gzip members, or the zlib or raw form that some writers call gzip. */
static bool unpack_gzip(struct lu_str in, char *out, size_t size)
{
	z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)in.p,
		.avail_in = (uInt)in.n,
		.next_out = (Bytef *)out,
		.avail_out = (uInt)size };
	int rc;

	if (inflateInit2(&z, 15 + 32) != Z_OK)
		return false;
	do {
		rc = inflate(&z, Z_FINISH);
		if (rc == Z_STREAM_END && z.avail_in && z.avail_out && inflateReset(&z) != Z_OK)
			rc = Z_DATA_ERROR;
	} while (rc == Z_STREAM_END && z.avail_in && z.avail_out);
	inflateEnd(&z);
	return rc == Z_STREAM_END && z.avail_out == 0;
}

/* Blocks as Hadoop frames them: the sizes of the text and of the block, big-endian, then blocks
 * until the text is whole. */
static bool unpack_hadoop(struct lu_str in, char *out, size_t size)
{
	size_t done = 0;

	while (in.n >= 8) {
		uint32_t text = __builtin_bswap32(lu_load32(in.p));
		uint32_t block = __builtin_bswap32(lu_load32(in.p + 4));

		if (block > in.n - 8 || text > size - done)
			return false;
		if (LZ4_decompress_safe(in.p + 8, out + done, (int)block, (int)text) != (int)text)
			return false;
		in = (struct lu_str){ in.p + 8 + block, in.n - 8 - block };
		done += text;
	}
	return in.n == 0 && done == size;
}

static bool unpack(enum lu_pq_codec codec, struct lu_str in, char *out, size_t size)
{
	size_t n = size;

	switch (codec) {
	case LU_PQ_NONE:
		if (in.n == size && size)
			memcpy(out, in.p, size);
		return in.n == size;
	case LU_PQ_SNAPPY:
		return snappy_uncompressed_length(in.p, in.n, &n) == SNAPPY_OK && n == size &&
				snappy_uncompress(in.p, in.n, out, &n) == SNAPPY_OK;
	case LU_PQ_GZIP: return unpack_gzip(in, out, size);
	case LU_PQ_BROTLI:
		return BrotliDecoderDecompress(in.n, (const uint8_t *)in.p, &n, (uint8_t *)out) ==
				BROTLI_DECODER_RESULT_SUCCESS &&
				n == size;
	case LU_PQ_ZSTD: return ZSTD_decompress(out, size, in.p, in.n) == size;
	case LU_PQ_LZ4: return LZ4_decompress_safe(in.p, out, (int)in.n, (int)size) == (int)size;
	case LU_PQ_LZ4_HADOOP:
		/* Some writers said lz4 and meant a bare block. */
		return unpack_hadoop(in, out, size) ||
				LZ4_decompress_safe(in.p, out, (int)in.n, (int)size) == (int)size;
	case LU_PQ_LZO:
	case LU_PQ_CODECS: break;
	}
	return false;
}

int lu_pq_unpack(enum lu_pq_codec codec, struct lu_str in, struct lu_buf *out, size_t size,
		struct lu_err *err)
{
	if (in.n > INT32_MAX || size > INT32_MAX)
		return lu_err_set(err, "a page of more than 2 GB");
	if (!lu_buf_reserve(out, size))
		return lu_err_nomem(err);
	/* An empty page may have no bytes at all. */
	if (!(size == 0 && in.n == 0) && !unpack(codec, in, out->p + out->n, size))
		return lu_err_set(err, "a damaged page (%s)", lu_pq_codec_name(codec));
	out->n += size;
	return 0;
}
