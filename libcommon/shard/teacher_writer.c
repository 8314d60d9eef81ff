#include "libcommon/shard/teacher_writer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/atomicfile.h"

#define BUFFER ((size_t)1 << 18)

struct lu_teacher_writer {
	const struct lu_shard *shard;
	char *name;
	struct lu_teacher_header header; /* of the part that is written */
	struct lu_atomic *file;		 /* of each part; those before `part` are settled */
	size_t parts, part;
	uint64_t left; /* tokens of the part */
	struct lu_hasher *hasher;
	struct lu_buf b;
};

static int put(struct lu_teacher_writer *w, size_t least, struct lu_err *err)
{
	if (lu_buf_check(&w->b, err) < 0)
		return -1;
	if (w->b.n < least)
		return 0;
	lu_hasher_add(w->hasher, w->b.p, w->b.n);
	if (lu_atomic_write(&w->file[w->part], w->b.p, w->b.n, err) < 0)
		return -1;
	lu_buf_clear(&w->b);
	return 0;
}

static void put_hash(unsigned char *to, const char *hash)
{
	memset(to, '0', LU_TEACHER_HASH);
	memcpy(to, hash, strlen(hash));
}

static int begin_part(struct lu_teacher_writer *w, struct lu_err *err)
{
	struct lu_teacher_header *h = &w->header;
	const char *tokens = lu_manifest_tokens_hash(lu_shard_manifest(w->shard), w->part);
	unsigned char head[LU_TEACHER_HEADER] = LU_TEACHER_MAGIC;
	char *path;
	int rc;

	w->left = h->tokens = lu_shard_part_token(w->shard, w->part + 1) -
			lu_shard_part_token(w->shard, w->part);
	lu_hasher_free(w->hasher);
	w->hasher = lu_hasher_new();
	if (!w->hasher ||
			asprintf(&path, "%s%s.%s%s", lu_shard_prefix(w->shard),
					lu_shard_part_suffix(w->shard, w->part), w->name,
					LU_TEACHER_EXTENSION) < 0)
		return lu_err_nomem(err);
	rc = lu_atomic_open(&w->file[w->part], path, err);
	free(path);
	lu_store32(head + 8, LU_TEACHER_VERSION);
	lu_store32(head + 12, h->top);
	lu_store64(head + 16, h->vocab);
	lu_store64(head + 24, h->tokens);
	lu_store32(head + 32, h->context);
	lu_store32(head + 36, h->width);
	put_hash(head + 40, h->tokenizer);
	put_hash(head + 72, h->weights);
	put_hash(head + 104, tokens ? tokens : "");
	lu_buf_append(&w->b, head, sizeof(head));
	return rc;
}

static int end_part(struct lu_teacher_writer *w, struct lu_err *err)
{
	unsigned char tail[LU_TEACHER_TRAILER];

	if (put(w, 0, err) < 0)
		return -1;
	lu_store64(tail, lu_hasher_end64(w->hasher));
	if (lu_atomic_write(&w->file[w->part], tail, sizeof(tail), err) < 0 ||
			lu_atomic_settle(&w->file[w->part], err) < 0)
		return -1;
	w->part++;
	return 0;
}

/* Go on to the part that has a next token, over those that have none. */
static int next_part(struct lu_teacher_writer *w, struct lu_err *err)
{
	while (w->left == 0 && w->part < w->parts) {
		if (end_part(w, err) < 0 || (w->part < w->parts && begin_part(w, err) < 0))
			return -1;
	}
	return 0;
}

static int check_name(const char *name, struct lu_err *err)
{
	size_t n = 0;

	while (name[n] && (isalnum((unsigned char)name[n]) || strchr("-_", name[n])))
		n++;
	if (n == 0 || name[n])
		return lu_err_set(err,
				"teacher \"%s\": a name is letters, digits, '-' and '_', since it "
				"is a part of the names of files",
				name);
	return 0;
}

int lu_teacher_writer_open(struct lu_teacher_writer **out, const struct lu_shard *s,
		const char *name, const struct lu_teacher_header *header, struct lu_err *err)
{
	struct lu_teacher_writer *w;

	*out = NULL;
	if (check_name(name, err) < 0)
		return -1;
	if (header->top == 0 || header->top > LU_TEACHER_MAX || header->top > header->vocab)
		return lu_err_set(err, "a teacher's top of %" PRIu32 " is not one of 1 to %d",
				header->top, LU_TEACHER_MAX);
	w = calloc(1, sizeof(*w));
	if (!w)
		return lu_err_nomem(err);
	w->shard = s;
	w->header = *header;
	w->header.width = header->vocab > UINT16_MAX + 1 ? 4 : 2;
	w->parts = lu_shard_parts(s);
	w->name = strdup(name);
	w->file = calloc(w->parts + 1, sizeof(*w->file));
	for (size_t k = 0; w->file && k < w->parts; k++)
		w->file[k] = (struct lu_atomic)LU_ATOMIC_NONE;
	if (!w->name || !w->file)
		lu_err_nomem(err);
	else if (begin_part(w, err) == 0 && next_part(w, err) == 0)
		*out = w;
	if (*out)
		return 0;
	lu_teacher_writer_free(w);
	return -1;
}

/* Bytes of a row, its ids put in order. */
static void put_row(struct lu_teacher_writer *w, const uint32_t *ids, const float *log_p)
{
	uint32_t top = w->header.top;
	unsigned char row[LU_TEACHER_MAX * 8];
	unsigned order[LU_TEACHER_MAX];

	for (unsigned i = 0; i < top; i++) {
		unsigned k = i;

		for (; k > 0 && ids[order[k - 1]] > ids[i]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	for (unsigned i = 0; i < top; i++) {
		uint32_t bits;

		memcpy(&bits, &log_p[order[i]], sizeof(bits));
		if (w->header.width == 2)
			lu_store16(row + 2 * i, (uint16_t)ids[order[i]]);
		else
			lu_store32(row + 4 * i, ids[order[i]]);
		lu_store32(row + top * w->header.width + 4 * i, bits);
	}
	lu_buf_append(&w->b, row, lu_teacher_row(&w->header));
}

int lu_teacher_writer_add(struct lu_teacher_writer *w, const uint32_t *ids, const float *log_p,
		size_t n, struct lu_err *err)
{
	size_t top = w->header.top;

	for (size_t i = 0; i < n; i++) {
		LU_ASSERT(w->part < w->parts);
		put_row(w, ids + i * top, log_p + i * top);
		w->left--;
		if (put(w, BUFFER, err) < 0 || next_part(w, err) < 0)
			return -1;
	}
	return 0;
}

int lu_teacher_writer_commit(struct lu_teacher_writer *w, struct lu_err *err)
{
	LU_ASSERT(w->part == w->parts);
	for (size_t k = 0; k < w->parts; k++) {
		if (lu_atomic_commit(&w->file[k], err) < 0)
			return -1;
	}
	return 0;
}

void lu_teacher_writer_free(struct lu_teacher_writer *w)
{
	if (!w)
		return;
	for (size_t k = 0; w->file && k < w->parts; k++)
		lu_atomic_abort(&w->file[k]);
	lu_hasher_free(w->hasher);
	lu_buf_release(&w->b);
	free(w->file);
	free(w->name);
	free(w);
}
