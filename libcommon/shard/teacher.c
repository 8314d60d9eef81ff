#include "libcommon/shard/teacher.h"

#include <glob.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/mapped.h"

#define CHUNK ((size_t)1 << 12)

struct part {
	struct lu_mapped file;
	struct lu_teacher_header header;
	char *path;
};

struct lu_teacher {
	const struct lu_shard *shard;
	struct part *part;
	size_t parts;
};

/* --- opening ------------------------------------------------------------------------------ */

static void take_hash(char *out, const unsigned char *p)
{
	memcpy(out, p, LU_TEACHER_HASH);
	out[LU_TEACHER_HASH] = '\0';
}

static int is_hash(const char *s)
{
	return strspn(s, "0123456789abcdef") == LU_TEACHER_HASH;
}

static int check_values(const struct part *p, struct lu_err *err)
{
	const struct lu_teacher_header *h = &p->header;
	uint64_t body;

	if (h->top == 0 || h->top > LU_TEACHER_MAX || h->top > h->vocab ||
			(h->width != 2 && h->width != 4) ||
			(h->width == 2 && h->vocab > UINT16_MAX + 1) || !is_hash(h->tokenizer) ||
			!is_hash(h->weights) || !is_hash(h->tokens_hash))
		return lu_err_set(err, "%s: its header is damaged", p->path);
	if (__builtin_mul_overflow(h->tokens, lu_teacher_row(h), &body) ||
			__builtin_add_overflow(
					body, LU_TEACHER_HEADER + LU_TEACHER_TRAILER, &body) ||
			p->file.n != body)
		return lu_err_set(err,
				"%s: has %" PRIu64 " bytes, which are not %" PRIu64
				" tokens of %" PRIu32,
				p->path, p->file.n, h->tokens, h->top);
	return 0;
}

static int read_header(struct part *p, struct lu_err *err)
{
	struct lu_teacher_header *h = &p->header;
	unsigned char room[LU_TEACHER_HEADER];
	const unsigned char *b;

	if (p->file.n < LU_TEACHER_HEADER + LU_TEACHER_TRAILER)
		return lu_err_set(err, "%s: truncated: %" PRIu64 " bytes are no teacher's tokens",
				p->path, p->file.n);
	b = lu_mapped_at(&p->file, 0, LU_TEACHER_HEADER, room, err);
	if (!b)
		return -1;
	if (memcmp(b, LU_TEACHER_MAGIC, 8) != 0)
		return lu_err_set(err, "%s: not a file of lucie-eval --teacher", p->path);
	if (lu_load32(b + 8) != LU_TEACHER_VERSION)
		return lu_err_set(err, "%s: of version %" PRIu32 ", only %d is supported", p->path,
				lu_load32(b + 8), LU_TEACHER_VERSION);
	*h = (struct lu_teacher_header){ .top = lu_load32(b + 12),
		.vocab = lu_load64(b + 16),
		.tokens = lu_load64(b + 24),
		.context = lu_load32(b + 32),
		.width = lu_load32(b + 36) };
	take_hash(h->tokenizer, b + 40);
	take_hash(h->weights, b + 72);
	take_hash(h->tokens_hash, b + 104);
	return check_values(p, err);
}

/* Compare part k with its tokens, and with the first part. */
static int check_part(const struct lu_teacher *t, size_t k, struct lu_err *err)
{
	const struct lu_teacher_header *h = &t->part[k].header, *first = &t->part[0].header;
	uint64_t tokens = lu_shard_part_token(t->shard, k + 1) - lu_shard_part_token(t->shard, k);
	const char *now;

	if (h->tokens != tokens)
		return lu_err_set(err,
				"%s: is of %" PRIu64 " tokens, the shard has %" PRIu64
				": write it again with lucie-eval --teacher",
				t->part[k].path, h->tokens, tokens);
	now = lu_manifest_tokens_hash(lu_shard_manifest(t->shard), k);
	if (now && strspn(h->tokens_hash, "0") != LU_TEACHER_HASH &&
			strcmp(h->tokens_hash, now) != 0)
		return lu_err_set(err,
				"%s: is of the shard before it was made again with other tokens: "
				"write it again with lucie-eval --teacher",
				t->part[k].path);
	if (h->top != first->top || h->vocab != first->vocab || h->width != first->width ||
			strcmp(h->weights, first->weights) != 0 ||
			strcmp(h->tokenizer, first->tokenizer) != 0)
		return lu_err_set(err, "%s: of another teacher than %s", t->part[k].path,
				t->part[0].path);
	return 0;
}

