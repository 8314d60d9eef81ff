#ifndef LUCIE_BASE_NUM_H
#define LUCIE_BASE_NUM_H
/*
 * Numbers: parsed from options and configuration files, formatted, and as bytes of binary files.
 *
 * The parsers accept the whole string or fail with a sentence that quotes it: blanks, a sign where
 * none is allowed, trailing text and overflow are errors. The locale has no effect.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libcommon/base/err.h"

int lu_num_u64(const char *s, uint64_t *out, struct lu_err *err) LU_CHECKED;
int lu_num_i64(const char *s, int64_t *out, struct lu_err *err) LU_CHECKED;
/* A byte count with an optional unit K, M, G or T (powers of 1024) and B: 512M, 2GB. */
int lu_num_size(const char *s, uint64_t *out, struct lu_err *err) LU_CHECKED;
/* A duration in seconds, with an optional unit s, m, h or d: 90, 1.5h, 20h. */
int lu_num_duration(const char *s, double *seconds, struct lu_err *err) LU_CHECKED;
/* A finite decimal number. */
int lu_num_double(const char *s, double *out, struct lu_err *err) LU_CHECKED;

/* The value of a hexadecimal digit of either case, or -1. */
int lu_hex_digit(char c);

/* Shortest text that reads back as the same double: 0.1, 1e-05. Whole numbers below 1e15 have no
 * exponent: 3, 100. */
void lu_num_format(double v, char out[32]);

/* Checked a * b and a + b; false on overflow. */
static inline bool lu_mul_size(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}
static inline bool lu_add_size(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

/* Unaligned little-endian loads and stores; all our file formats are little-endian. */
static inline uint16_t lu_load16(const void *p)
{
	const unsigned char *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}
static inline uint32_t lu_load32(const void *p)
{
	const unsigned char *b = p;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t lu_load64(const void *p)
{
	return lu_load32(p) | (uint64_t)lu_load32((const char *)p + 4) << 32;
}
static inline void lu_store16(void *p, uint16_t v)
{
	unsigned char *b = p;

	b[0] = (unsigned char)v;
	b[1] = (unsigned char)(v >> 8);
}
static inline void lu_store32(void *p, uint32_t v)
{
	lu_store16(p, (uint16_t)v);
	lu_store16((char *)p + 2, (uint16_t)(v >> 16));
}
static inline void lu_store64(void *p, uint64_t v)
{
	lu_store32(p, (uint32_t)v);
	lu_store32((char *)p + 4, (uint32_t)(v >> 32));
}

/* The same big-endian, so that memcmp() orders the bytes as the numbers: keys that are sorted. */
static inline uint64_t lu_load64_be(const void *p)
{
	uint64_t v = lu_load64(p);

	return __builtin_bswap64(v);
}
static inline void lu_store64_be(void *p, uint64_t v)
{
	lu_store64(p, __builtin_bswap64(v));
}

#endif
