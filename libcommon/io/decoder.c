#include "libcommon/io/decoder.h"

#include <brotli/decode.h>
#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* The counts of zlib and bzip2 are unsigned. */
#define MOST ((size_t)1 << 30)

static unsigned most(size_t n)
{
	return (unsigned)(n < MOST ? n : MOST);
}

/* Move by what a library has left of `in` and `out` bytes. */
static void move(struct lu_decode *d, size_t in, size_t in_left, size_t out, size_t out_left)
{
	d->in += in - in_left;
	d->in_n -= in - in_left;
	d->out += out - out_left;
	d->out_n -= out - out_left;
}

static enum lu_decode_rc wrong(struct lu_decode *d, const char *why)
{
	d->why = why;
	return LU_DECODE_WRONG;
}

/* --- zlib: gzip, zlib, deflate ------------------------------------------------------------- */

struct zlib {
	z_stream z;
	bool ended;
};

static int zlib_open(void **state, int window)
{
	struct zlib *s = calloc(1, sizeof(*s));

	if (!s || inflateInit2(&s->z, window) != Z_OK) {
		free(s);
		return -1;
	}
	*state = s;
	return 0;
}

static int gzip_open(void **state)
{
	return zlib_open(state, 15 + 16);
}

static int zlib_open_zlib(void **state)
{
	return zlib_open(state, 15);
}

static int deflate_open(void **state)
{
	return zlib_open(state, -15);
}

static enum lu_decode_rc zlib_step(void *state, struct lu_decode *d)
{
	struct zlib *s = state;
	unsigned in = most(d->in_n), out = most(d->out_n);
	int rc;

	if (s->ended && inflateReset(&s->z) != Z_OK)
		return LU_DECODE_NOMEM;
	s->z.next_in = (z_const Bytef *)(uintptr_t)d->in;
	s->z.avail_in = in;
	s->z.next_out = d->out;
	s->z.avail_out = out;
	rc = inflate(&s->z, Z_NO_FLUSH);
	move(d, in, s->z.avail_in, out, s->z.avail_out);
	s->ended = rc == Z_STREAM_END;
	if (s->ended)
		return LU_DECODE_END;
	if (rc == Z_MEM_ERROR)
		return LU_DECODE_NOMEM;
	if (rc == Z_NEED_DICT)
		return wrong(d, "it needs a dictionary");
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return wrong(d, s->z.msg ? s->z.msg : "wrong data");
	return LU_DECODE_MORE;
}

static int zlib_reset(void *state)
{
	struct zlib *s = state;

	s->ended = false;
	return inflateReset(&s->z) == Z_OK ? 0 : -1;
}

static void zlib_close(void *state)
{
	struct zlib *s = state;

	if (s)
		inflateEnd(&s->z);
	free(s);
}

static bool is_gzip(const unsigned char *p, size_t n)
{
	return n >= 2 && p[0] == 0x1F && p[1] == 0x8B;
}

/* --- zstd ---------------------------------------------------------------------------------- */

static int zstd_open_window(void **state, int log)
{
	ZSTD_DStream *s = ZSTD_createDStream();

	if (!s)
		return -1;
	ZSTD_DCtx_setParameter(s, ZSTD_d_windowLogMax, log);
	*state = s;
	return 0;
}

/* Accept frames made with --long, up to windows of 2 GiB. */
static int zstd_open(void **state)
{
	return zstd_open_window(state, 31);
}

static int zstd_open_web(void **state)
{
	return zstd_open_window(state, 26);
}

static enum lu_decode_rc zstd_step(void *state, struct lu_decode *d)
{
	ZSTD_inBuffer from = { d->in, d->in_n, 0 };
	ZSTD_outBuffer to = { d->out, d->out_n, 0 };
	size_t rc = ZSTD_decompressStream(state, &to, &from);

	move(d, from.pos, 0, to.pos, 0);
	if (!ZSTD_isError(rc))
		return rc == 0 ? LU_DECODE_END : LU_DECODE_MORE;
	switch (ZSTD_getErrorCode(rc)) {
	case ZSTD_error_memory_allocation: return LU_DECODE_NOMEM;
	case ZSTD_error_dictionary_wrong:
		return wrong(d, "it needs a dictionary that is not in it");
	default: return wrong(d, ZSTD_getErrorName(rc));
	}
}

static int zstd_reset(void *state)
{
	return ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only)) ? -1 : 0;
}

static void zstd_close(void *state)
{
	ZSTD_freeDStream(state);
}

static bool is_zstd(const unsigned char *p, size_t n)
{
	return n >= 4 && memcmp(p, "\x28\xB5\x2F\xFD", 4) == 0;
}