static int check_tokenizer(const struct lu_teacher *t, const char *tokenizer, struct lu_err *err)
{
	const struct lu_manifest *m = lu_shard_manifest(t->shard);

	if (!*tokenizer && m && m->tokenizer)
		tokenizer = m->tokenizer;
	if (!*tokenizer || strcmp(tokenizer, t->part[0].header.tokenizer) == 0)
		return 0;
	return lu_err_set(err,
			"%s: its teacher has the tokenizer %s, not %s: ids of one vocabulary mean "
			"nothing in another",
			t->part[0].path, t->part[0].header.tokenizer, tokenizer);
}

static int open_part(struct lu_teacher *t, size_t k, const char *name, struct lu_err *err)
{
	struct part *p = &t->part[k];

	if (asprintf(&p->path, "%s%s.%s%s", lu_shard_prefix(t->shard),
			    lu_shard_part_suffix(t->shard, k), name, LU_TEACHER_EXTENSION) < 0) {
		p->path = NULL;
		return lu_err_nomem(err);
	}
	if (access(p->path, F_OK) < 0)
		return lu_err_set(err, "%s: there is no such file; lucie-eval --teacher writes it",
				p->path);
	if (lu_mapped_open(&p->file, p->path, err) < 0 || read_header(p, err) < 0)
		return -1;
	return check_part(t, k, err);
}

int lu_teacher_open(struct lu_teacher **out, const struct lu_shard *s, const char *name,
		const char *tokenizer, struct lu_err *err)
{
	struct lu_teacher *t = calloc(1, sizeof(*t));
	int rc = 0;

	*out = NULL;
	if (!t)
		return lu_err_nomem(err);
	t->shard = s;
	t->parts = lu_shard_parts(s);
	t->part = calloc(t->parts + 1, sizeof(*t->part));
	if (!t->part)
		rc = lu_err_nomem(err);
	for (size_t k = 0; k < t->parts && rc == 0; k++)
		rc = open_part(t, k, name, err);
	if (rc == 0)
		rc = check_tokenizer(t, tokenizer, err);
	if (rc < 0)
		lu_teacher_close(t);
	else
		*out = t;
	return rc;
}

void lu_teacher_close(struct lu_teacher *t)
{
	if (!t)
		return;
	for (size_t k = 0; t->part && k < t->parts; k++) {
		lu_mapped_close(&t->part[k].file);
		free(t->part[k].path);
	}
	free(t->part);
	free(t);
}

const struct lu_shard *lu_teacher_shard(const struct lu_teacher *t)
{
	return t->shard;
}

const struct lu_teacher_header *lu_teacher_header(const struct lu_teacher *t)
{
	return &t->part[0].header;
}

/* --- reading ------------------------------------------------------------------------------ */

static int bad_row(const struct part *p, uint64_t token, struct lu_err *err)
{
	return lu_err_set(err, "%s: damaged: what it says of token %" PRIu64 " cannot be", p->path,
			token);
}

/* A row from its bytes; `token` is for the message. */
static int take_row(const struct part *p, uint64_t token, const unsigned char *b, uint32_t *ids,
		float *log_p, struct lu_err *err)
{
	const struct lu_teacher_header *h = &p->header;

	for (uint32_t i = 0; i < h->top; i++) {
		uint32_t bits = lu_load32(b + h->top * h->width + 4 * i);

		ids[i] = h->width == 2 ? lu_load16(b + 2 * i) : lu_load32(b + 4 * i);
		memcpy(&log_p[i], &bits, sizeof(bits));
		if (ids[i] >= h->vocab || (i > 0 && ids[i] <= ids[i - 1]) || !isfinite(log_p[i]) ||
				log_p[i] > 0)
			return bad_row(p, token, err);
	}
	return 0;
}

