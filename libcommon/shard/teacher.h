#ifndef LUCIE_SHARD_TEACHER_H
#define LUCIE_SHARD_TEACHER_H
/*
 * What another model says about the tokens of a shard: after each of them the N most probable next
 * tokens and their log p, for distillation. The file of a part is PREFIX.NAME.teacher, beside its
 * PREFIX.bin; lucie-teacher(5) describes it.
 *
 *	struct lu_teacher *t;
 *	lu_teacher_open(&t, shard, "NAME", tokenizer, &err);
 *	size_t n = lu_teacher_top(t);
 *	lu_teacher_read(t, pos, count, ids, log_p, &err);	[count][n] each
 *	lu_teacher_close(t);
 *
 * Row k is about the token that follows token pos + k. Its ids are in ascending order, so all different,
 * and below the vocabulary; log p is finite and not positive.
 *
 * A file, little-endian:
 *	magic "lucieTCH", u32 version 1, u32 N, u64 vocabulary, u64 tokens, u32 context, u32 width
 *	XXH3-128 of the tokenizer.json, of the teacher's weights, of the .bin of the part: 32 hexadecimal
 *	digits each; zeros: not known
 *	for each token N ids, u16 or u32 as width is 2 or 4 bytes, then N log p as binary32
 *	u64 XXH3-64 of all bytes before it
 * context is the length of the windows that the teacher has read, for the record.
 *
 * teacher_writer.h writes it. Needs only libc: part of the bare build, where checksums are not computed.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/shard/reader.h"

#define LU_TEACHER_MAGIC "lucieTCH"
#define LU_TEACHER_VERSION 1
#define LU_TEACHER_HEADER 136
#define LU_TEACHER_TRAILER 8
#define LU_TEACHER_EXTENSION ".teacher"
#define LU_TEACHER_MAX 64 /* N at most: LK_TOP_MAX of the kernels */
#define LU_TEACHER_HASH 32

struct lu_teacher_header {
	uint32_t top; /* N */
	uint64_t vocab, tokens;
	uint32_t context;
	unsigned width; /* bytes of an id */
	char tokenizer[LU_TEACHER_HASH + 1], weights[LU_TEACHER_HASH + 1];
	char tokens_hash[LU_TEACHER_HASH + 1]; /* the writer takes it from the manifest */
};

/* Bytes of a token. */
static inline size_t lu_teacher_row(const struct lu_teacher_header *h)
{
	return (size_t)h->top * (h->width + 4);
}

struct lu_teacher;

/*
 * Open the files of all parts, and check their headers and sizes against the shard and one another.
 * `tokenizer`, 32 hexadecimal digits, must be that of the files; "": that of the shard's manifest, or
 * unknown. The checksums are not computed. The shard must outlive it.
 */
int lu_teacher_open(struct lu_teacher **t, const struct lu_shard *s, const char *name,
		const char *tokenizer, struct lu_err *err) LU_CHECKED;
void lu_teacher_close(struct lu_teacher *t); /* NULL is fine */

const struct lu_shard *lu_teacher_shard(const struct lu_teacher *t);
/* Of the first part; N, vocabulary, tokenizer and weights are those of all. */
const struct lu_teacher_header *lu_teacher_header(const struct lu_teacher *t);
static inline size_t lu_teacher_top(const struct lu_teacher *t)
{
	return lu_teacher_header(t)->top;
}

/* Rows of tokens pos..pos+n-1; pos + n is at most lu_shard_tokens(). Fails on rows that are not as said
 * above. Any number of threads. */
int lu_teacher_read(const struct lu_teacher *t, uint64_t pos, size_t n, uint32_t *ids, float *log_p,
		struct lu_err *err) LU_CHECKED;

/* Read it all: fail unless the checksums and all rows are right. */
int lu_teacher_verify(const struct lu_teacher *t, struct lu_err *err) LU_CHECKED;

/* Call fn with the name of each teacher that has a file beside the first part of a shard; fn returns 0 to
 * go on, or what the function returns. */
int lu_teacher_each(const struct lu_shard *s,
		int (*fn)(void *ctx, const char *name, struct lu_err *err), void *ctx,
		struct lu_err *err) LU_CHECKED;

#endif