int lu_decoder_zstd_dictionary(void *state, const void *p, size_t n)
{
	return ZSTD_isError(ZSTD_DCtx_loadDictionary(state, p, n)) ? -1 : 0;
}

/* --- xz ------------------------------------------------------------------------------------ */

struct xz {
	lzma_stream x;
	bool inside;
};

static int xz_open(void **state)
{
	struct xz *s = calloc(1, sizeof(*s));

	if (!s || lzma_stream_decoder(&s->x, UINT64_MAX, 0) != LZMA_OK) {
		free(s);
		return -1;
	}
	*state = s;
	return 0;
}

static enum lu_decode_rc xz_step(void *state, struct lu_decode *d)
{
	struct xz *s = state;
	lzma_ret rc;

	if (!s->inside && lzma_stream_decoder(&s->x, UINT64_MAX, 0) != LZMA_OK)
		return LU_DECODE_NOMEM;
	s->inside = true;
	s->x.next_in = d->in;
	s->x.avail_in = d->in_n;
	s->x.next_out = d->out;
	s->x.avail_out = d->out_n;
	rc = lzma_code(&s->x, LZMA_RUN);
	move(d, d->in_n, s->x.avail_in, d->out_n, s->x.avail_out);
	switch (rc) {
	case LZMA_OK:
	case LZMA_BUF_ERROR: return LU_DECODE_MORE;
	case LZMA_STREAM_END: s->inside = false; return LU_DECODE_END;
	case LZMA_MEM_ERROR: return LU_DECODE_NOMEM;
	case LZMA_DATA_ERROR: return wrong(d, "wrong data or checksum");
	default: return wrong(d, "wrong format");
	}
}

static int xz_reset(void *state)
{
	struct xz *s = state;

	s->inside = false; /* the next step begins anew */
	return 0;
}

static void xz_close(void *state)
{
	struct xz *s = state;

	if (s)
		lzma_end(&s->x);
	free(s);
}

static bool is_xz(const unsigned char *p, size_t n)
{
	return n >= 6 &&
			memcmp(p,
					"\xFD"
					"7zXZ",
					6) == 0;
}

/* --- bzip2 --------------------------------------------------------------------------------- */

struct bzip2 {
	bz_stream z;
	bool inside;
};

static int bzip2_open(void **state)
{
	*state = calloc(1, sizeof(struct bzip2));
	return *state ? 0 : -1;
}

static enum lu_decode_rc bzip2_step(void *state, struct lu_decode *d)
{
	struct bzip2 *s = state;
	unsigned in = most(d->in_n), out = most(d->out_n);
	int rc;

	if (!s->inside && BZ2_bzDecompressInit(&s->z, 0, 0) != BZ_OK)
		return LU_DECODE_NOMEM;
	s->inside = true;
	s->z.next_in = (char *)(uintptr_t)d->in;
	s->z.avail_in = in;
	s->z.next_out = (char *)d->out;
	s->z.avail_out = out;
	rc = BZ2_bzDecompress(&s->z);
	move(d, in, s->z.avail_in, out, s->z.avail_out);
	switch (rc) {
	case BZ_OK: return LU_DECODE_MORE;
	case BZ_STREAM_END:
		BZ2_bzDecompressEnd(&s->z);
		s->z = (bz_stream){ 0 };
		s->inside = false;
		return LU_DECODE_END;
	case BZ_MEM_ERROR: return LU_DECODE_NOMEM;
	case BZ_DATA_ERROR: return wrong(d, "wrong data or checksum");
	default: return wrong(d, "wrong format");
	}
}

static int bzip2_reset(void *state)
{
	struct bzip2 *s = state;

	if (s->inside)
		BZ2_bzDecompressEnd(&s->z);
	*s = (struct bzip2){ 0 };
	return 0;
}

static void bzip2_close(void *state)
{
	if (state)
		bzip2_reset(state);
	free(state);
}

/* The size of the blocks, then the mark of a block, or of the end of a stream without any. */
static bool is_bzip2(const unsigned char *p, size_t n)
{
	return n >= 10 && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9' &&
			(memcmp(p + 4, "1AY&SY", 6) == 0 ||
					memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* --- lz4 ----------------------------------------------------------------------------------- */

static int lz4_open(void **state)
{
	LZ4F_dctx *s = NULL;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&s, LZ4F_VERSION)))
		return -1;
	*state = s;
	return 0;
}

static enum lu_decode_rc lz4_step(void *state, struct lu_decode *d)
{
	size_t in = d->in_n, out = d->out_n;
	size_t rc = LZ4F_decompress(state, d->out, &out, d->in, &in, NULL);