/* Tokens at .. at + n - 1 of a part. */
static int read_part(const struct part *p, uint64_t at, size_t n, uint32_t *ids, float *log_p,
		struct lu_err *err)
{
	unsigned char room[LU_TEACHER_MAX * 8];
	size_t row = lu_teacher_row(&p->header), top = p->header.top;

	for (size_t i = 0; i < n; i++) {
		const unsigned char *b = lu_mapped_at(
				&p->file, LU_TEACHER_HEADER + (at + i) * row, row, room, err);

		if (!b || take_row(p, at + i, b, ids + i * top, log_p + i * top, err) < 0)
			return -1;
	}
	return 0;
}

int lu_teacher_read(const struct lu_teacher *t, uint64_t pos, size_t n, uint32_t *ids, float *log_p,
		struct lu_err *err)
{
	size_t top = lu_teacher_top(t);

	LU_ASSERT(pos <= lu_shard_tokens(t->shard) && n <= lu_shard_tokens(t->shard) - pos);
	if (n == 0)
		return 0;
	for (size_t k = lu_shard_part_at(t->shard, pos); n; k++) {
		uint64_t at = pos - lu_shard_part_token(t->shard, k);
		uint64_t left = lu_shard_part_token(t->shard, k + 1) - pos;
		size_t take = n < left ? n : (size_t)left;

		if (read_part(&t->part[k], at, take, ids, log_p, err) < 0)
			return -1;
		ids += take * top;
		log_p += take * top;
		pos += take;
		n -= take;
	}
	return 0;
}

static int verify_sum(const struct part *p, struct lu_err *err)
{
	uint64_t end = p->file.n - LU_TEACHER_TRAILER;
	unsigned char room[CHUNK];
	const unsigned char *b;
	struct lu_hasher *h = lu_hasher_new();
	int rc = h ? 0 : lu_err_nomem(err);

	for (uint64_t at = 0; rc == 0 && at < end;) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;

		b = lu_mapped_at(&p->file, at, n, room, err);
		if (b)
			lu_hasher_add(h, b, n);
		rc = b ? 0 : -1;
		at += n;
	}
	b = rc == 0 ? lu_mapped_at(&p->file, end, LU_TEACHER_TRAILER, room, err) : NULL;
	if (!b)
		rc = -1;
	else if (lu_hash_available() && lu_load64(b) != lu_hasher_end64(h))
		rc = lu_err_set(err, "%s: damaged: its checksum differs", p->path);
	lu_hasher_free(h);
	return rc;
}

int lu_teacher_verify(const struct lu_teacher *t, struct lu_err *err)
{
	uint32_t ids[LU_TEACHER_MAX];
	float log_p[LU_TEACHER_MAX];

	for (size_t k = 0; k < t->parts; k++) {
		if (verify_sum(&t->part[k], err) < 0)
			return -1;
		for (uint64_t i = 0; i < t->part[k].header.tokens; i++) {
			if (read_part(&t->part[k], i, 1, ids, log_p, err) < 0)
				return -1;
		}
	}
	return 0;
}

int lu_teacher_each(const struct lu_shard *s,
		int (*fn)(void *ctx, const char *name, struct lu_err *err), void *ctx,
		struct lu_err *err)
{
	char *base = lu_concat(lu_shard_prefix(s), lu_shard_part_suffix(s, 0), ".");
	size_t n = base ? strlen(base) : 0, end = sizeof(LU_TEACHER_EXTENSION) - 1;
	char *pattern = lu_concat(base ? base : "", "*", LU_TEACHER_EXTENSION);
	glob_t found = { 0 };
	int rc = base && pattern ? 0 : lu_err_nomem(err);

	if (rc == 0 && glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
		rc = lu_err_nomem(err);
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++) {
		char *name = found.gl_pathv[i] + n;

		name[strlen(name) - end] = '\0';
		rc = fn(ctx, name, err);
	}
	globfree(&found);
	free(pattern);
	free(base);
	return rc;
}
