#include "libcommon/parquet/parquet_stream.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "libcommon/sys/file.h"

#define IN_SIZE ((size_t)64 << 10)
/* What snappy and lz4 refer back to: offsets of two bytes. A power of two. */
#define RING ((size_t)64 << 10)

struct lu_pq_stream {
	enum lu_pq_codec codec;
	int fd;
	uint64_t at;	      /* in the file */
	size_t in_left, left; /* bytes to be read; text to be given */
	bool check;
	uint32_t crc, want;
	unsigned char *in;
	size_t from, n; /* unread: in[from .. n - 1] */
	z_stream z;
	bool z_open;
	ZSTD_DStream *zstd;
	BrotliDecoderState *brotli;
	/* Snappy and lz4. */
	unsigned char *ring;
	uint64_t given; /* bytes that went through the ring */
	bool begun;
	size_t literal, match, offset;
};

static int damaged(const struct lu_pq_stream *s, struct lu_err *err)
{
	return lu_err_set(err, "a damaged page (%s)", lu_pq_codec_name(s->codec));
}

int lu_pq_stream_open(struct lu_pq_stream **result, enum lu_pq_codec codec, int fd, uint64_t at,
		size_t n, size_t size, const uint32_t *crc, struct lu_err *err)
{
	struct lu_pq_stream *s = calloc(1, sizeof(*s));
	bool ok;

	if (!s)
		return lu_err_nomem(err);
	*s = (struct lu_pq_stream){ .codec = codec,
		.fd = fd,
		.at = at,
		.in_left = n,
		.left = size,
		.check = crc != NULL,
		.want = crc ? *crc : 0 };
	s->in = malloc(IN_SIZE);
	ok = s->in != NULL;
	if (ok && codec == LU_PQ_GZIP)
		ok = s->z_open = inflateInit2(&s->z, 15 + 32) == Z_OK;
	else if (ok && codec == LU_PQ_BROTLI)
		ok = (s->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL)) != NULL;
	else if (ok && (codec == LU_PQ_SNAPPY || codec == LU_PQ_LZ4))
		ok = (s->ring = calloc(1, RING)) != NULL;
	else if (ok && codec == LU_PQ_ZSTD)
		ok = (s->zstd = ZSTD_createDStream()) != NULL &&
				!ZSTD_isError(ZSTD_DCtx_setParameter(
						s->zstd, ZSTD_d_windowLogMax, 23));
	if (!ok) {
		lu_pq_stream_close(s);
		return lu_err_nomem(err);
	}
	*result = s;
	return 0;
}

/* Read on; at the end of the input nothing is added. */
static int refill(struct lu_pq_stream *s, struct lu_err *err)
{
	size_t n = s->in_left < IN_SIZE ? s->in_left : IN_SIZE;

	if (s->from < s->n || n == 0)
		return 0;
	if (lu_pread_all(s->fd, s->in, n, s->at, "the file", err) < 0)
		return -1;
	s->at += n;
	s->in_left -= n;
	s->from = 0;
	s->n = n;
	if (s->check) {
		s->crc = (uint32_t)crc32(s->crc, s->in, (uInt)n);
		if (s->in_left == 0 && s->crc != s->want)
			return lu_err_set(err, "a page with a wrong checksum");
	}
	return 0;
}

/* Append up to n bytes at p by one of the libraries, as much as the input at hand gives. */
static ssize_t step_library(struct lu_pq_stream *s, unsigned char *p, size_t n, struct lu_err *err)
{
	size_t avail = s->n - s->from;

	if (s->codec == LU_PQ_NONE) {
		size_t k = n < avail ? n : avail;

		memcpy(p, s->in + s->from, k);
		s->from += k;
		return (ssize_t)k;
	}
	if (s->codec == LU_PQ_ZSTD) {
		ZSTD_inBuffer in = { s->in + s->from, avail, 0 };
		ZSTD_outBuffer out = { p, n, 0 };
		size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);

		s->from += in.pos;
		return ZSTD_isError(rc) ? damaged(s, err) : (ssize_t)out.pos;
	}
	if (s->codec == LU_PQ_BROTLI) {
		const uint8_t *in = s->in + s->from;
		size_t room = n;

		if (BrotliDecoderDecompressStream(s->brotli, &avail, &in, &room, &p, NULL) ==
				BROTLI_DECODER_RESULT_ERROR)
			return damaged(s, err);
		s->from = s->n - avail;
		return (ssize_t)(n - room);
	}
	s->z.next_in = s->in + s->from;
	s->z.avail_in = (uInt)avail;
	s->z.next_out = p;
	s->z.avail_out = (uInt)(n < IN_SIZE ? n : IN_SIZE);
	int rc = inflate(&s->z, Z_NO_FLUSH);

	if (rc == Z_STREAM_END && s->left > (size_t)(s->z.next_out - p))
		rc = inflateReset(&s->z);
	s->from = s->n - s->z.avail_in;
	if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
		return damaged(s, err);
	return s->z.next_out - p;
}