	const char *why;

	if (!LZ4F_isError(rc)) {
		move(d, in, 0, out, 0);
		return rc == 0 ? LU_DECODE_END : LU_DECODE_MORE;
	}
	/* The library gives no codes, but names. */
	why = LZ4F_getErrorName(rc);
	if (strcmp(why, "ERROR_allocation_failed") == 0)
		return LU_DECODE_NOMEM;
	if (strstr(why, "hecksum"))
		return wrong(d, "wrong checksum");
	return wrong(d, strcmp(why, "ERROR_frameSize_wrong") == 0 ? "wrong length" : "wrong data");
}

static int lz4_reset(void *state)
{
	LZ4F_resetDecompressionContext(state);
	return 0;
}

static void lz4_close(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

static bool is_lz4(const unsigned char *p, size_t n)
{
	return n >= 4 && memcmp(p, "\x04\x22\x4D\x18", 4) == 0;
}

/* --- brotli -------------------------------------------------------------------------------- */

struct brotli {
	BrotliDecoderState *b;
	bool ended;
};

static int brotli_open(void **state)
{
	struct brotli *s = calloc(1, sizeof(*s));

	if (s)
		s->b = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	if (!s || !s->b) {
		free(s);
		return -1;
	}
	*state = s;
	return 0;
}

/* A stream has one member. */
static enum lu_decode_rc brotli_step(void *state, struct lu_decode *d)
{
	struct brotli *s = state;
	size_t in = d->in_n, out = d->out_n;
	const uint8_t *next_in = d->in;
	uint8_t *next_out = d->out;
	BrotliDecoderErrorCode code;

	if (s->ended)
		return wrong(d, "followed by other data");
	switch (BrotliDecoderDecompressStream(s->b, &in, &next_in, &out, &next_out, NULL)) {
	case BROTLI_DECODER_RESULT_SUCCESS:
		move(d, d->in_n, in, d->out_n, out);
		s->ended = true;
		return LU_DECODE_END;
	case BROTLI_DECODER_RESULT_ERROR: break;
	default: move(d, d->in_n, in, d->out_n, out); return LU_DECODE_MORE;
	}
	move(d, d->in_n, in, d->out_n, out);
	code = BrotliDecoderGetErrorCode(s->b);
	if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
			code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
		return LU_DECODE_NOMEM;
	return wrong(d, "wrong data");
}

/* There is no way from one stream to another. */
static int brotli_reset(void *state)
{
	struct brotli *s = state;

	s->ended = true;
	return 0;
}

static void brotli_close(void *state)
{
	struct brotli *s = state;

	if (s)
		BrotliDecoderDestroyInstance(s->b);
	free(s);
}

/* ------------------------------------------------------------------------------------------- */

const struct lu_decoder lu_decoder_gzip = { "gzip", is_gzip, 1, gzip_open, zlib_step, zlib_reset,
	zlib_close };
const struct lu_decoder lu_decoder_zlib = { "zlib", NULL, 0, zlib_open_zlib, zlib_step, zlib_reset,
	zlib_close };
const struct lu_decoder lu_decoder_deflate = { "deflate", NULL, 0, deflate_open, zlib_step,
	zlib_reset, zlib_close };
const struct lu_decoder lu_decoder_zstd = { "zstd", is_zstd, 0, zstd_open, zstd_step, zstd_reset,
	zstd_close };
const struct lu_decoder lu_decoder_zstd_web = { "zstd", is_zstd, 0, zstd_open_web, zstd_step,
	zstd_reset, zstd_close };
const struct lu_decoder lu_decoder_xz = { "xz", is_xz, 4, xz_open, xz_step, xz_reset, xz_close };
const struct lu_decoder lu_decoder_bzip2 = { "bzip2", is_bzip2, 0, bzip2_open, bzip2_step,
	bzip2_reset, bzip2_close };
const struct lu_decoder lu_decoder_lz4 = { "lz4", is_lz4, 0, lz4_open, lz4_step, lz4_reset,
	lz4_close };
const struct lu_decoder lu_decoder_brotli = { "brotli", NULL, 0, brotli_open, brotli_step,
	brotli_reset, brotli_close };

const struct lu_decoder *lu_decoder_of(const unsigned char *p, size_t n)
{
	static const struct lu_decoder *const all[] = { &lu_decoder_gzip, &lu_decoder_zstd,
		&lu_decoder_xz, &lu_decoder_bzip2, &lu_decoder_lz4 };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->begins(p, n))
			return all[i];
	}
	return NULL;
}
