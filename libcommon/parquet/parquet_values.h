#ifndef LUCIE_PARQUET_VALUES_H
#define LUCIE_PARQUET_VALUES_H
/*
 * The values of a page, one after another, in every encoding that the format has
 * (https://github.com/apache/parquet-format/blob/master/Encodings.md).
 *
 *	struct lu_pq_values v = { 0 };
 *	lu_pq_values_begin(&v, type, length, encoding, src, n, dictionary, &err);
 *	while (...)
 *		lu_pq_values_next(&v, &value, &err);
 *	lu_pq_values_release(&v);
 *
 * The bytes come from a source, memory or a stream. A stream gives PLAIN and
 * DELTA_LENGTH_BYTE_ARRAY piece by piece; other encodings want the rest of the page at once.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/parquet/parquet_schema.h"

enum lu_pq_encoding {
	LU_PQ_E_PLAIN = 0,
	LU_PQ_E_PLAIN_DICTIONARY = 2,
	LU_PQ_E_RLE = 3,
	LU_PQ_E_BIT_PACKED = 4,
	LU_PQ_E_DELTA_BINARY = 5,
	LU_PQ_E_DELTA_LENGTH = 6,
	LU_PQ_E_DELTA_BYTES = 7,
	LU_PQ_E_RLE_DICTIONARY = 8,
	LU_PQ_E_SPLIT = 9,
};

/* The most bytes of a page that are held at once. */
#define LU_PQ_HELD ((size_t)48 << 20)

struct lu_pq_stream;

/* Bytes: p[0 .. n - 1] are at hand. In memory: stream is NULL. */
struct lu_pq_source {
	const unsigned char *p;
	size_t n;
	struct lu_pq_stream *stream;
	size_t behind; /* bytes that the stream has yet to give */
	struct lu_buf window;
};

/* Have n bytes at hand. -1: the page ends before, or is too large to be held. */
int lu_pq_source_need(struct lu_pq_source *s, size_t n, struct lu_err *err) LU_CHECKED;
static inline size_t lu_pq_source_left(const struct lu_pq_source *s)
{
	return s->n + s->behind;
}
static inline void lu_pq_source_pass(struct lu_pq_source *s, size_t n)
{
	s->p += n;
	s->n -= n;
}
/* Pass over n bytes, at hand or not. */
int lu_pq_source_skip(struct lu_pq_source *s, size_t n, struct lu_err *err) LU_CHECKED;
void lu_pq_source_release(struct lu_pq_source *s);

/* Runs and bit-packed groups: levels, indices of a dictionary, truth values. */
struct lu_pq_rle {
	const unsigned char *p, *end;
	unsigned width;	  /* bits of a value */
	uint64_t run;	  /* values left of the run */
	bool packed, msb; /* msb: the deprecated BIT_PACKED */
	uint32_t value;	  /* of a run */
	uint64_t at;	  /* bit, of packed values */
};

void lu_pq_rle_begin(struct lu_pq_rle *r, struct lu_str bytes, unsigned width);
/* For the deprecated encoding of levels. */
void lu_pq_packed_begin(struct lu_pq_rle *r, struct lu_str bytes, unsigned width);
/* False: there are no more. */
bool lu_pq_rle_refill(struct lu_pq_rle *r);
uint32_t lu_pq_rle_packed(struct lu_pq_rle *r);

static inline bool lu_pq_rle_next(struct lu_pq_rle *r, uint32_t *v)
{
	if (r->run == 0 && !lu_pq_rle_refill(r))
		return false;
	r->run--;
	*v = r->packed ? lu_pq_rle_packed(r) : r->value;
	return true;
}

/* Integers as differences, in blocks of bit-packed miniblocks. */
struct lu_pq_delta {
	const unsigned char *p, *end;
	uint64_t per_mini, minis; /* values of a miniblock, miniblocks of a block */
	uint64_t left;		  /* values */
	uint64_t value;
	uint64_t min;
	const unsigned char *widths;
	uint64_t mini, in_mini; /* the miniblock of the block, and values left in it */
	uint64_t at;		/* bit */
	const unsigned char *mini_at, *mini_end;
	bool first;
};

/* The values of a dictionary: bytes with slices of them, or, where it is large, a temporary file with
 * offsets, of which a window is held. */
struct lu_pq_dictionary {
	struct lu_buf bytes;
	struct LU_VEC(struct lu_str) strings; /* of LU_PQ_BYTE_ARRAY */
	size_t n, width, longest;
	int fd;				 /* of the temporary file; 0: in memory */
	struct LU_VEC(uint64_t) offsets; /* n + 1, of LU_PQ_BYTE_ARRAY */
	uint64_t window;		 /* offset of `bytes` in the file */
};

/* A value: numbers in `bits` (INT32 extended by its sign, FLOAT and DOUBLE as they are stored), the others
 * in `s`, valid until the next value and as long as the page. */
struct lu_pq_value {
	uint64_t bits;
	struct lu_str s;
	bool too_large; /* longer than the limit: s is empty */
};

struct lu_pq_values {
	enum lu_pq_type type;
	uint32_t width; /* bytes of a value; 0 for LU_PQ_BYTE_ARRAY */
	int encoding;
	uint64_t limit; /* bytes of a value */
	struct lu_pq_source *src;
	struct lu_pq_dictionary *dictionary;
	bool marked; /* our own pages: a length of 2^32 - 1 marks what was too large */
	unsigned bit;
	struct lu_pq_rle rle;
	struct lu_pq_delta delta, suffix;
	struct lu_str rest; /* bytes behind the lengths */
	struct lu_buf before, lengths;
	size_t split; /* values of BYTE_STREAM_SPLIT */
	size_t next;
};

/* Bytes of a value of a fixed width, else 0. */
uint32_t lu_pq_width(enum lu_pq_type type, uint32_t length);
/* `v` starts from { 0 } or is used again. The source stays the caller's and is at the first value. */
int lu_pq_values_begin(struct lu_pq_values *v, enum lu_pq_type type, uint32_t length, int encoding,
		struct lu_pq_source *src, struct lu_pq_dictionary *d, uint64_t limit,
		struct lu_err *err) LU_CHECKED;
int lu_pq_values_next(
		struct lu_pq_values *v, struct lu_pq_value *out, struct lu_err *err) LU_CHECKED;
void lu_pq_values_release(struct lu_pq_values *v);

/* Take the bytes of a dictionary page, decompressed, n values. d->bytes holds them. */
int lu_pq_dictionary_read(struct lu_pq_dictionary *d, enum lu_pq_type type, uint32_t length,
		uint64_t n, struct lu_err *err) LU_CHECKED;
/* Read a dictionary of n values from a source into a temporary file in `tmpdir`. */
int lu_pq_dictionary_spill(struct lu_pq_dictionary *d, enum lu_pq_type type, uint32_t length,
		uint64_t n, struct lu_pq_source *src, const char *tmpdir,
		struct lu_err *err) LU_CHECKED;
void lu_pq_dictionary_release(struct lu_pq_dictionary *d);

#endif
