#ifndef LUCIE_SHARD_FORMAT_H
#define LUCIE_SHARD_FORMAT_H
/*
 * Constants of the .idx format, as Megatron-Core's indexed_dataset.py reads and writes it.
 * Everything is little-endian. The header is followed by lengths i32[sequences], byte offsets
 * i64[sequences], and document boundaries i64[documents + 1], counted in sequences. The arrays
 * start at byte 34, so they are never aligned. lucie-shard(5) describes the format.
 */
#include <stdint.h>

#define LU_IDX_MAGIC "MMIDIDX\0\0"
#define LU_IDX_MAGIC_SIZE 9
#define LU_IDX_VERSION 1
#define LU_IDX_AT_VERSION 9
#define LU_IDX_AT_TYPE 17
#define LU_IDX_AT_SEQUENCES 18
#define LU_IDX_AT_BOUNDS 26
#define LU_IDX_HEADER 34

#define LU_IDX_TYPE_I32 4
#define LU_IDX_TYPE_U16 8

/* Ids are u16 below this vocabulary size, i32 from it on: Megatron's cutoff. */
#define LU_IDX_U16_VOCAB 65500

/* Longest document: lengths are i32. */
#define LU_IDX_MAX_LENGTH INT32_MAX

/* Bytes of an id; 0 for a type that cannot hold token ids. */
static inline unsigned lu_idx_width(unsigned type)
{
	return type == LU_IDX_TYPE_U16 ? 2 : type == LU_IDX_TYPE_I32 ? 4 : 0;
}

/* Bytes of an id for a vocabulary. */
static inline unsigned lu_idx_width_for(uint64_t vocab)
{
	return vocab < LU_IDX_U16_VOCAB ? 2 : 4;
}

static inline const char *lu_idx_type_name(unsigned type)
{
	static const char *const name[] = { "unknown", "uint8", "int8", "int16", "int32", "int64",
		"float64", "float32", "uint16" };

	return name[type < sizeof(name) / sizeof(name[0]) ? type : 0];
}

#endif
