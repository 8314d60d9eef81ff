#ifndef LUCIE_IO_SAFETENSORS_H
#define LUCIE_IO_SAFETENSORS_H
/*
 * safetensors: named tensors in one file (https://github.com/huggingface/safetensors).
 *
 * The file is the length of the header as u64, the header, and the data, all little-endian. The
 * header is one JSON object padded with blanks,
 *
 *	{"__metadata__":{...}, "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}, ...}
 *
 * with offsets from the start of the data. Tensors are row-major and contiguous, without holes.
 *
 * Reading:
 *	struct lu_st st;
 *
 *	if (lu_st_open(&st, "model.safetensors", err) < 0)
 *		return -1;
 *	t = lu_st_find(&st, "lm_head.weight");
 *	if (t && lu_st_read(&st, t, 0, buf, lu_st_bytes(t), err) < 0) ...
 *	lu_st_close(&st);
 *
 * Open checks all that can be checked without the data: sizes against shapes, holes, overlaps, the
 * length of the file. Errors name the file. Only lu_st_read() may be called from several threads.
 *
 * Writing: lu_st_header() builds the bytes in front of the data and assigns the offsets; the caller
 * writes them and then the tensors in the order of the list, to a file of its choice.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

#define LU_ST_DIMS 8
#define LU_ST_HEADER_MAX ((uint64_t)100 << 20) /* the format's own limit */

enum lu_st_type {
	LU_ST_F64,
	LU_ST_F32,
	LU_ST_F16,
	LU_ST_BF16,
	LU_ST_I64,
	LU_ST_I32,
	LU_ST_U8,
	LU_ST_TYPES,
};

struct lu_st_tensor {
	struct lu_str name; /* NUL-terminated when read from a file */
	enum lu_st_type type;
	size_t dims;
	uint64_t dim[LU_ST_DIMS];
	uint64_t begin, end; /* byte offsets in the data */
};

struct lu_st {
	char *path;
	int fd;
	struct lu_arena arena;
	struct lu_st_tensor *tensor; /* in the order of the data */
	size_t n;
	uint64_t data; /* offset of the data in the file */
};

int lu_st_open(struct lu_st *st, const char *path, struct lu_err *err) LU_CHECKED;
void lu_st_close(struct lu_st *st);
/* Tensor with this name, or NULL. */
const struct lu_st_tensor *lu_st_find(const struct lu_st *st, const char *name);
/* Read n bytes of the tensor, from byte `at` of its data. */
int lu_st_read(const struct lu_st *st, const struct lu_st_tensor *t, uint64_t at, void *out,
		size_t n, struct lu_err *err) LU_CHECKED;

/* Bytes per element, and the name of the type in the header. */
size_t lu_st_width(enum lu_st_type type);
const char *lu_st_type_name(enum lu_st_type type);
static inline uint64_t lu_st_bytes(const struct lu_st_tensor *t)
{
	return t->end - t->begin;
}
/* Number of elements. */
static inline uint64_t lu_st_count(const struct lu_st_tensor *t)
{
	uint64_t n = 1;

	for (size_t i = 0; i < t->dims; i++)
		n *= t->dim[i];
	return n;
}

/* Assign begin and end of the n tensors, one after another, and append length and header. `meta` is
 * NULL or the value of "__metadata__": a JSON object of strings. */
int lu_st_header(struct lu_st_tensor *t, size_t n, const char *meta, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* bfloat16, the upper half of a float: round to nearest, ties to even; a NaN stays a NaN. */
static inline uint16_t lu_bf16_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
static inline float lu_bf16_to(uint16_t b)
{
	uint32_t u = (uint32_t)b << 16;
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

/* IEEE half precision: round to nearest, ties to even; what is beyond 65504 becomes an infinity. */
uint16_t lu_f16_of(float f);
float lu_f16_to(uint16_t h);

#endif
