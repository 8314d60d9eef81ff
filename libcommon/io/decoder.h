#ifndef LUCIE_IO_DECODER_H
#define LUCIE_IO_DECODER_H
/*
 * Compressed formats, one member after another: what io/instream.h reads files through, and
 * import/http_content.h the bodies of web archives.
 *
 *	void *state;
 *	struct lu_decode d = { .in = p, .in_n = n, .out = buf, .out_n = size };
 *
 *	if (lu_decoder_gzip.open(&state) < 0) ...		out of memory
 *	do
 *		rc = lu_decoder_gzip.step(state, &d);
 *	while (rc == LU_DECODE_MORE && ...);
 *	lu_decoder_gzip.close(state);
 *
 * A step consumes input and writes output, as much as it can, and moves both. LU_DECODE_END: a
 * member (a gzip member, zstd frame, xz or bzip2 stream) ended, its checksum and length are right,
 * and the next step begins another. LU_DECODE_MORE without progress: it needs more of either.
 *
 * Memory: what the format asks for and no more, which is 2 GiB for zstd's widest window, 4 GiB for
 * xz's largest dictionary, and below 20 MiB for the others, touched as far as the data reach.
 */
#include <stdbool.h>
#include <stddef.h>

struct lu_decode {
	const unsigned char *in;
	size_t in_n;
	unsigned char *out;
	size_t out_n;
	const char *why; /* what is wrong, a constant string */
};

enum lu_decode_rc {
	LU_DECODE_MORE,
	LU_DECODE_END,
	LU_DECODE_WRONG, /* `why` is set; what was written is right as far as it was checked */
	LU_DECODE_NOMEM,
};

/* A longer beginning is not needed to recognise a format. */
#define LU_DECODER_HEAD 10

struct lu_decoder {
	const char *name;
	/* True if a stream that begins so is of this format; NULL: it has no mark. */
	bool (*begins)(const unsigned char *p, size_t n);
	/* Zero bytes between and behind members are padding when there are a multiple of that many;
	 * 0: none are. */
	unsigned padding;
	int (*open)(void **state); /* -1: out of memory */
	enum lu_decode_rc (*step)(void *state, struct lu_decode *d);
	int (*reset)(void *state);  /* go on at the beginning of a member; -1: out of memory */
	void (*close)(void *state); /* NULL is fine */
};

/* RFC 1952; RFC 8878; the .xz format 1.1; bzip2; the LZ4 frame format 1.6. */
extern const struct lu_decoder lu_decoder_gzip, lu_decoder_zstd, lu_decoder_xz, lu_decoder_bzip2,
		lu_decoder_lz4;
/* zstd for the web: windows of at most 64 MiB, where RFC 9659 has 8. */
extern const struct lu_decoder lu_decoder_zstd_web;
/* Without marks: RFC 1950, RFC 1951, RFC 7932. The last two have no checksum either. */
extern const struct lu_decoder lu_decoder_zlib, lu_decoder_deflate, lu_decoder_brotli;

/* The format of a stream that begins with these bytes, at most LU_DECODER_HEAD of which are looked
 * at; NULL: none. */
const struct lu_decoder *lu_decoder_of(const unsigned char *p, size_t n);

/* Let a state of lu_decoder_zstd use a dictionary in zstd's format, which is copied. -1: it is none,
 * or out of memory. */
int lu_decoder_zstd_dictionary(void *state, const void *p, size_t n);

#endif