/* The next byte of the input, or -1 at its end; errors are in err. */
static int next_byte(struct lu_pq_stream *s, struct lu_err *err)
{
	if (s->from == s->n && refill(s, err) < 0)
		return -1;
	return s->from < s->n ? s->in[s->from++] : damaged(s, err);
}

/* A number of n bytes, little-endian. */
static int next_number(struct lu_pq_stream *s, unsigned n, size_t *v, struct lu_err *err)
{
	*v = 0;
	for (unsigned i = 0; i < n; i++) {
		int b = next_byte(s, err);

		if (b < 0)
			return -1;
		*v |= (size_t)b << 8 * i;
	}
	return 0;
}

/* The next element of snappy: a literal or a copy
 * (https://github.com/google/snappy/blob/main/format_description.txt). */
static int next_snappy(struct lu_pq_stream *s, struct lu_err *err)
{
	int tag = next_byte(s, err);

	/* The length in front, a varint, was in the page header too. */
	if (!s->begun) {
		s->begun = tag >= 0 && !(tag & 0x80);
		return tag < 0 ? -1 : 0;
	}
	if (tag < 0)
		return -1;
	if ((tag & 3) == 0) {
		s->literal = (size_t)(tag >> 2);
		if (s->literal >= 60 &&
				next_number(s, (unsigned)s->literal - 59, &s->literal, err) < 0)
			return -1;
		s->literal++;
		return 0;
	}
	s->match = (tag & 3) == 1 ? 4 + (size_t)(tag >> 2 & 7) : 1 + (size_t)(tag >> 2);
	if (next_number(s, (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4, &s->offset, err) < 0)
		return -1;
	if ((tag & 3) == 1)
		s->offset |= (size_t)(tag >> 5) << 8;
	return 0;
}

/* A length that goes on in bytes of 255. */
static int add_length(struct lu_pq_stream *s, size_t *n, struct lu_err *err)
{
	int b = 255;

	while (b == 255) {
		if ((b = next_byte(s, err)) < 0)
			return -1;
		*n += (size_t)b;
	}
	return 0;
}

/* The next sequence of lz4: literals, then a match unless the block ends there
 * (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md). `begun` is true between the two. */
static int next_lz4(struct lu_pq_stream *s, struct lu_err *err)
{
	if (!s->begun) {
		int tag = next_byte(s, err);

		if (tag < 0)
			return -1;
		s->literal = (size_t)(tag >> 4);
		if (s->literal == 15 && add_length(s, &s->literal, err) < 0)
			return -1;
		/* The low half is kept until the literals are out. */
		s->offset = (size_t)tag & 15;
		s->begun = true;
		return 0;
	}
	s->match = s->offset + 4;
	s->begun = false;
	if (next_number(s, 2, &s->offset, err) < 0)
		return -1;
	return s->match == 19 ? add_length(s, &s->match, err) : 0;
}

static ssize_t step_ring(struct lu_pq_stream *s, unsigned char *p, size_t n, struct lu_err *err)
{
	size_t k = 0;

	if (s->literal) {
		for (; k < n && s->literal && s->from < s->n; k++, s->literal--)
			s->ring[s->given++ % RING] = p[k] = s->in[s->from++];
		return (ssize_t)k;
	}
	if (s->match) {
		if (s->offset == 0 || s->offset > s->given || s->offset > RING)
			return damaged(s, err);
		for (; k < n && s->match; k++, s->match--, s->given++)
			s->ring[s->given % RING] = p[k] = s->ring[(s->given - s->offset) % RING];
		return (ssize_t)k;
	}
	return s->codec == LU_PQ_SNAPPY ? next_snappy(s, err) : next_lz4(s, err);
}

ssize_t lu_pq_stream_read(struct lu_pq_stream *s, void *p, size_t n, struct lu_err *err)
{
	size_t want = n < s->left ? n : s->left, got = 0;

	while (got < want) {
		unsigned char *to = (unsigned char *)p + got;
		bool ended;
		ssize_t k;

		if (refill(s, err) < 0)
			return -1;
		ended = s->from == s->n;
		k = s->ring ? step_ring(s, to, want - got, err)
			    : step_library(s, to, want - got, err);
		if (k < 0)
			return -1;
		/* Between its elements a ring gives nothing, and fails by itself at the end. */
		if (k == 0 && ended && (!s->ring || s->literal))
			return damaged(s, err);
		got += (size_t)k;
		s->left -= (size_t)k;
	}
	/* The checksum covers all bytes. */
	while (s->left == 0 && s->check && s->in_left) {
		s->from = s->n;
		if (refill(s, err) < 0)
			return -1;
	}
	return (ssize_t)got;
}

void lu_pq_stream_close(struct lu_pq_stream *s)
{
	if (!s)
		return;
	if (s->z_open)
		inflateEnd(&s->z);
	ZSTD_freeDStream(s->zstd);
	BrotliDecoderDestroyInstance(s->brotli);
	free(s->ring);
	free(s->in);
	free(s);
}
