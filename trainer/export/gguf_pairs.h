#ifndef LUCIE_TRAINER_EXPORT_GGUF_PAIRS_H
#define LUCIE_TRAINER_EXPORT_GGUF_PAIRS_H
/*
 * The pairs of keys and values at the beginning of a GGUF file (gguf.h), collected in memory. Whether
 * memory is out is asked at the end, of the buffer (lu_buf_check()).
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* Pairs of keys and values, as they stand in the file. */
struct lt_gguf_pairs {
	struct lu_buf b;
	uint64_t n;
};

/* Types of values, and of elements of arrays. */
enum lt_gguf_type {
	LT_GGUF_U32 = 4,
	LT_GGUF_I32 = 5,
	LT_GGUF_F32 = 6,
	LT_GGUF_BOOL = 7,
	LT_GGUF_STRING = 8,
	LT_GGUF_ARRAY = 9,
};

void lt_gguf_u32(struct lt_gguf_pairs *p, const char *key, uint64_t v);
void lt_gguf_f32(struct lt_gguf_pairs *p, const char *key, double v);
void lt_gguf_bool(struct lt_gguf_pairs *p, const char *key, bool v);
void lt_gguf_string(struct lt_gguf_pairs *p, const char *key, struct lu_str v);
/* An array of n elements, which follow: append them to p->b. */
void lt_gguf_array(struct lt_gguf_pairs *p, const char *key, enum lt_gguf_type of, uint64_t n);
/* A string as an element. */
void lt_gguf_element(struct lt_gguf_pairs *p, struct lu_str v);

/* Values as they stand anywhere in the file: a string is a u64 length and its bytes. */
void lt_gguf_put_string(struct lu_buf *b, struct lu_str s);
void lt_gguf_put_f32(struct lu_buf *b, double v);

#endif
